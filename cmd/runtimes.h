// The runtimes of this server, made from its options: Docker, when its socket is there or an option
// names it, and processes, unless they are off.
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

// Owns the drivers. reconcilers::Runtimes refers to them.
struct OwnedRuntimes {
    std::map<std::string, std::unique_ptr<drivers::Runtime>> by_name;
    std::string default_backend;
    std::string summary;  // a sentence for the log: where workspaces run, and why
};

// What the options mean on a machine with or without Docker's usual socket. Whether Docker answers
// plays no part: workspaces wait for an engine that does not, and never become processes of the
// host instead. Code::invalid when the options leave no runtime, or not the one that --backend
// names.
struct RuntimeChoice {
    std::string docker_host;  // empty: none
    bool process = true;
    std::string default_backend;
    std::string summary;  // a sentence for the log: where workspaces run, and why
};
Result<RuntimeChoice> choose_runtimes(const ServerOptions& options, bool usual_socket_is_there);

// Clock and random must outlive the result.
Result<OwnedRuntimes> make_runtimes(const ServerOptions& options, const std::string& instance,
                                    const Clock& clock, Random& random);

}  // namespace atelier::cmd
