// `atelier server`: builds everything, joins it, runs until it is told to end.
#pragma once

#include "base/log.h"
#include "cmd/options.h"

namespace atelier::cmd {

// Returns the exit code: 0 after a signal and an orderly end, 1 when it could not start. SIGTERM
// and SIGINT end it within 30 seconds; a second one ends it at once.
int run_server(const ServerOptions& options);

}  // namespace atelier::cmd
