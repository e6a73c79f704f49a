// What every verb gets: its arguments, the terminal, and the server behind the kubeconfig.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.h"
#include "cli/client/client.h"
#include "cli/run.h"

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

    // Made when first asked for; lives as long as the session.
    Result<Client*> client();
    // Of -n, else of the kubeconfig. Empty with -A.
    Result<std::string> ns();

    // Each prints to stderr and returns the exit code.
    int usage(const std::string& message);
    int fail(const Error& error);
    // A watch or a wait was interrupted: says what goes on, and the command that resumes looking.
    int interrupted_watching(const std::string& resume);
    void warn(const std::string& message);

  private:
    Result<void> connect_once();

    const std::string verb_;
    std::optional<Connection> connection_;
    std::unique_ptr<Client> client_;
};

int exit_code_of(const Error& error);

// A --timeout from now on; no such flag, "0" and "0s": never.
class Deadline {
  public:
    static Result<Deadline> of(const Session& session);
    bool passed(Instant now) const { return end_ && now >= *end_; }

  private:
    std::optional<Instant> end_;
};

// "workspace.atelier.dev/acme-pm"
std::string name_of_object(const Resource& resource, std::string_view name);

// "workspaces,orgs": each kind, in that order.
Result<std::vector<Resource>> resources_of(Client& client, const std::string& kinds);

// Objects that words name: "KIND[,KIND…] NAME…", "KIND/NAME…". Code::invalid when they name none.
struct Target {
    Resource resource;
    std::string name;
};
Result<std::vector<Target>> targets_of(Session& session, const std::vector<std::string>& words);

// How long a waiting loop sleeps before it looks at clock and signals again.
inline constexpr Duration glance = std::chrono::milliseconds(100);

}  // namespace atelier::cli
