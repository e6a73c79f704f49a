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

struct RuntimeWatch::Place {
    Place(std::string n, drivers::Runtime& r) : name(std::move(n)), runtime(r) {}
    const std::string name;
    drivers::Runtime& runtime;

    std::mutex mutex;
    std::condition_variable_any wake;
    std::optional<Error> error;  // guarded by mutex
    bool missed = true;          // guarded by mutex: something may have happened unseen
};

RuntimeWatch::RuntimeWatch(Runtimes& runtimes, Options options, Hints hints, const Clock& clock,
                           Log log)
    : options_(std::move(options)), hints_(std::move(hints)), clock_(clock), log_(std::move(log)) {
    for (auto& [name, runtime] : runtimes.by_name) {
        places_[name] = std::make_unique<Place>(name, *runtime);
    }
    for (auto& [name, place] : places_) {
        threads_.emplace_back(
            [this, &at = *place](const std::stop_token& stop) { look(stop, at); });
        threads_.emplace_back(
            [this, &at = *place](const std::stop_token& stop) { follow(stop, at); });
    }
}

RuntimeWatch::~RuntimeWatch() {
    for (auto& thread : threads_) thread.request_stop();
}

Result<void> RuntimeWatch::health(const std::string& runtime) const {
    const auto place = places_.find(runtime);
    if (place == places_.end()) return {};
    const std::lock_guard lock(place->second->mutex);
    if (place->second->error) return *place->second->error;
    return {};
}

void RuntimeWatch::look(const std::stop_token& stop, Place& place) {
    name_thread("look-" + place.name);
    Instant due = clock_.now();
    while (!stop.stop_requested()) {
        bool missed = false;
        {
            const std::lock_guard lock(place.mutex);
            missed = std::exchange(place.missed, false);
        }
        auto answer = place.runtime.ping();
        const Instant now = clock_.now();
        if (answer && (missed || now >= due)) {
            const auto units = place.runtime.list(options_.having);
            if (units) {
                for (const Key& key : workspaces_of(*units)) hints_.one(key);
                due = now + options_.resync;
            } else {
                answer = units.error();
            }
        }
        std::unique_lock lock(place.mutex);
        place.error = answer ? std::optional<Error>() : answer.error();
        if (!answer) due = now;
        place.wake.wait_for(lock, stop, options_.look_every, [&] { return place.missed; });
    }
}

void RuntimeWatch::follow(const std::stop_token& stop, Place& place) {
    name_thread("events-" + place.name);
    Duration wait = first_wait;
    while (!stop.stop_requested()) {
        const auto ended =
            place.runtime.events(stop, options_.having, [&](const drivers::Labels& labels) {
                wait = first_wait;
                if (const auto key = workspace_of(labels)) hints_.one(*key);
            });
        if (stop.stop_requested()) return;
        if (!ended) {
            log_.warning("events are missed: reading them again",
                         {{"runtime", place.name}, {"err", ended.error().message}});
        }
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        never.wait_for(lock, stop, wait, [] { return false; });
        wait = std::min<Duration>(wait * 2, longest_wait);
        if (stop.stop_requested()) return;
        hints_.all();
        {
            const std::lock_guard guard(place.mutex);
            place.missed = true;
        }
        place.wake.notify_all();
    }
}

}  // namespace atelier::cmd
