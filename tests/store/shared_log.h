// A database of its own kind for the tests: in memory, shared by several stores, and failing when
// it is told to.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/backend.h"

namespace atelier::store {

enum class Fault {
    none,
    refuse,       // exhausted, nothing written
    unreachable,  // unavailable, nothing written
    lose_answer,  // unavailable, but written
    reject        // invalid while the batch holds an object named "poison"
};

// What is stored, and the faults of the next commits. Thread-safe.
struct SharedLog {
    std::mutex mutex;
    Marks marks;
    std::map<Key, StoredObject> objects;
    std::vector<StoredEntry> log;
    std::map<std::string, std::string, std::less<>> meta;
    std::deque<Fault> faults;  // one for each commit to come; then none
    bool down = false;         // nothing can be reached
    int probes = 0;
};

std::unique_ptr<Backend> backend_over(std::shared_ptr<SharedLog> shared);

}  // namespace atelier::store
