#include "cmd/runtimes.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "drivers/docker.h"
#include "drivers/process.h"

namespace atelier::cmd {
namespace {

constexpr std::string_view local_socket = "unix:///var/run/docker.sock";

void wait_a_while(const std::stop_token& stop, Duration how_long) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, how_long, [] { return false; });
}

void follow(const std::stop_token& stop, drivers::Runtime& runtime, const std::string& name,
            const drivers::Labels& having, const std::function<void(const Key&)>& hint,
            const std::function<void()>& hint_all, const Log& log) {
    pthread_setname_np(pthread_self(), ("events-" + name).substr(0, 15).c_str());
    Duration wait = std::chrono::milliseconds(250);
    while (!stop.stop_requested()) {
        const auto ended = runtime.events(stop, having, [&](const drivers::Labels& labels) {
            wait = std::chrono::milliseconds(250);
            const auto ns = labels.find("atelier.dev/namespace");
            const auto workspace = labels.find("atelier.dev/name");
            if (ns == labels.end() || workspace == labels.end()) return;
            hint({"workspaces.atelier.dev", ns->second, workspace->second});
        });
        if (stop.stop_requested()) return;
        if (!ended)
            log.warning("events are missed: reading them again",
                        {{"runtime", name}, {"err", ended.error().message}});
        wait_a_while(stop, wait);
        wait = std::min<Duration>(wait * 2, std::chrono::seconds(15));
        if (!stop.stop_requested()) hint_all();
    }
}

}  // namespace

Result<Runtimes> make_runtimes(const ServerOptions& options, const std::string& instance,
                               const Clock& clock, Random& random) {
    Runtimes runtimes;
    drivers::ProcessOptions process;
    process.root = options.home / "processes";
    runtimes.by_name["process"] = TRY(drivers::make_process_runtime(process, clock, random));
    bool docker = options.docker != "off";
    std::string why;
    if (docker) {
        drivers::DockerOptions to;
        to.host = options.docker == "auto" ? std::string(local_socket) : options.docker;
        to.probe_folder = (options.home / "workspaces").string();
        to.probe_labels = {{"atelier.dev/managed", "true"}, {"atelier.dev/instance", instance}};
        auto engine = TRY(drivers::connect_docker(to, clock, random));
        const auto answer = engine->list(to.probe_labels);
        if (answer || options.docker != "auto") {
            runtimes.by_name["docker"] = std::move(engine);
            why = "containers of the Docker Engine at " + to.host;
        } else {
            docker = false;
            why = "processes of this machine: no Docker answers at " + to.host;
        }
    } else {
        why = "processes of this machine: --docker is off";
    }
    runtimes.default_backend = options.backend;
    if (runtimes.default_backend.empty()) runtimes.default_backend = docker ? "docker" : "process";
    if (!runtimes.by_name.contains(runtimes.default_backend)) {
        return Error{Code::invalid, "--backend docker, but no Docker is used: see --docker"};
    }
    if (runtimes.default_backend == "process" && docker) {
        why = "processes of this machine: --backend says so";
    }
    runtimes.said = "workspaces run as " + why;
    return runtimes;
}

RuntimeHealth::~RuntimeHealth() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

void RuntimeHealth::watch(drivers::Runtime& runtime, const std::string& instance) {
    thread_ = std::jthread([this, &runtime, instance](const std::stop_token& stop) {
        pthread_setname_np(pthread_self(), "runtime-health");
        const drivers::Labels having{{"atelier.dev/instance", instance}};
        while (!stop.stop_requested()) {
            const auto answer = runtime.list(having);
            {
                const std::lock_guard lock(mutex_);
                error_ = answer ? std::optional<Error>() : answer.error();
            }
            wait_a_while(stop, std::chrono::seconds(5));
        }
    });
}

Result<void> RuntimeHealth::last() const {
    const std::lock_guard lock(mutex_);
    if (error_) return *error_;
    return {};
}

RuntimeEvents::RuntimeEvents(Runtimes& runtimes, const std::string& instance,
                             std::function<void(const Key&)> hint, std::function<void()> hint_all,
                             Log log) {
    const drivers::Labels having{{"atelier.dev/instance", instance}};
    for (auto& [name, runtime] : runtimes.by_name) {
        threads_.emplace_back([&runtime = *runtime, name = name, having, hint, hint_all,
                               log](const std::stop_token& stop) {
            follow(stop, runtime, name, having, hint, hint_all, log);
        });
    }
}

RuntimeEvents::~RuntimeEvents() {
    for (auto& thread : threads_) thread.request_stop();
}

}  // namespace atelier::cmd
