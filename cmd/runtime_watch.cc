#include "cmd/runtime_watch.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "crds/workspace.h"
#include "reconcilers/common/runtimes.h"

namespace atelier::cmd {
namespace {

constexpr Duration first_wait = std::chrono::milliseconds(250);
constexpr Duration longest_wait = std::chrono::seconds(15);

void name_thread(const std::string& name) {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

std::optional<Key> workspace_of(const drivers::Labels& labels) {
    const auto ns = labels.find(std::string(reconcilers::unit_label::ns));
    const auto name = labels.find(std::string(reconcilers::unit_label::name));
    if (ns == labels.end() || name == labels.end()) return std::nullopt;
    return Key{std::string(crds::WorkspaceSpec::resource), ns->second, name->second};
}

}  // namespace

std::vector<Key> workspaces_of(const std::vector<drivers::Unit>& units) {
    std::vector<Key> keys;
    for (const drivers::Unit& unit : units) {
        if (auto key = workspace_of(unit.labels)) keys.push_back(*std::move(key));
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

struct RuntimeWatch::Watched {
    Watched(std::string n, drivers::Runtime& r) : name(std::move(n)), runtime(r) {}
    const std::string name;
    drivers::Runtime& runtime;

    std::mutex mutex;
    std::condition_variable_any wake;
    std::optional<Error> error;  // guarded by mutex
    bool missed = true;          // guarded by mutex: an event may have been missed
};

RuntimeWatch::RuntimeWatch(OwnedRuntimes& runtimes, Options options, Hints hints,
                           const Clock& clock, Log log)
    : options_(std::move(options)), hints_(std::move(hints)), clock_(clock), log_(std::move(log)) {
    for (auto& [name, runtime] : runtimes.by_name) {
        watched_[name] = std::make_unique<Watched>(name, *runtime);
    }
    for (auto& [name, watched] : watched_) {
        threads_.emplace_back(
            [this, &one = *watched](const std::stop_token& stop) { check(stop, one); });
        threads_.emplace_back(
            [this, &one = *watched](const std::stop_token& stop) { follow(stop, one); });
    }
}

RuntimeWatch::~RuntimeWatch() {
    for (auto& thread : threads_) thread.request_stop();
}

Result<void> RuntimeWatch::health(const std::string& runtime) const {
    const auto watched = watched_.find(runtime);
    if (watched == watched_.end()) return {};
    const std::lock_guard lock(watched->second->mutex);
    if (watched->second->error) return *watched->second->error;
    return {};
}

void RuntimeWatch::check(const std::stop_token& stop, Watched& watched) {
    name_thread("ping-" + watched.name);
    Instant due = clock_.now();
    while (!stop.stop_requested()) {
        bool missed = false;
        {
            const std::lock_guard lock(watched.mutex);
            missed = std::exchange(watched.missed, false);
        }
        auto answer = watched.runtime.ping();
        const Instant now = clock_.now();
        if (answer && (missed || now >= due)) {
            const auto units = watched.runtime.list(options_.having);
            if (units) {
                for (const Key& key : workspaces_of(*units)) hints_.one(key);
                due = now + options_.resync;
            } else {
                answer = units.error();
            }
        }
        std::unique_lock lock(watched.mutex);
        watched.error = answer ? std::optional<Error>() : answer.error();
        if (!answer) due = now;
        watched.wake.wait_for(lock, stop, options_.ping_every, [&] { return watched.missed; });
    }
}

void RuntimeWatch::follow(const std::stop_token& stop, Watched& watched) {
    name_thread("events-" + watched.name);
    Duration wait = first_wait;
    while (!stop.stop_requested()) {
        const auto ended =
            watched.runtime.events(stop, options_.having, [&](const drivers::Labels& labels) {
                wait = first_wait;
                if (const auto key = workspace_of(labels)) hints_.one(*key);
            });
        if (stop.stop_requested()) return;
        if (!ended) {
            log_.warning(
                "the events of a runtime broke off: every workspace is reconciled, and they are "
                "read again",
                {{"runtime", watched.name}, {"err", ended.error().message}});
        }
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        never.wait_for(lock, stop, wait, [] { return false; });
        wait = std::min<Duration>(wait * 2, longest_wait);
        if (stop.stop_requested()) return;
        hints_.all();
        {
            const std::lock_guard guard(watched.mutex);
            watched.missed = true;
        }
        watched.wake.notify_all();
    }
}

}  // namespace atelier::cmd
