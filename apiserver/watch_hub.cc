#include "apiserver/watch_hub.h"

#include <fmt/format.h>

#include <algorithm>

namespace atelier::apiserver {
namespace {

// A stream with more than this unsent is left to read first.
constexpr std::size_t high_water = 256u << 10;
// Lines are put together up to this when one watcher is served alone.
constexpr std::size_t chunk = 128u << 10;
constexpr std::size_t batch = 512;
constexpr Duration slow_reader_pause = std::chrono::milliseconds(20);
constexpr Duration longest_idle = std::chrono::seconds(1);
constexpr Duration last_bookmark_before_end = std::chrono::seconds(2);

}  // namespace

struct WatchHub::Watcher {
    WatchStart start;
    std::shared_ptr<ResponseSink> sink;
    Revision cursor = 0;         // while alone: all up to here was told
    std::size_t initial_at = 0;  // position in initial_order
    std::vector<store::ObjectPtr> initial_order;
    bool columns_sent = false;
    bool in_group = false;
    bool ended = false;
    bool last_bookmark_sent = false;
    Instant next_bookmark;
    std::atomic<bool> closed{false};

    bool write(Frame frame) {
        if (ended || closed) return false;
        if (sink->write(std::move(frame))) return true;
        closed = true;
        return false;
    }
};

struct WatchHub::Group {
    Selection selection;
    View view;
    std::vector<WatcherPtr> members;
};

struct WatchHub::Stream {
    const crds::Kind* kind = nullptr;
    Revision cursor = 0;  // all groups were told all up to here
    std::map<std::string, Group> groups;
    std::list<WatcherPtr> alone;  // with cursors of their own
};

struct WatchHub::Waiter {
    Revision revision = 0;
    Instant deadline;
    std::function<void(bool)> then;
};

// What one event is to a selection; nullopt: nothing.
namespace {

struct Change {
    EventType type;
    store::ObjectPtr object;
};

std::optional<Change> change_for(const store::Event& event, const Selection& selection) {
    if (event.change == store::Change::deleted) {
        const store::Object& last = event.previous ? *event.previous : *event.object;
        if (!selection.matches(last)) return std::nullopt;
        return Change{EventType::deleted, event.object};
    }
    const bool now = selection.matches(*event.object);
    const bool before = event.previous && selection.matches(*event.previous);
    if (now) return Change{before ? EventType::modified : EventType::added, event.object};
    if (before) return Change{EventType::deleted, at_revision(*event.previous, event.revision)};
    return std::nullopt;
}

std::string group_name(const WatchStart& start) {
    return fmt::format("{}\n{}{}{}", start.selection.text, static_cast<int>(start.view.as.form),
                       start.view.as.version, static_cast<int>(start.view.rows));
}

}  // namespace

// The encoded lines of one event, each made at most once.
class WatchHub::Lines {
  public:
    Lines(Presenter& presenter, const crds::Kind& kind) : presenter_(presenter), kind_(kind) {}

    Frame get(const Change& change, const View& view, bool with_columns) {
        for (const Line& line : lines_) {
            if (line.type == change.type && line.with_columns == with_columns &&
                line.view == view) {
                return line.frame;
            }
        }
        auto text = std::make_shared<std::string>();
        text->reserve(change.object->body.size() + 64);
        presenter_.append_event(*text, change.type, kind_, *change.object, view, with_columns);
        lines_.push_back({change.type, with_columns, view, text});
        return lines_.back().frame;
    }

