// How watchers are told: in groups that share every line, or alone until they have caught up.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "apiserver/watch/hub_parts.h"

namespace atelier::apiserver {
namespace {

// A stream with more than this unsent is left to read first.
constexpr std::size_t high_water = 256u << 10;
// Lines are put together up to this when one watcher is served alone.
constexpr std::size_t chunk = 128u << 10;
constexpr std::size_t batch = 512;

// What one event is to a selection.
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

}  // namespace atelier::apiserver
