// `atelier server`: makes every part of the server, joins them, and runs until a signal.
#pragma once

#include "base/log.h"
#include "cmd/options.h"

namespace atelier::cmd {

// SIGHUP reads the files of the certificate again. Returns the exit code: 0 after SIGTERM or
// SIGINT, 1 when the server could not start. SIGTERM and SIGINT end the server within 30 seconds; a
// second one ends the process at once.
int run_server(const ServerOptions& options);

}  // namespace atelier::cmd
