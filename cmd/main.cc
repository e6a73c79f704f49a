// atelier: `server` runs the control plane, `rekey` changes the key of its database, `validate`
// compiles a template in this process; every other verb is a client of the server (cli/run.h).
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/environment.h"
#include "cli/output/text_table.h"
#include "cli/run.h"
#include "cmd/options.h"
#include "cmd/rekey.h"
#include "cmd/server.h"
#include "cmd/validate.h"

namespace {

std::atomic<bool> interrupted = false;  // only the signal handler sets it

void interrupt(int) {
    interrupted = true;
}

int run_command_line(const std::vector<std::string>& arguments,
                     const atelier::Environment& environment) {
    struct sigaction action {};
    action.sa_handler = interrupt;  // without SA_RESTART: a blocking read ends
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    winsize size{};
    const bool terminal = isatty(STDOUT_FILENO) == 1;
    const bool sized = terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    atelier::cli::Terminal streams{std::cin, std::cout, std::cerr, terminal,
                                   sized ? size.ws_col : 80};
    const atelier::SystemClock clock;
    return atelier::cli::run(arguments,
                             {streams, environment, clock, interrupted, ATELIER_VERSION, ""});
}

int run_server(const std::vector<std::string>& arguments, const atelier::Environment& environment) {
    const auto parsed = atelier::cmd::parse_server_options(arguments, environment);
    if (!parsed) {
        std::cerr << "error: " << atelier::cli::printable(parsed.error().message) << "\n";
        return atelier::cli::exit_code::usage;
    }
    if (!parsed->help.empty()) {
        std::cout << parsed->help;
        return atelier::cli::exit_code::fine;
    }
    return atelier::cmd::run_server(parsed->options);
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto environment = atelier::Environment::of_process();
    if (!arguments.empty() && arguments.front() == "server") {
        return run_server({arguments.begin() + 1, arguments.end()}, environment);
    }
    if (!arguments.empty() && arguments.front() == "validate") {
        return atelier::cmd::validate({arguments.begin() + 1, arguments.end()}, environment,
                                      std::cout, std::cerr);
    }
    if (!arguments.empty() && arguments.front() == "rekey") {
        return atelier::cmd::rekey({arguments.begin() + 1, arguments.end()}, environment, std::cout,
                                   std::cerr);
    }
    return run_command_line(arguments, environment);
}
