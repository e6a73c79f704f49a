// What every verb gets: its arguments, the terminal, and a client of the server that the kubeconfig
// names. Used from one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/client/client.h"
#include "cli/session/arguments.h"
#include "cli/session/exit_code.h"
#include "cli/session/process_context.h"

namespace atelier::cli {

class Session {
  public:
    Session(const ProcessContext& w, std::string verb, Arguments a)
        : process(w), terminal(w.terminal), arguments(std::move(a)), verb_(std::move(verb)) {}

    const ProcessContext& process;
    Terminal& terminal;
    const Arguments arguments;

    std::ostream& out() { return terminal.out; }
    std::ostream& err() { return terminal.err; }
    Instant now() const { return process.clock.now(); }
    bool interrupted() const { return process.interrupted; }

    // Made at the first call; owned by the session. Errors are those of find_connection().
    Result<Client*> client();
    // The namespace of -n, else of the kubeconfig. Empty (all namespaces) with -A.
    Result<std::string> ns();

    // Each prints the error to stderr and returns the exit code for it.
    int usage(const std::string& message);
    int fail(const Error& error);
    // For a watch or a wait that was interrupted: says that the server works on, and prints the
    // command that watches again.
    int interrupted_watching(const std::string& resume);
    void warn(const std::string& message);

  private:
    Result<void> connect_once();

    const std::string verb_;
    std::optional<Connection> connection_;
    std::unique_ptr<Client> client_;
};

int exit_code_of(const Error& error);

// The time at which --timeout ends. Without the flag, and with 0, it never passes.
class Deadline {
  public:
    static Result<Deadline> of(const Session& session);
    bool passed(Instant now) const { return end_ && now >= *end_; }

  private:
    std::optional<Instant> end_;
};

// "workspace.atelier.dev/acme-pm"
std::string name_of_object(const Resource& resource, std::string_view name);

// The kinds of a list such as "workspaces,orgs", in its order.
Result<std::vector<Resource>> resources_of(Client& client, const std::string& kinds);

// The objects that arguments name: "KIND[,KIND…] NAME…" or "KIND/NAME…". Code::invalid when they
// name none.
struct Target {
    Resource resource;
    std::string name;
};
Result<std::vector<Target>> targets_of(Session& session, const std::vector<std::string>& words);

// How long a waiting loop blocks before it checks the deadline and `interrupted` again.
inline constexpr Duration glance = std::chrono::milliseconds(100);

}  // namespace atelier::cli
