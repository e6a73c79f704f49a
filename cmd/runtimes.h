// The runtimes of this server: Docker when its socket is there or it is asked for, and processes
// unless they are switched off.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "cmd/options.h"
#include "drivers/runtime.h"

namespace atelier::cmd {

struct Runtimes {
    std::map<std::string, std::unique_ptr<drivers::Runtime>> by_name;
    std::string default_backend;
    std::string said;  // for the log: where workspaces run, and why
};

// What the options mean on a machine that has Docker's usual socket, or has not. That Docker does
// not answer changes nothing: workspaces wait for it then, and never become processes of the host
// instead. invalid when the options leave no runtime, or not the one that --backend names.
struct RuntimeChoice {
    std::string docker_host;  // empty: none
    bool process = true;
    std::string default_backend;
    std::string said;  // for the log: where workspaces run, and why
};
Result<RuntimeChoice> choose_runtimes(const ServerOptions& options, bool usual_socket_is_there);

Result<Runtimes> make_runtimes(const ServerOptions& options, const std::string& instance,
                               const Clock& clock, Random& random);

}  // namespace atelier::cmd
