// The parts of a WatchHub, shared by its sources.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/watch/hub.h"

namespace atelier::apiserver {

// How long a slow reader is given to drain its queue before it is served again.
inline constexpr Duration slow_reader_pause = std::chrono::milliseconds(20);

// The objects that watches begin with, in the order of their revisions: a client whose stream is
// cut in the middle resumes from the last revision that it has got, and all that it has not got is
// newer.
struct WatchHub::InitialState {
    store::SnapshotPtr snapshot;
    std::vector<std::uint32_t> order;  // indexes into the snapshot's objects
};

struct WatchHub::Watcher {
    WatchStart start;
    std::shared_ptr<ResponseSink> sink;
    Revision cursor = 0;                          // while alone: all events up to here were sent
    std::shared_ptr<const InitialState> initial;  // nullptr: sent, or not asked for
    std::size_t initial_at = 0;                   // position in its order
    bool columns_sent = false;
    bool in_group = false;
    bool ended = false;
    bool last_bookmark_sent = false;
    Instant next_bookmark;
    std::atomic<bool> closed{false};

    // False: the client is gone, or reads too slowly even for one that is served alone.
    bool write(Frame frame) {
        if (ended || closed) return false;
        if (sink->write(std::move(frame))) return true;
        closed = true;
        return false;
    }
    bool write(std::vector<Frame> frames) {
        for (Frame& frame : frames) {
            if (!write(std::move(frame))) return false;
        }
        return !ended && !closed;
    }
};

struct WatchHub::Group {
    Selection selection;
    View view;
    std::vector<WatcherPtr> members;
};

struct WatchHub::Stream {
    const crds::Kind* kind = nullptr;
    Revision cursor = 0;  // all groups were sent all events up to here
    std::map<std::pair<SelectionKey, View>, Group> groups;
    std::list<WatcherPtr> alone;  // with cursors of their own
};

struct WatchHub::Waiter {
    Revision revision = 0;
    Instant deadline;
    std::function<void(bool)> then;
};

}  // namespace atelier::apiserver
