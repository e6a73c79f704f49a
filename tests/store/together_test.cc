// Writes that hold together: all of them or none, on every backend, whatever fails.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

#include "base/text.h"
#include "process.h"
#include "shared_log.h"
#include "store/cached_store.h"
#include "store/overlay.h"
#include "world.h"

namespace atelier::store {
namespace {

constexpr const char* workspaces = "workspaces.atelier.dev";

Write check(const Key& key, Revision expected) {
    return {Write::Kind::check, key, {}, expected};
}

// What every Store promises of joined writes, an Overlay too.
class TogetherContract : public testing::TestWithParam<Where> {
  protected:
    void SetUp() override {
        place_ = GetParam().make();
        if (!place_) return skip_without_postgres();
        world_ = std::make_unique<World>(place_);
        world_->options().commit_inline = GetParam().commit_inline;
        must(world_->open());
        if (GetParam().overlay) overlay_ = std::make_unique<Overlay>(world_->store());
    }
    Store& store() { return overlay_ ? *overlay_ : world_->store(); }
    Result<ObjectPtr> put(Write write) { return write_and_wait(store(), std::move(write)); }
    Result<std::vector<ObjectPtr>> put_all(std::vector<Write> writes) {
        return write_all_and_wait(store(), std::move(writes));
    }
    std::string text(const std::string& name) {
        const ObjectPtr found = store().get(workspace(name));
        return found ? text_of(*found) : "";
    }

