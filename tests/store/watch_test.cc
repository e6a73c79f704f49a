// Watching under random traffic: the faults that other stores had in their watches for years (lost,
// doubled, reordered and time-travelling events; events dropped around the trimming of history; a
// list and a watch that do not join), looked for here by replaying what watchers saw.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "world.h"

namespace atelier::store {
namespace {

const std::string resource = "workspaces.atelier.dev";
using State = std::map<Key, Revision>;

State state_of(const Snapshot& snapshot) {
    State state;
    for (const ObjectPtr& object : snapshot.objects) state[object->key] = object->revision;
    return state;
}

// Applies an event to a state, complaining when it does not fit.
void follow(State& state, const Event& event) {
    const Key& key = event.object->key;
    const auto it = state.find(key);
    ASSERT_EQ(it == state.end(), event.change == Change::added) << key.text();
    if (event.previous) {
        ASSERT_EQ(it->second, event.previous->revision) << key.text();
    }
    ASSERT_EQ(event.object->revision, event.revision);
    if (event.change == Change::deleted) {
        state.erase(it);
    } else {
        state[key] = event.revision;
    }
}

class Watching : public testing::TestWithParam<Where> {
  protected:
    void start(std::size_t events_kept) {
        const std::shared_ptr<Place> place = GetParam().make();
        if (!place) return skip_without_postgres();
        world_ = std::make_unique<World>(place);
        world_->options().events_kept = events_kept;
        must(world_->open());
    }
    Store& store() { return world_->store(); }

    // Creates, updates and removes at random, some of it refused.
    void make_traffic(std::uint64_t seed, int writes) {
        SeededRandom random(seed);
        for (int i = 0; i < writes; ++i) {
            const Key key = workspace(fmt::format("w{}", random.next() % 30));
            const ObjectPtr seen = store().get(key);
            Write write = create(key);
            if (seen && random.next() % 4 == 0) {
                write = remove(key, seen->revision);
            } else if (seen) {
                write = update(key, seen->revision, fmt::format("{} {}", seed, i));
            }
            (void)write_and_wait(store(), std::move(write));
        }
    }
    void make_traffic_with(int writers, int writes, const std::function<void()>& meanwhile) {
        std::atomic<int> running = writers;
        std::vector<std::thread> threads;
        for (int t = 0; t < writers; ++t) {
            threads.emplace_back([&, t] {
                make_traffic(static_cast<std::uint64_t>(t), writes);
                --running;
            });
        }
        while (running > 0) {
            meanwhile();
            std::this_thread::yield();
        }
        for (auto& thread : threads) thread.join();
        meanwhile();
    }

    std::unique_ptr<World> world_;
};

TEST_P(Watching, A_list_and_the_events_after_it_give_the_next_list) {
    ASSERT_NO_FATAL_FAILURE(start(100'000));
    if (!world_) return;
    SnapshotPtr last = store().list(resource);
    State state = state_of(*last);
    make_traffic_with(4, 150, [&] {
        const SnapshotPtr next = store().list(resource);
        ASSERT_GE(next->revision, last->revision) << "never back in time";
        for (const EventPtr& event : must(store().events(resource, last->revision, 1'000'000))) {
            if (event->revision <= next->revision) follow(state, *event);
        }
        ASSERT_EQ(state, state_of(*next));
        last = next;
    });
}

TEST_P(Watching, A_watcher_that_falls_behind_is_told_and_never_misses_silently) {
    ASSERT_NO_FATAL_FAILURE(start(20));
    if (!world_) return;
    // The first keeps up, the second reads less often, the last not before all is over.
    struct Follower {
        State state;
        Revision at = 0;
        int every = 1;
        int gone = 0;
    };
    std::vector<Follower> followers;
    for (const int every : {1, 7, 1'000'000}) followers.push_back({{}, 0, every, 0});
    int round = 0;
    const auto read = [&](Follower& f, std::size_t most) {
        const auto events = store().events(resource, f.at, most);
        if (!events) {
            ASSERT_EQ(events.error().code, Code::gone);
            ++f.gone;
            const SnapshotPtr list = store().list(resource);
            ASSERT_GE(list->revision, f.at);
            f.state = state_of(*list);
            f.at = list->revision;
            return;
        }
        for (const EventPtr& event : *events) {
            ASSERT_GT(event->revision, f.at);
            follow(f.state, *event);
            f.at = event->revision;
        }
    };
    make_traffic_with(3, 200, [&] {
        ++round;
        for (Follower& f : followers) {
            if (round % f.every == 0) read(f, 3);
        }
    });
    for (Follower& f : followers) {
        while (f.at < store().revision()) {
            const Revision before = f.at;
            read(f, 1000);
            ASSERT_GT(f.at, before);
        }
        EXPECT_EQ(f.state, state_of(*store().list(resource)));
    }
    EXPECT_GT(followers.back().gone, 0) << "else nothing was tried";
}

TEST_P(Watching, Pages_read_under_traffic_belong_to_one_moment) {
    ASSERT_NO_FATAL_FAILURE(start(100'000));
    if (!world_) return;
    std::vector<SnapshotPtr> taken;
    make_traffic_with(3, 120, [&] {
        const SnapshotPtr list = store().list(resource);
        if (taken.empty() || taken.back()->revision != list->revision) taken.push_back(list);
    });
    // Every revision, listed anew from the newest state and the events since.
    State state;
    Revision at = 0;
    for (const EventPtr& event : must(store().events(resource, 0, 1'000'000))) {
        follow(state, *event);
        at = event->revision;
        if (at % 5 != 0) continue;
        ASSERT_EQ(state_of(*must(store().list_at(resource, at))), state) << at;
    }
    EXPECT_EQ(at, store().revision());
    for (const SnapshotPtr& list : taken) {
        ASSERT_EQ(state_of(*must(store().list_at(resource, list->revision))), state_of(*list));
    }
}

TEST_P(Watching, A_watcher_resumes_where_it_was_when_the_store_is_opened_again) {
    ASSERT_NO_FATAL_FAILURE(start(1000));
    if (!world_ || !world_->place().survives_reopening()) return;
    State state;
    Revision at = 0;
    for (int round = 0; round < 5; ++round) {
        make_traffic(static_cast<std::uint64_t>(round), 60);
        const Revision newest = store().revision();
        must(world_->open());
        ASSERT_EQ(store().revision(), newest) << "revisions never go down";
        for (const EventPtr& event : must(store().events(resource, at, 1'000'000))) {
            ASSERT_EQ(event->revision, at + 1);
            follow(state, *event);
            at = event->revision;
        }
        ASSERT_EQ(state, state_of(*store().list(resource)));
    }
}

TEST_P(Watching, An_event_is_one_object_for_all_watchers) {
    ASSERT_NO_FATAL_FAILURE(start(1000));
    if (!world_) return;
    make_traffic(1, 10);
    const auto one = must(store().events(resource, 0, 100));
    const auto two = must(store().events(resource, 0, 100));
    EXPECT_EQ(one, two) << "so that its bytes are made once";
    EXPECT_EQ(one.back()->object, store().get(one.back()->object->key));
}

INSTANTIATE_TEST_SUITE_P(All, Watching,
                         testing::Values(Where{"memory", memory_place},
                                         Where{"sqlite", sqlite_place},
                                         Where{"postgres", postgres_place}),
                         where_name);

}  // namespace
}  // namespace atelier::store
