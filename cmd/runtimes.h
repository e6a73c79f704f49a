// The runtimes of this server: Docker when it answers or is asked for, and processes always.
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

Result<Runtimes> make_runtimes(const ServerOptions& options, const std::string& instance,
                               const Clock& clock, Random& random);

}  // namespace atelier::cmd