    std::shared_ptr<Place> place_;
    std::unique_ptr<World> world_;
    std::unique_ptr<Overlay> overlay_;
};

// What a Store with subscribers and a database promises besides.
class Together : public TogetherContract {};

TEST_P(Together, All_are_written_in_their_order) {
    must(put(create(workspace("old"), "1")));
    must(put(create(workspace("gone"), "1")));
    int woken = 0;
    std::vector<ObjectPtr> made;
    {
        const auto subscription = store().on_commit([&](Revision) { ++woken; });
        made = must(put_all({create(secret("key"), "SESAME"), update(workspace("old"), 1, "2"),
                             remove(workspace("gone"), 2), create(workspace("new"), "1")}));
    }
    EXPECT_EQ(woken, 1) << "one commit";
    ASSERT_EQ(made.size(), 4u);
    for (std::size_t i = 0; i < made.size(); ++i) {
        EXPECT_EQ(made[i]->revision, static_cast<Revision>(i) + 3);
    }
    EXPECT_EQ(store().revision(), 6);
    EXPECT_EQ(text("old"), "2");
    EXPECT_EQ(store().get(workspace("gone")), nullptr);
    const auto events = must(store().events(workspaces, 2, 10));
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[0]->change, Change::modified);
    EXPECT_EQ(events[0]->previous->revision, 1);
    EXPECT_EQ(events[1]->change, Change::deleted);
    EXPECT_EQ(events[2]->change, Change::added);
    EXPECT_TRUE(must(put_all({})).empty());
    if (!place_->survives_reopening()) return;
    EXPECT_EQ(place_->query("SELECT count(*) FROM objects WHERE body LIKE '%SESAME%'"),
              std::vector<std::string>{"0"})
        << "a Secret is sealed, whoever it is written with";
    world_->close();
    must(world_->open());
    EXPECT_EQ(text("old"), "2");
    EXPECT_EQ(text_of(*store().get(secret("key"))), "SESAME");
    EXPECT_EQ(store().get(workspace("gone")), nullptr);
    EXPECT_EQ(must(store().events(workspaces, 2, 10)).size(), 3u);
}

// Wherever in the row the refused one is.
TEST_P(TogetherContract, One_that_is_refused_leaves_nothing_written) {
    must(put(create(workspace("seen"), "1")));
    must(put(update(workspace("seen"), 1, "2")));
    struct Case {
        const char* name;
        Write refused;
        Code code;
    };
    const std::vector<Case> cases = {
        {"made meanwhile", create(workspace("seen")), Code::already_exists},
        {"changed meanwhile", update(workspace("seen"), 1, "x"), Code::conflict},
        {"removed of another state", remove(workspace("seen"), 1), Code::conflict},
        {"gone", update(workspace("absent"), 1, "x"), Code::not_found},
        {"checked, and changed", check(workspace("seen"), 1), Code::conflict},
        {"checked, and gone", check(workspace("absent"), 1), Code::conflict},
        {"checked, and there", check(workspace("seen"), 0), Code::conflict},
        {"no body", {Write::Kind::create, workspace("empty"), {}, 0}, Code::invalid}};
    for (const Case& one : cases) {
        for (std::size_t at = 0; at < 3; ++at) {
            SCOPED_TRACE(fmt::format("{} at {}", one.name, at));
            std::vector<Write> writes = {create(workspace("a")), create(secret("s"))};
            writes.insert(writes.begin() + static_cast<std::ptrdiff_t>(at), one.refused);
            EXPECT_EQ(code_of(put_all(writes)), one.code);
            EXPECT_EQ(store().get(workspace("a")), nullptr);
            EXPECT_EQ(store().get(secret("s")), nullptr);
            EXPECT_EQ(text("seen"), "2");
            EXPECT_EQ(store().revision(), 2) << "and no revision is taken";
        }
    }
    EXPECT_TRUE(must(store().events("secrets", 0, 10)).empty());
    EXPECT_EQ(must(put(create(workspace("a"))))->revision, 3) << "the store goes on";
    if (!place_->survives_reopening()) return;
    EXPECT_EQ(place_->query("SELECT count(*) FROM log"), std::vector<std::string>{"3"});
}

TEST_P(TogetherContract, A_check_writes_nothing) {
    must(put(create(workspace("a"), "1")));
    const auto made = must(put_all({check(workspace("a"), 1), check(workspace("b"), 0),
                                    create(workspace("c")), check(workspace("c"), 2)}));
    ASSERT_EQ(made.size(), 4u);
    EXPECT_EQ(made[0]->revision, 1);
    EXPECT_EQ(made[1], nullptr);
    EXPECT_EQ(made[3]->revision, 2) << "it sees the ones before it";
    must(put_all({check(workspace("a"), 1), check(workspace("b"), 0)}));
    EXPECT_EQ(store().revision(), 2);
    EXPECT_EQ(must(store().events(workspaces, 0, 10)).size(), 2u);
}

// What stands beside it in the queue is committed by the same transaction, and does not care.
TEST_P(TogetherContract, Neighbours_go_their_own_way) {
    must(put(create(workspace("seen"), "1")));
    std::atomic<int> fine = 0;
    std::atomic<int> refused = 0;
    for (int i = 0; i < 300; ++i) {
        store().write(create(workspace(fmt::format("w{}", i))),
                      [&](Result<ObjectPtr> answer) { answer ? ++fine : ++refused; });
        store().write_all(
            {create(workspace(fmt::format("p{}-a", i))),
             i % 2 == 0 ? update(workspace("seen"), 99, "never")
                        : create(workspace(fmt::format("p{}-b", i)))},
            [&](Result<std::vector<ObjectPtr>> answer) { answer ? ++fine : ++refused; });
    }
    must(put(create(workspace("last"))));
    EXPECT_EQ(fine, 300 + 150);
    EXPECT_EQ(refused, 150);
    EXPECT_EQ(store().revision(), 1 + 300 + 300 + 1);
    Revision next = 0;
    for (const EventPtr& event : must(store().events(workspaces, 0, 10'000))) {
        ASSERT_EQ(event->revision, ++next) << "without a gap";
    }
    EXPECT_EQ(store().get(workspace("p0-a")), nullptr);
    EXPECT_NE(store().get(workspace("p1-a")), nullptr);
    EXPECT_EQ(store().get(workspace("p1-a"))->revision + 1,
              store().get(workspace("p1-b"))->revision);
}

// More than one transaction usually takes.
TEST_P(Together, Many_are_still_one_transaction) {
    std::vector<Write> writes;
    for (int i = 0; i < 2000; ++i) writes.push_back(create(workspace(fmt::format("w{}", i))));
    writes.push_back(update(workspace("absent"), 1, "x"));
    EXPECT_EQ(code_of(put_all(writes)), Code::not_found);
    EXPECT_EQ(store().revision(), 0);
    writes.pop_back();
    int woken = 0;
    const auto subscription = store().on_commit([&](Revision) { ++woken; });
    EXPECT_EQ(must(put_all(writes)).size(), 2000u);
    EXPECT_EQ(woken, 1);
}

// Four threads move pairs, others look: nobody ever sees half of a pair.
TEST_P(Together, Readers_and_watchers_never_see_a_half) {
    must(put_all({create(workspace("left"), "0"), create(workspace("right"), "0")}));
    std::atomic<bool> done = false;
    std::thread reader([&] {
        while (!done) {
            const SnapshotPtr list = store().list(workspaces);
            ASSERT_EQ(list->objects.size(), 2u);
            std::vector<std::string> texts;
            for (const ObjectPtr& object : list->objects) texts.push_back(text_of(*object));
            ASSERT_EQ(texts[0], texts[1]);
        }
    });
    std::vector<std::thread> writers;
    std::atomic<int> moved = 0;
    for (int t = 0; t < 4; ++t) {
        writers.emplace_back([&, t] {
            for (int i = 0; i < 60; ++i) {
                const std::string next = fmt::format("{}-{}", t, i);
                const Revision left = store().get(workspace("left"))->revision;
                const Revision right = store().get(workspace("right"))->revision;
                const auto answer = put_all({update(workspace("left"), left, next),
                                             update(workspace("right"), right, next)});
                if (answer) ++moved;
                if (!answer) {
                    EXPECT_EQ(answer.error().code, Code::conflict);
                }
            }
        });
    }
    for (auto& writer : writers) writer.join();
    done = true;
    reader.join();
    EXPECT_GT(moved, 0);
    EXPECT_EQ(store().revision(), 2 + 2 * moved);
    EXPECT_EQ(text("left"), text("right"));
}

INSTANTIATE_TEST_SUITE_P(
    All, TogetherContract,
    testing::Values(Where{"memory", memory_place}, Where{"memory_inline", memory_place, true},
                    Where{"sqlite", sqlite_place}, Where{"sqlite_inline", sqlite_place, true},
                    Where{"postgres", postgres_place}, Where{"overlay", memory_place, true, true}),
    where_name);

INSTANTIATE_TEST_SUITE_P(All, Together,
                         testing::Values(Where{"memory", memory_place},
                                         Where{"memory_inline", memory_place, true},
                                         Where{"sqlite", sqlite_place},
                                         Where{"sqlite_inline", sqlite_place, true},
                                         Where{"postgres", postgres_place}),
                         where_name);

constexpr int crash_threads = 4;
constexpr int crash_objects = 5;

// Not a test: what the child of the test below does. Each thread gives its five objects the same
// text, again and again, and tells on descriptor 3 what was acknowledged.
TEST(TogetherChild, DISABLED_Writes) {
    const char* url = std::getenv("ATELIER_STORE_CHILD_URL");
    ASSERT_NE(url, nullptr);
    World world(place_at(url));
    must(world.open());
    std::vector<std::thread> threads;
    for (int t = 0; t < crash_threads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0;; ++i) {
                const std::string text = fmt::format("{}-{}", getpid(), i);
                std::vector<Write> writes;
                for (int k = 0; k < crash_objects; ++k) {
                    const Key key = workspace(fmt::format("w{}-{}", t, k));
                    const ObjectPtr seen = world.store().get(key);
                    writes.push_back(seen ? update(key, seen->revision, text) : create(key, text));
                }
                must(write_all_and_wait(world.store(), std::move(writes)));
                const std::string line = fmt::format("{} {}\n", t, text);
                if (::write(3, line.data(), line.size()) < 0) return;
            }
        });
    }
    for (auto& thread : threads) thread.join();
}

