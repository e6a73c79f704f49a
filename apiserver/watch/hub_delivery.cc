// How events are delivered: to groups of watchers that share every line, or to one watcher alone
// until it has caught up.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "apiserver/watch/hub_parts.h"

namespace atelier::apiserver {
namespace {

// What may be queued for all slow readers together, and for one of them. Each gets an equal share,
// so that memory stays bounded however many there are.
constexpr std::size_t all_shares = 64u << 20;
constexpr std::size_t smallest_share = 16u << 10;
constexpr std::size_t largest_share = 256u << 10;
// Objects from this size on are not copied for a watcher that is served alone.
constexpr std::size_t shared_object_bytes = 8u << 10;
// How many shares one watcher gets before the next one's turn.
constexpr int shares_per_turn = 8;
constexpr std::size_t batch = 512;

// What a watcher of a selection is sent for one event.
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

// Lines for one watcher, put together up to a size. A large object is not copied but shared, as a
// frame of its own between the two ends of its line.
class LinesOfOne {
  public:
    LinesOfOne(Presenter& presenter, const crds::Kind& kind, const View& view, std::size_t most)
        : presenter_(presenter), kind_(kind), view_(view), most_(most) {}

    void add(EventType type, const store::ObjectPtr& object, bool with_columns) {
        bytes_ += object->body.size();
        if (view_.as.form != Form::object || object->body.size() < shared_object_bytes) {
            presenter_.append_event(text_, type, kind_, *object, view_, with_columns);
            return;
        }
        text_ += Presenter::event_head(type);
        end_text();
        frames_.emplace_back(object, &object->body);
        text_ += Presenter::event_tail();
    }
    bool full() const { return bytes_ >= most_; }
    std::vector<Frame> take() {
        end_text();
        return std::move(frames_);
    }

  private:
    void end_text() {
        if (text_.empty()) return;
        frames_.push_back(std::make_shared<const std::string>(std::exchange(text_, {})));
    }

    Presenter& presenter_;
    const crds::Kind& kind_;
    const View& view_;
    const std::size_t most_;
    std::size_t bytes_ = 0;
    std::string text_;
    std::vector<Frame> frames_;
};

// The encoded lines of one event, each made at most once.
class Lines {
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

}  // namespace

std::size_t WatchHub::share() const {
    return std::clamp(all_shares / std::max<std::size_t>(count_, 1), smallest_share, largest_share);
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
            // More was written since the last round than the store keeps: each watcher is served
            // alone from here on, and is answered with 410 from its own cursor.
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
            if (watcher->sink->queued() > share()) {
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
    const WatchStart& start = watcher->start;
    Group& group = stream.groups[{start.selection.key(), start.view}];
    if (group.members.empty()) {
        group.selection = start.selection;
        group.view = start.view;
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

// Hands over at most one share.
void WatchHub::send_some_initial(Watcher& watcher) {
    const InitialState& state = *watcher.initial;
    LinesOfOne lines(presenter_, *watcher.start.kind, watcher.start.view, share());
    while (watcher.initial_at < state.order.size() && !lines.full()) {
        const store::ObjectPtr& object = state.snapshot->objects[state.order[watcher.initial_at++]];
        if (!watcher.start.selection.matches(*object)) continue;
        lines.add(EventType::added, object, !watcher.columns_sent);
        watcher.columns_sent = true;
    }
    const bool all = watcher.initial_at == state.order.size();
    if (watcher.write(lines.take()) && all) watcher.initial.reset();
}

// True when all of it was handed over.
bool WatchHub::send_initial(Watcher& watcher) {
    for (int turn = 0; watcher.initial; ++turn) {
        if (watcher.sink->queued() > share()) return false;
        if (turn == shares_per_turn) {
            more_to_send_ = true;
            return false;
        }
        send_some_initial(watcher);
        if (watcher.closed) return false;
    }
    if (watcher.start.initial_end) {
        watcher.start.initial_end = false;
        return watcher.write(
            presenter_.bookmark(*watcher.start.kind, watcher.cursor, watcher.start.view, true));
    }
    return true;
}

// True when the watcher was sent as much as the groups.
bool WatchHub::send_events(Stream& stream, Watcher& watcher) {
    for (int turn = 0; watcher.cursor < stream.cursor; ++turn) {
        if (watcher.sink->queued() > share()) return false;
        if (turn == shares_per_turn) {
            more_to_send_ = true;
            return false;
        }
        const auto events = objects_.events(*stream.kind, watcher.cursor, batch);
        if (!events) {
            watcher.write(Presenter::error(expired(
                fmt::format("too old resource version: {} ({})", watcher.cursor, stream.cursor))));
            end(watcher);
            return false;
        }
        LinesOfOne lines(presenter_, *stream.kind, watcher.start.view, share());
        bool reached = events->size() < batch;
        for (const store::EventPtr& event : *events) {
            if (event->revision > stream.cursor || lines.full()) {
                reached = event->revision > stream.cursor;
                break;
            }
            watcher.cursor = event->revision;
            const std::optional<Change> change = change_for(*event, watcher.start.selection);
            if (!change) continue;
            lines.add(change->type, change->object, !watcher.columns_sent);
            watcher.columns_sent = true;
        }
        if (!watcher.write(lines.take())) return false;
        if (reached) watcher.cursor = stream.cursor;
    }
    return watcher.cursor == stream.cursor;
}

}  // namespace atelier::apiserver
