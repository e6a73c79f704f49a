// atelier-agent: runs inside a workspace. Its arguments and its environment configure it.
#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/folder.h"

namespace {

constexpr const char* help = R"(Usage: atelier-agent [--] [COMMAND [ARGUMENT...]]
       atelier-agent status | exchange PATH PATH | version | help

Loads the plugins below $ATELIER_CONFIGS/plugins, reports what it loaded to
$ATELIER_RUN/status.json, and runs COMMAND as its child, whose exit code it
takes over. Without COMMAND it runs until SIGTERM. "status" prints the report;
"exchange" makes each of two files or folders the other, in one step.

  ATELIER_CONFIGS        folder of the workspace's files (/configs)
  ATELIER_RUN            folder of the report (/run/atelier)
  ATELIER_AGENT_PORT     port for GET /health and /plugins (8000); 0 takes a
                         free one, "off" none
  ATELIER_AGENT_ADDRESS  address to listen on (0.0.0.0), or the absolute path
                         of a socket to listen at instead
  ATELIER_AGENT_GRACE    time from SIGTERM to SIGKILL of COMMAND (8s)
  ATELIER_AGENT_RESCAN   how often to look for changes (5s)
)";

int wrong(const std::string& message) {
    std::fprintf(stderr, "atelier-agent: %s\n", message.c_str());
    return 2;
}

int print_status(const atelier::agent::Options& options) {
    constexpr std::size_t most_status = 4 << 20;
    const auto run = atelier::open_folder((options.run / ".").string());
    const atelier::Result<atelier::FolderFile> file =
        run ? atelier::read_file_at(*run, "status.json", most_status) : run.error();
    if (!file) {
        std::fprintf(stderr, "atelier-agent: %s\n", file.error().message.c_str());
        return 1;
    }
    const std::string& text = file->bytes;
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}

// For scripts that deliver plugins into a workspace: mv(1) cannot exchange two folders.
int exchange(const std::vector<std::string>& paths) {
    if (paths.size() != 3) return wrong("exchange takes two paths");
    if (renameat2(AT_FDCWD, paths[1].c_str(), AT_FDCWD, paths[2].c_str(), RENAME_EXCHANGE) == 0) {
        return 0;
    }
    const auto error = atelier::error_of_errno(errno, "cannot exchange", paths[2]);
    std::fprintf(stderr, "atelier-agent: %s\n", error.message.c_str());
    return 1;
}

atelier::Result<void> read_environment(const atelier::Environment& environment,
                                       atelier::agent::Options& options) {
    options.version = ATELIER_VERSION;
    options.configs = environment.get("ATELIER_CONFIGS", "/configs");
    options.run = environment.get("ATELIER_RUN", "/run/atelier");
    options.address = environment.get("ATELIER_AGENT_ADDRESS", "0.0.0.0");
    const std::string port = environment.get("ATELIER_AGENT_PORT", "8000");
    if (port == "off") {
        options.port.reset();
    } else {
        const bool digits = !port.empty() && port.size() <= 5 &&
                            port.find_first_not_of("0123456789") == std::string::npos;
        if (!digits || std::stoul(port) > 65535) {
            return atelier::Error{atelier::Code::invalid,
                                  "ATELIER_AGENT_PORT must be \"off\" or 0 to 65535"};
        }
        options.port = static_cast<std::uint16_t>(std::stoul(port));
    }
    for (const auto& [name, field] : {std::pair("ATELIER_AGENT_GRACE", &options.grace),
                                      std::pair("ATELIER_AGENT_RESCAN", &options.rescan)}) {
        const auto text = environment.find(name);
        if (!text) continue;
        const auto duration = atelier::parse_duration(*text);
        if (!duration) return duration.error().in(name);
        if (*duration < std::chrono::milliseconds(1)) {
            return atelier::Error{atelier::Code::invalid,
                                  std::string(name) + " must be at least 1ms"};
        }
        *field = *duration;
    }
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    atelier::agent::Options options;
    const auto read = read_environment(atelier::Environment::of_process(), options);
    if (!read) return wrong(read.error().message);

    const std::string verb = arguments.empty() ? "" : arguments[0];
    if (verb == "status") return print_status(options);
    if (verb == "exchange") return exchange(arguments);
    if (verb == "version" || verb == "--version") return std::puts(ATELIER_VERSION) < 0;
    if (verb == "help" || verb == "--help" || verb == "-h") return std::fputs(help, stdout) < 0;
    if (verb == "--") {
        arguments.erase(arguments.begin());
    } else if (verb.starts_with("-")) {
        return wrong("there is no option \"" + verb + "\"; see atelier-agent help");
    }
    options.command = arguments;
    return atelier::agent::run(options, atelier::SystemClock());
}