class TogetherCrash : public testing::TestWithParam<Where> {};

TEST_P(TogetherCrash, A_killed_process_leaves_all_or_nothing) {
    const std::shared_ptr<Place> place = GetParam().make();
    if (!place) return skip_without_postgres();
    for (int round = 0; round < 5; ++round) {
        Child child("TogetherChild.DISABLED_Writes", {"ATELIER_STORE_CHILD_URL=" + place->url()});
        for (int i = 0; i < 60 + 13 * round; ++i) ASSERT_FALSE(child.read_line().empty());
        child.kill_now();
        World world(place);
        must(world.open());
        for (int t = 0; t < crash_threads; ++t) {
            std::set<std::string> texts;
            std::set<Revision> revisions;
            for (int k = 0; k < crash_objects; ++k) {
                const ObjectPtr found = world.store().get(workspace(fmt::format("w{}-{}", t, k)));
                texts.insert(found ? text_of(*found) : "");
                revisions.insert(found ? found->revision : 0);
            }
            EXPECT_EQ(texts.size(), 1u) << "half of a transaction is there";
            if (*revisions.begin() == 0) continue;
            EXPECT_EQ(*revisions.rbegin() - *revisions.begin(), crash_objects - 1);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, TogetherCrash,
                         testing::Values(Where{"sqlite", sqlite_place},
                                         Where{"postgres", postgres_place}),
                         where_name);

class TogetherFaults : public SharedLogTest {
  protected:
    static std::vector<Write> pair(const std::string& name) {
        return {create(workspace(name + "-1")), create(workspace(name + "-2"))};
    }
};

TEST_F(TogetherFaults, A_lost_answer_is_found_and_what_did_not_arrive_is_sent_again) {
    const auto store = open();
    fail_next({Fault::lose_answer});
    EXPECT_EQ(must(write_all_and_wait(*store, pair("a")))[1]->revision, 2);
    fail_next({Fault::unreachable});
    EXPECT_EQ(must(write_all_and_wait(*store, pair("b")))[1]->revision, 4);
    fail_next({Fault::refuse});
    EXPECT_EQ(code_of(write_all_and_wait(*store, pair("c"))), Code::exhausted);
    EXPECT_EQ(shared_->log.size(), 4u);
    EXPECT_EQ(store->revision(), 4);
}

// Another server has written in between: the whole is planned again on what is there now.
TEST_F(TogetherFaults, An_overtaken_one_is_judged_anew_as_a_whole) {
    const auto one = open();
    must(write_and_wait(*one, create(workspace("a"))));
    const auto two = open();
    must(write_and_wait(*two, update(workspace("a"), 1, "theirs")));
    EXPECT_EQ(code_of(write_all_and_wait(
                  *one, {create(workspace("b")), update(workspace("a"), 1, "ours")})),
              Code::conflict);
    EXPECT_EQ(shared_->marks.newest, 2);
    EXPECT_EQ(one->get(workspace("b")), nullptr);
}

TEST_F(TogetherFaults, A_refused_value_takes_its_own_with_it_and_nobody_else) {
    fail_next({Fault::reject});
    auto store = open(false);
    std::mutex mutex;
    std::map<std::string, std::optional<Code>> outcome;
    const auto tell = [&](const std::string& name) {
        return [&, name](const auto& answer) {
            const std::lock_guard lock(mutex);
            outcome[name] = answer ? std::nullopt : std::optional(answer.error().code);
        };
    };
    store->write(create(workspace("alone")), tell("alone"));
    store->write_all({create(workspace("beside")), create(workspace("poison"))}, tell("poison"));
    store->write_all(pair("p"), tell("pair"));
    store.reset();
    EXPECT_EQ(outcome["poison"], Code::invalid);
    EXPECT_EQ(outcome["alone"], std::nullopt);
    EXPECT_EQ(outcome["pair"], std::nullopt);
    EXPECT_EQ(shared_->marks.newest, 3);
    EXPECT_FALSE(shared_->objects.contains(workspace("beside")));
}

TEST_F(TogetherFaults, What_does_not_fit_into_the_queue_is_refused_as_a_whole) {
    auto store = open(false);
    std::promise<void> writer_is_busy;
    std::promise<void> release;
    store->write(create(workspace("first")), [&](Result<ObjectPtr>) {
        writer_is_busy.set_value();
        release.get_future().wait();
    });
    writer_is_busy.get_future().wait();
    store->write(create(workspace("waits")), [](Result<ObjectPtr>) {});
    std::vector<Write> writes;
    for (std::size_t i = 0; i <= CachedStore::queue_most; ++i) {
        writes.push_back(create(workspace(fmt::format("w{}", i))));
    }
    const std::vector<Write> again = writes;
    EXPECT_EQ(code_of(write_all_and_wait(*store, std::move(writes))), Code::exhausted);
    release.set_value();
    must(write_and_wait(*store, create(workspace("last"))));
    EXPECT_EQ(store->revision(), 3);
    // Fault 9: on an idle store it is taken, whatever its size.
    EXPECT_EQ(must(write_all_and_wait(*store, again)).size(), again.size());
}

}  // namespace
}  // namespace atelier::store
