// The parts of a WatchHub, shared by its sources.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/watch/hub.h"

namespace atelier::apiserver {

// How long a reader that is behind is left alone before it is looked at again.
inline constexpr Duration slow_reader_pause = std::chrono::milliseconds(20);

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

}  // namespace atelier::apiserver
