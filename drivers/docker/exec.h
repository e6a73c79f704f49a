// Commands inside containers, and the containers' logs.
#pragma once

#include <string>
#include <vector>

#include "drivers/docker/api.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// As Runtime::exec.
Result<ExecResult> exec_in(const DockerApi& api, const std::string& id,
                           const std::vector<std::string>& command, Duration deadline);
// As Runtime::logs; at most 5 MiB.
Result<std::string> logs_of(const DockerApi& api, const std::string& id, std::size_t last_lines);

}  // namespace atelier::drivers
