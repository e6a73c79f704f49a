#include "controllers/controller.h"

#include <fmt/format.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace atelier::controllers {
namespace {

// What Linux keeps of a thread's name.
constexpr std::size_t longest_thread_name = 15;

void name_thread(const std::string& name) {
    pthread_setname_np(pthread_self(), name.substr(0, longest_thread_name).c_str());
}

std::string_view text(Verdict verdict) {
    switch (verdict) {
        case Verdict::success:
            return "success";
        case Verdict::requeue_after:
            return "requeue_after";
        case Verdict::requeue:
            return "requeue";
        case Verdict::error:
        case Verdict::terminal_error:
            return "error";
    }
    return "error";
}

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

struct Meters {
    Meters(Metrics& metrics, const std::string& name)
        : depth(metrics.gauge("workqueue_depth", "Keys that wait for a worker.", {{"name", name}})),
          adds(metrics.counter("workqueue_adds_total", "Keys added.", {{"name", name}})),
          retries(metrics.counter("workqueue_retries_total", "Keys added again after a failure.",
                                  {{"name", name}})),
          work(metrics.histogram("workqueue_work_duration_seconds", "Time a worker spent on a key.",
                                 {{"name", name}}, seconds_buckets())),
          longest(metrics.gauge("workqueue_longest_running_processor_seconds",
                                "How long the slowest worker has been on its key.",
                                {{"name", name}})),
          unfinished(metrics.gauge("workqueue_unfinished_work_seconds",
                                   "Sum of how long the workers have been on their keys.",
                                   {{"name", name}})),
          errors(metrics.counter("controller_runtime_reconcile_errors_total",
                                 "Reconciles that failed.", {{"controller", name}})),
          terminal(metrics.counter("controller_runtime_terminal_reconcile_errors_total",
                                   "Reconciles that failed and wait for a change.",
                                   {{"controller", name}})),
          time(metrics.histogram("controller_runtime_reconcile_time_seconds",
                                 "Time of a reconcile.", {{"controller", name}},
                                 seconds_buckets())),
          active(metrics.gauge("controller_runtime_active_workers", "Workers that are on a key.",
                               {{"controller", name}})),
          most(metrics.gauge("controller_runtime_max_concurrent_reconciles", "Workers.",
                             {{"controller", name}})) {
        for (const Verdict v :
             {Verdict::success, Verdict::requeue_after, Verdict::requeue, Verdict::error}) {
            total.emplace(
                text(v),
                &metrics.counter("controller_runtime_reconcile_total", "Reconciles by result.",
                                 {{"controller", name}, {"result", std::string(text(v))}}));
        }
    }

    Gauge& depth;
    Counter& adds;
    Counter& retries;
    Histogram& work;
    Gauge& longest;
    Gauge& unfinished;
    Counter& errors;
    Counter& terminal;
    Histogram& time;
    Gauge& active;
    Gauge& most;
    std::map<std::string_view, Counter*> total;
};

}  // namespace

struct Controller::State {
    State(reconcilers::Reconciler& r, store::Store& s, const Clock& c, Random& rnd, Metrics& m,
          Log l, ControllerOptions o)
        : reconciler(r),
          store(s),
          clock(c),
          random(rnd),
          log(l.with("controller", r.name())),
          options(o),
          meters(m, std::string(r.name())),
          core(r, s, rnd, o.core) {
        meters.most.set(o.workers);
    }

    void add(const std::vector<Key>& keys, Instant now) {
        if (keys.empty()) return;
        {
            const std::lock_guard lock(mutex);
            for (const Key& key : keys) core.add(key, now);
            meters.depth.set(static_cast<double>(core.queue().due_by(now)));
        }
        meters.adds.add(static_cast<double>(keys.size()));
        work_arrived.notify_all();
    }

    void feed_loop(const std::stop_token& stop) {
        name_thread(fmt::format("{}-feed", reconciler.name()));
        while (!stop.stop_requested()) {
            const Revision seen = newest.load();
            add(guarded_feed(), clock.now());
            std::unique_lock lock(feed_mutex);
            feed_wake.wait(lock, stop, [&] { return newest.load() > seen; });
        }
    }

    std::vector<Key> guarded_feed() {
        try {
            return core.feed();
        } catch (const std::exception& e) {
            log.error("feeding failed", Error{Code::internal, "an exception", e.what()});
            return {};
        }
    }

