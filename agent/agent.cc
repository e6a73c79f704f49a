#include "agent/agent.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "agent/child.h"
#include "agent/files.h"
#include "agent/plugins.h"
#include "agent/server.h"
#include "agent/skills.h"
#include "agent/status.h"
#include "base/file.h"
#include "base/folder.h"

namespace atelier::agent {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// An install makes several renames: the agent looks when none has come for a while.
constexpr auto settle = std::chrono::milliseconds(20);
// Every file is read again this often even when nothing seems to have changed.
constexpr int looks_between_full_loads = 60;

void say(const std::string& message) {
    std::fprintf(stderr, "atelier-agent: %s\n", message.c_str());
}

// The folder may be a link, as the process runtime mounts; what the program puts into it may not
// lead the report elsewhere.
Result<void> write_status(const std::filesystem::path& run, const std::string& text) {
    const Descriptor folder = TRY(open_folder((run / ".").string()));
    return replace_file_at(folder, "status.json", text, 0644);
}

class Agent {
  public:
    Agent(const Options& options, const Clock& clock)
        : options_(options),
          clock_(clock),
          handed_on_(context_, SIGTERM, SIGINT, SIGHUP),
          ended_(context_, SIGCHLD),
          watch_(context_),
          look_timer_(context_),
          settle_timer_(context_),
          grace_timer_(context_) {
        for (const int signal : {SIGQUIT, SIGUSR1, SIGUSR2}) handed_on_.add(signal);
        status_.version = options.version;
        status_.started_at = clock.now();
    }

    int run() {
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        const auto removed = remove_stale_files(options_.configs);
        if (!removed) say("cannot remove old files: " + removed.error().message);
        start_watch();
        load();  // before the child starts: it finds its skills in place
        start_server();
        wait_for_signals();
        wait_for_children();
        wait_to_look();
        if (!options_.command.empty() && !start_program()) return exit_code_;
        report();
        context_.run();
        return exit_code_;
    }

  private:
    std::filesystem::path plugins() const { return options_.configs / "plugins"; }

    bool start_program() {
        const auto pid = start_child(options_.command);
        if (!pid) {
            say(pid.error().message);
            exit_code_ = pid.error().code == Code::not_found ? 127 : 126;
            status_.child = ChildState::exited;
            report();
            return false;
        }
        child_ = *pid;
        status_.child = ChildState::running;
        return true;
    }

    void load() {
        print_ = fingerprint(plugins());
        const Loaded loaded = load_plugins(plugins());
        const std::vector<Problem> skills = refresh_skills(options_.configs / "skills", loaded);
        std::vector<PluginReport> reports;
        for (const Plugin& plugin : loaded.plugins) reports.push_back({plugin.name, plugin.digest});
        std::vector<ProblemReport> problems;
        for (const auto* some : {&loaded.problems, &skills}) {
            for (const Problem& p : *some) problems.push_back({p.name, p.message});
        }
        // A plugin that changed while it was read is read again at the next look.
        if (!loaded.problems.empty()) looks_ = looks_between_full_loads;
        std::swap(status_.plugins, reports);
        std::swap(status_.problems, problems);
        if (text_of(status_) == reported_) return;
        for (const ProblemReport& problem : status_.problems) {
            say(problem.name + ": " + problem.message);
        }
        status_.loaded_at = clock_.now();
        report();
    }

    void report() {
        std::string text = text_of(status_);
        if (text == reported_) return;
        auto written = make_directories(options_.run);
        if (written) written = write_status(options_.run, text);
        if (!written) return say("cannot report: " + written.error().message);
        reported_ = std::move(text);
    }

    void start_server() {
        if (!options_.port) return;
        auto server = Server::listen(context_, options_.address, *options_.port,
                                     [this] { return text_of(status_); });
        if (!server) return say(server.error().message);
        server_ = std::move(*server);
        say(server_->port() != 0 ? "listening on port " + std::to_string(server_->port())
                                 : "listening at " + options_.address);
    }

    // --- changes on disk

    void start_watch() {
        const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (fd < 0) return say("no notice of changes: looking every now and then instead");
        watch_.assign(fd);
        add_watch();
        read_watch();
    }

    // The folder may be made after the agent starts, or be replaced: adding it again does no harm.
    void add_watch() {
        if (!watch_.is_open()) return;
        inotify_add_watch(watch_.native_handle(), plugins().c_str(),
                          IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF);
        inotify_add_watch(watch_.native_handle(), options_.configs.c_str(),
                          IN_CREATE | IN_MOVED_TO);
    }

    void read_watch() {
        watch_.async_read_some(asio::buffer(events_), [this](error_code error, std::size_t) {
            if (error) return;
            settle_timer_.expires_after(settle);
            settle_timer_.async_wait([this](error_code cancelled) {
                if (cancelled) return;
                add_watch();
                if (fingerprint(plugins()) != print_) load();
            });
            read_watch();
        });
    }

    void wait_to_look() {
        look_timer_.expires_after(options_.rescan);
        look_timer_.async_wait([this](error_code cancelled) {
            if (cancelled) return;
            add_watch();
            if (++looks_ >= looks_between_full_loads || fingerprint(plugins()) != print_) {
                looks_ = 0;
                load();
            } else {
                report();  // again, if the last attempt failed
            }
            wait_to_look();
        });
    }

    // --- signals and the child

    void wait_for_signals() {
        handed_on_.async_wait([this](error_code cancelled, int signal) {
            if (cancelled) return;
            if (child_ > 0) {
                kill(child_, signal);
                if (signal == SIGTERM || signal == SIGINT) wait_for_end();
            } else if (signal == SIGTERM || signal == SIGINT) {
                return finish(0);
            }
            wait_for_signals();
        });
    }

    void wait_for_end() {
        if (ending_) return;
        ending_ = true;
        grace_timer_.expires_after(options_.grace);
        grace_timer_.async_wait([this](error_code cancelled) {
            if (!cancelled && child_ > 0) kill(child_, SIGKILL);
        });
    }

    void wait_for_children() {
        ended_.async_wait([this](error_code cancelled, int) {
            if (cancelled) return;
            for (const Ended& ended : reap()) {
                if (ended.pid == child_) return child_ended(ended.exit_code);
            }
            wait_for_children();
        });
    }

    void child_ended(int exit_code) {
        child_ = 0;
        status_.child = ChildState::exited;
        report();
        finish(exit_code);
    }

    void finish(int exit_code) {
        exit_code_ = exit_code;
        context_.stop();
    }

    const Options& options_;
    const Clock& clock_;
    asio::io_context context_{1};
    asio::signal_set handed_on_;
    asio::signal_set ended_;
    asio::posix::stream_descriptor watch_;
    std::array<char, 4096> events_{};
    asio::steady_timer look_timer_;
    asio::steady_timer settle_timer_;
    asio::steady_timer grace_timer_;
    std::unique_ptr<Server> server_;
    Status status_;
    std::string reported_;
    std::string print_;
    int looks_ = 0;
    bool ending_ = false;
    pid_t child_ = 0;
    int exit_code_ = 0;
};

}  // namespace

int run(const Options& options, const Clock& clock) {
    return Agent(options, clock).run();
}

}  // namespace atelier::agent