  private:
    struct Line {
        EventType type;
        bool with_columns;
        View view;
        Frame frame;
    };
    Presenter& presenter_;
    const crds::Kind& kind_;
    std::vector<Line> lines_;
};

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
    if (start.initial) {
        for (const store::ObjectPtr& object : start.initial->objects) {
            if (start.selection.matches(*object)) watcher->initial_order.push_back(object);
        }
        std::sort(watcher->initial_order.begin(), watcher->initial_order.end(),
                  [](const auto& a, const auto& b) { return a->revision < b->revision; });
        start.initial.reset();
    }
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
    if (individual_ > 0) return slow_reader_pause;
    Duration idle = longest_idle;
    const Instant now = clock_.now();
    if (next_tick_ != Instant::max()) idle = std::min(idle, next_tick_ - now);
    for (const Waiter& waiter : waiters_) idle = std::min(idle, waiter.deadline - now);
    return std::max(idle, Duration(1000));
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
        if (watcher->start.bookmarks) next_tick_ = std::min(next_tick_, watcher->next_bookmark);
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

void WatchHub::advance(Stream& stream) {
    const Revision newest = objects_.revision();
    while (stream.cursor < newest) {
        if (stream.groups.empty()) {
            stream.cursor = newest;
            return;
        }
        const auto events = objects_.events(*stream.kind, stream.cursor, batch);
        if (!events) {
            // More was written than is kept since the last round: every watcher finds that out by
            // itself, from its own cursor.
            for (auto& [name, group] : stream.groups) {
                for (const WatcherPtr& watcher : group.members) {
                    watcher->in_group = false;
                    watcher->cursor = stream.cursor;
                    stream.alone.push_back(watcher);
                }
            }
            stream.groups.clear();
            stream.cursor = newest;
            return;
        }
        for (const store::EventPtr& event : *events) {
            deliver(stream, *event);
            stream.cursor = event->revision;
        }
        if (events->size() < batch) stream.cursor = std::max(stream.cursor, newest);
    }
}

void WatchHub::deliver(Stream& stream, const store::Event& event) {
    Lines lines(presenter_, *stream.kind);
    for (auto& [name, group] : stream.groups) {
        const std::optional<Change> change = change_for(event, group.selection);
        if (!change) continue;
        const bool table = group.view.as.form == Form::table;
        // Two selections may see different objects in one event; lines are shared within a group,
        // and between groups when the object is the event's own.
        Lines own(presenter_, *stream.kind);
        Lines& shared = change->object == event.object ? lines : own;
        for (std::size_t i = 0; i < group.members.size();) {
            const WatcherPtr& watcher = group.members[i];
            if (watcher->sink->queued() > high_water) {
                watcher->in_group = false;
                watcher->cursor = event.revision - 1;
                stream.alone.push_back(watcher);
                group.members[i] = group.members.back();
                group.members.pop_back();
                continue;
            }
            const bool columns = table && !watcher->columns_sent;
            const bool was_open = !watcher->closed;
            if (!watcher->write(shared.get(*change, group.view, columns)) && was_open) {
                closed_->fetch_add(1);
            }
            watcher->columns_sent = true;
            ++i;
        }
    }
}

void WatchHub::join(Stream& stream, const WatcherPtr& watcher) {
    Group& group = stream.groups[group_name(watcher->start)];
    if (group.members.empty()) {
        group.selection = watcher->start.selection;
        group.view = watcher->start.view;
    }
    watcher->in_group = true;
    group.members.push_back(watcher);
}

void WatchHub::catch_up(Stream& stream, const WatcherPtr& watcher) {
    if (watcher->closed || watcher->ended) {
        stream.alone.push_back(watcher);
        return;
    }
    const bool done = send_initial(*watcher) && send_events(stream, *watcher);
    if (watcher->closed || watcher->ended) {
        closed_->fetch_add(1);
    } else if (done) {
        join(stream, watcher);
        return;
    }
    stream.alone.push_back(watcher);
}

// True when all of it was handed over.
bool WatchHub::send_initial(Watcher& watcher) {
    while (watcher.initial_at < watcher.initial_order.size()) {
        if (watcher.sink->queued() > high_water) return false;
        auto text = std::make_shared<std::string>();
        while (watcher.initial_at < watcher.initial_order.size() && text->size() < chunk) {
            presenter_.append_event(*text, EventType::added, *watcher.start.kind,
                                    *watcher.initial_order[watcher.initial_at++],
                                    watcher.start.view, !watcher.columns_sent);
            watcher.columns_sent = true;
        }
        if (!watcher.write(std::move(text))) return false;
    }
    watcher.initial_order.clear();
    watcher.initial_at = 0;
    if (watcher.start.initial_end) {
        watcher.start.initial_end = false;
        return watcher.write(
            presenter_.bookmark(*watcher.start.kind, watcher.cursor, watcher.start.view, true));
    }
    return true;
}

// True when the watcher has been told as much as the groups.
bool WatchHub::send_events(Stream& stream, Watcher& watcher) {
    while (watcher.cursor < stream.cursor) {
        if (watcher.sink->queued() > high_water) return false;
        const auto events = objects_.events(*stream.kind, watcher.cursor, batch);
        if (!events) {
            watcher.write(Presenter::error(expired(
                fmt::format("too old resource version: {} ({})", watcher.cursor, stream.cursor))));
            end(watcher);
            return false;
        }
        auto text = std::make_shared<std::string>();
        const std::size_t size = events->size();
        bool reached = size < batch;
        for (const store::EventPtr& event : *events) {
            if (event->revision > stream.cursor || text->size() > chunk) {
                reached = event->revision > stream.cursor;
                break;
            }
            watcher.cursor = event->revision;
            const std::optional<Change> change = change_for(*event, watcher.start.selection);
            if (!change) continue;
            presenter_.append_event(*text, change->type, *stream.kind, *change->object,
                                    watcher.start.view, !watcher.columns_sent);
            watcher.columns_sent = true;
        }
        if (!text->empty() && !watcher.write(std::move(text))) return false;
        if (reached) watcher.cursor = stream.cursor;
    }
    return watcher.cursor == stream.cursor;
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
    // One that has not been told all yet gets its bookmark later: a bookmark must not promise more.
    if (due && (watcher.in_group || watcher.initial_order.empty())) {
        const Revision told = watcher.in_group ? stream.cursor : watcher.cursor;
        if (!watcher.write(presenter_.bookmark(*stream.kind, told, watcher.start.view, false))) {
            closed_->fetch_add(1);
            return;
        }
        watcher.next_bookmark = now + options_.bookmark_every;
        if (now >= last) watcher.last_bookmark_sent = true;
    }
    next_tick_ = std::min(next_tick_, std::max(watcher.next_bookmark, now + slow_reader_pause));
    if (!watcher.last_bookmark_sent) next_tick_ = std::min(next_tick_, std::max(last, now));
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