    // The next key that is due, or nothing when stopped.
    std::optional<Key> wait_for_key(const std::stop_token& stop) {
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
            const Instant now = clock.now();
            if (auto key = core.take(now)) {
                meters.depth.set(static_cast<double>(core.queue().due_by(now)));
                return key;
            }
            const auto due = core.next_due();
            // By the clock as it is when a key arrives: it may have been set meanwhile.
            const auto ready = [&] {
                const auto next = core.next_due();
                return next && (!due || *next < *due || *next <= clock.now());
            };
            if (due) {
                // The wait is one of the steady clock, which knows nothing of a step of the other
                // one, nor of the time that a machine slept.
                const Duration left = std::min<Duration>(*due - now, options.recheck);
                work_arrived.wait_for(lock, stop, left, ready);
            } else {
                work_arrived.wait(lock, stop, ready);
            }
        }
        return std::nullopt;
    }

    Result<reconcilers::Outcome> guarded_reconcile(const Key& key, Instant now) {
        try {
            return reconciler.reconcile(key, now);
        } catch (const std::exception& e) {
            return Error{Code::internal, "the reconciler failed unexpectedly", e.what()};
        }
    }

    void work_loop(const std::stop_token& stop, int index) {
        name_thread(fmt::format("{}-{}", reconciler.name(), index));
        while (const auto key = wait_for_key(stop)) {
            const auto began = std::chrono::steady_clock::now();
            const Instant now = clock.now();
            set_running(index, now);
            const auto outcome = guarded_reconcile(*key, now);
            set_running(index, std::nullopt);
            const double took =
                std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
            settle(*key, outcome, took);
        }
    }

    void settle(const Key& key, const Result<reconcilers::Outcome>& outcome, double took) {
        Verdict verdict{};
        int failures = 0;
        {
            const std::lock_guard lock(mutex);
            verdict = core.finish(key, outcome, clock.now());
            failures = core.failures(key);
        }
        work_arrived.notify_one();
        meters.time.observe(took);
        meters.work.observe(took);
        meters.total.at(text(verdict))->add();
        if (outcome) return;
        const Log about = log.with("object", key.text()).with("failures", std::to_string(failures));
        if (verdict == Verdict::requeue) {
            about.debug("read again: somebody else wrote first");
            return;
        }
        meters.errors.add();
        if (verdict == Verdict::terminal_error) {
            meters.terminal.add();
        } else {
            meters.retries.add();
        }
        about.error("reconcile failed", outcome.error());
    }

    void set_running(int index, std::optional<Instant> since) {
        meters.active.add(since ? 1 : -1);
        const std::lock_guard lock(mutex);
        if (since) {
            running[index] = *since;
        } else {
            running.erase(index);
        }
    }

    void sample() {
        const std::lock_guard lock(mutex);
        const Instant now = clock.now();
        double longest = 0;
        double sum = 0;
        for (const auto& [index, since] : running) {
            longest = std::max(longest, seconds(now - since));
            sum += seconds(now - since);
        }
        meters.longest.set(longest);
        meters.unfinished.set(sum);
        meters.depth.set(static_cast<double>(core.queue().due_by(now)));
    }

    // Constant after construction.
    reconcilers::Reconciler& reconciler;
    store::Store& store;
    const Clock& clock;
    Random& random;
    const Log log;
    const ControllerOptions options;
    Meters meters;

    std::mutex mutex;  // guards core's queue and running
    Core core;
    std::map<int, Instant> running;
    std::condition_variable_any work_arrived;

    std::mutex feed_mutex;
    std::condition_variable_any feed_wake;
    std::atomic<Revision> newest{0};

    std::unique_ptr<store::Subscription> subscription;
    std::vector<std::jthread> threads;
};

Controller::Controller(reconcilers::Reconciler& reconciler, store::Store& store, const Clock& clock,
                       Random& random, Metrics& metrics, Log log, ControllerOptions options)
    : state_(std::make_shared<State>(reconciler, store, clock, random, metrics, std::move(log),
                                     options)) {
    metrics.before_scrape([weak = std::weak_ptr<State>(state_)] {
        if (const auto state = weak.lock()) state->sample();
    });
}

Controller::~Controller() {
    stop();
}

void Controller::start() {
    State& s = *state_;
    s.subscription = s.store.on_commit([&s](Revision revision) {
        {
            const std::lock_guard lock(s.feed_mutex);
            s.newest.store(revision);
        }
        s.feed_wake.notify_one();
    });
    s.threads.emplace_back([&s](const std::stop_token& stop) { s.feed_loop(stop); });
    for (int i = 0; i < s.options.workers; ++i) {
        s.threads.emplace_back([&s, i](const std::stop_token& stop) { s.work_loop(stop, i); });
    }
}

void Controller::stop() {
    for (auto& thread : state_->threads) thread.request_stop();
    state_->threads.clear();
    state_->subscription.reset();
}

void Controller::hint(const Key& key) {
    state_->add({key}, state_->clock.now());
}

void Controller::hint_all() {
    std::vector<Key> keys;
    for (const auto list = state_->store.list(state_->reconciler.resource());
         const auto& object : list->objects) {
        keys.push_back(object->key);
    }
    state_->add(keys, state_->clock.now());
}

}  // namespace atelier::controllers
