// A database of its own kind for the tests: in memory, shared by several stores, and failing when
// it is told to.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/random.h"
#include "store/backend.h"
#include "store/store.h"
#include "world.h"

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

// Stores over one of these.
class SharedLogTest : public testing::Test {
  protected:
    std::unique_ptr<Store> open(bool commit_inline = true);
    void fail_next(std::initializer_list<Fault> faults);

    std::shared_ptr<SharedLog> shared_ = std::make_shared<SharedLog>();
    ManualClock clock_;
    SystemRandom random_;
    Metrics metrics_;
};

}  // namespace atelier::store
