#include "apiserver/watch/hub.h"

#include <algorithm>

#include "apiserver/watch/hub_parts.h"

namespace atelier::apiserver {
namespace {

constexpr Duration longest_idle = std::chrono::seconds(1);
constexpr Duration last_bookmark_before_end = std::chrono::seconds(2);

}  // namespace

WatchHub::WatchHub(Objects& objects, Presenter& presenter, const Clock& clock, Metrics& metrics,
                   Options options)
    : objects_(objects),
      presenter_(presenter),
      clock_(clock),
      options_(options),
      watchers_gauge_(metrics.gauge("apiserver_watchers", "Watches that are open.")) {
    if (options_.own_thread) thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

WatchHub::~WatchHub() {
    stop();
}

void WatchHub::add(WatchStart start, std::shared_ptr<ResponseSink> sink) {
    auto watcher = std::make_shared<Watcher>();
    watcher->cursor = start.after;
    watcher->sink = std::move(sink);
    watcher->next_bookmark = clock_.now() + options_.bookmark_every;
    if (start.initial) watcher->initial = initial_state(*start.kind, std::move(start.initial));
    const crds::Kind* kind = start.kind;
    watcher->start = std::move(start);
    watcher->sink->on_closed([count = closed_, weak = std::weak_ptr(watcher)] {
        const WatcherPtr gone = weak.lock();
        if (gone && !gone->closed.exchange(true)) count->fetch_add(1);
    });
    bool refused = false;
    {
        const std::lock_guard lock(inbox_mutex_);
        refused = closing_;
        if (!refused) inbox_.emplace_back(watcher, kind);
        awake_ = true;
    }
    if (refused) {
        watcher->sink->finish();
        return;
    }
    news_.notify_one();
}

std::shared_ptr<const WatchHub::InitialState> WatchHub::initial_state(const crds::Kind& kind,
                                                                      store::SnapshotPtr snapshot) {
    const std::lock_guard lock(initial_mutex_);
    std::weak_ptr<const InitialState>& kept = initial_states_[&kind];
    if (auto state = kept.lock(); state && state->snapshot == snapshot) return state;
    std::vector<std::pair<Revision, std::uint32_t>> by_revision;
    by_revision.reserve(snapshot->objects.size());
    for (const store::ObjectPtr& object : snapshot->objects) {
        by_revision.emplace_back(object->revision, static_cast<std::uint32_t>(by_revision.size()));
    }
    std::sort(by_revision.begin(), by_revision.end());
    auto state = std::make_shared<InitialState>();
    state->snapshot = std::move(snapshot);
    state->order.reserve(by_revision.size());
    for (const auto& [revision, index] : by_revision) state->order.push_back(index);
    kept = state;
    return state;
}

void WatchHub::when(Revision revision, Instant deadline, std::function<void(bool)> then) {
    {
        const std::lock_guard lock(inbox_mutex_);
        waiters_inbox_.push_back({revision, deadline, std::move(then)});
        awake_ = true;
    }
    news_.notify_one();
}

void WatchHub::wake() {
    {
        const std::lock_guard lock(inbox_mutex_);
        if (awake_) return;
        awake_ = true;
    }
    news_.notify_one();
}

void WatchHub::run(std::stop_token stop) {
    while (!stop.stop_requested()) {
        {
            std::unique_lock lock(inbox_mutex_);
            const auto most = std::chrono::microseconds(idle_micros_.load());
            news_.wait_for(lock, most, [&] { return awake_ || closing_; });
            if (closing_) return;
            awake_ = false;
        }
        pump();
    }
}

void WatchHub::pump() {
    const std::lock_guard lock(pump_mutex_);
    if (stopped_) return;
    admit();
    for (auto& [kind, stream] : streams_) advance(*stream);
    individual_ = 0;
    more_to_send_ = false;
    for (auto& [kind, stream] : streams_) {
        auto alone = std::move(stream->alone);
        stream->alone.clear();
        for (const WatcherPtr& watcher : alone) catch_up(*stream, watcher);
        individual_ += stream->alone.size();
    }
    const Instant now = clock_.now();
    if (now >= next_tick_) tick(now);
    settle_waiters(now);
    if (closed_->load() > 0) drop_dead();
    watchers_gauge_.set(static_cast<double>(count_));
    idle_micros_ = idle_time().count();
}

Duration WatchHub::idle_time() const {
    if (more_to_send_) return Duration(0);
    if (individual_ > 0) return slow_reader_pause;
    Duration idle = longest_idle;
    const Instant now = clock_.now();
    if (next_tick_ != Instant::max()) idle = std::min(idle, next_tick_ - now);
    for (const Waiter& waiter : waiters_) idle = std::min(idle, waiter.deadline - now);
    return std::max(idle, Duration(std::chrono::milliseconds(1)));
}

void WatchHub::admit() {
    std::vector<std::pair<WatcherPtr, const crds::Kind*>> fresh;
    {
        const std::lock_guard lock(inbox_mutex_);
        fresh.swap(inbox_);
        for (Waiter& waiter : waiters_inbox_) waiters_.push_back(std::move(waiter));
        waiters_inbox_.clear();
    }
    for (auto& [watcher, kind] : fresh) {
        stream_of(*kind).alone.push_back(watcher);
        ++count_;
        next_tick_ = std::min(next_tick_, watcher->start.deadline);
        if (!watcher->start.bookmarks) continue;
        const Instant last = watcher->start.deadline - last_bookmark_before_end;
        next_tick_ = std::min({next_tick_, watcher->next_bookmark, last});
    }
}

WatchHub::Stream& WatchHub::stream_of(const crds::Kind& kind) {
    std::unique_ptr<Stream>& stream = streams_[&kind];
    if (!stream) {
        stream = std::make_unique<Stream>();
        stream->kind = &kind;
        stream->cursor = objects_.revision();
    }
    return *stream;
}

void WatchHub::tick(Instant now) {
    next_tick_ = Instant::max();
    for (auto& [kind, stream] : streams_) {
        for (auto& [name, group] : stream->groups) {
            for (const WatcherPtr& watcher : group.members) tick(*stream, *watcher, now);
        }
        for (const WatcherPtr& watcher : stream->alone) tick(*stream, *watcher, now);
    }
}

void WatchHub::tick(Stream& stream, Watcher& watcher, Instant now) {
    if (watcher.ended || watcher.closed) return;
    const Instant deadline = watcher.start.deadline;
    if (now >= deadline) {
        end(watcher);
        closed_->fetch_add(1);
        return;
    }
    next_tick_ = std::min(next_tick_, deadline);
    if (!watcher.start.bookmarks) return;
    const Instant last = deadline - last_bookmark_before_end;
    const bool due = now >= watcher.next_bookmark || (now >= last && !watcher.last_bookmark_sent);
    // A bookmark must not promise more than was sent: while objects of the beginning are missing,
    // there is no revision that it could name.
    if (due && !watcher.initial) {
        const Revision sent = watcher.in_group ? stream.cursor : watcher.cursor;
        if (!watcher.write(presenter_.bookmark(*stream.kind, sent, watcher.start.view, false))) {
            closed_->fetch_add(1);
            return;
        }
        watcher.next_bookmark = now + options_.bookmark_every;
        if (now >= last) watcher.last_bookmark_sent = true;
    }
    const Instant soonest = now + slow_reader_pause;  // of one that is due and cannot be sent yet
    next_tick_ = std::min(next_tick_, std::max(watcher.next_bookmark, soonest));
    if (!watcher.last_bookmark_sent) next_tick_ = std::min(next_tick_, std::max(last, soonest));
}

void WatchHub::settle_waiters(Instant now) {
    const Revision newest = objects_.revision();
    std::vector<Waiter> left;
    for (Waiter& waiter : waiters_) {
        if (newest >= waiter.revision) {
            waiter.then(true);
        } else if (now >= waiter.deadline) {
            waiter.then(false);
        } else {
            left.push_back(std::move(waiter));
        }
    }
    waiters_ = std::move(left);
}

void WatchHub::end(Watcher& watcher) {
    if (watcher.ended) return;
    watcher.ended = true;
    if (!watcher.closed) watcher.sink->finish();
}

void WatchHub::drop_dead() {
    *closed_ = 0;
    const auto dead = [](const WatcherPtr& watcher) { return watcher->ended || watcher->closed; };
    for (auto& [kind, stream] : streams_) {
        for (auto group = stream->groups.begin(); group != stream->groups.end();) {
            count_ -= std::erase_if(group->second.members, dead);
            group = group->second.members.empty() ? stream->groups.erase(group) : std::next(group);
        }
        count_ -= std::erase_if(stream->alone, dead);
    }
}

void WatchHub::stop() {
    {
        const std::lock_guard lock(inbox_mutex_);
        closing_ = true;
    }
    news_.notify_one();
    if (thread_.joinable()) {
        thread_.request_stop();
        thread_.join();
    }
    const std::lock_guard lock(pump_mutex_);
    if (stopped_) return;
    stopped_ = true;
    admit();
    for (auto& [kind, stream] : streams_) {
        for (auto& [name, group] : stream->groups) {
            for (const WatcherPtr& watcher : group.members) end(*watcher);
        }
        for (const WatcherPtr& watcher : stream->alone) end(*watcher);
    }
    streams_.clear();
    for (Waiter& waiter : waiters_) waiter.then(false);
    waiters_.clear();
    watchers_gauge_.set(0);
}

}  // namespace atelier::apiserver
