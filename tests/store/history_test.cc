// Fault 10: history is bounded by bytes and by age, in memory and in the database, under load too.
// Fault 9: nobody computes on the writer's thread, and a large group of writes is taken.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

#include "store/answering.h"
#include "world.h"

namespace atelier::store {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* workspaces = "workspaces.atelier.dev";

class History : public testing::TestWithParam<Where> {
  protected:
    void SetUp() override {
        std::shared_ptr<Place> place = GetParam().make();
        if (!place) return skip_without_postgres();
        world_ = std::make_unique<World>(place);
        world_->options().commit_inline = GetParam().commit_inline;
    }
    Store& store() { return world_->store(); }
    std::int64_t number(const std::string& sql) {
        const auto rows = world_->place().query(sql);
        return rows.empty() ? -1 : std::atoll(rows.front().c_str());
    }
    // Updates one object again and again.
    void write(int times, std::size_t bytes, Duration between = Duration{0}) {
        const Key key = workspace("busy");
        if (!store().get(key)) must(write_and_wait(store(), create(key, "first")));
        for (int i = 0; i < times; ++i) {
            const std::string text = std::to_string(i) + std::string(bytes, 'x');
            must(write_and_wait(store(), update(key, store().get(key)->revision, text)));
            world_->clock().advance(between);
        }
    }

    std::unique_ptr<World> world_;
};

TEST_P(History, Fault10_MemoryIsBoundedByBytes) {
    world_->options().events_bytes = std::size_t{1} << 20;
    must(world_->open());
    must(write_and_wait(store(), create({"orgs.atelier.dev", "default", "o"})));
    write(100, 50'000);
    EXPECT_EQ(code_of(store().events(workspaces, 10, 1000)), Code::gone);
    const auto kept = must(store().events(workspaces, store().revision() - 5, 1000));
    EXPECT_EQ(kept.size(), 5u) << "the newest ones stay";
    std::size_t reachable = 0;
    for (Revision after = 0; after < store().revision(); ++after) {
        if (store().events(workspaces, after, 1000)) ++reachable;
    }
    EXPECT_LE(reachable * 100'000, std::size_t{1} << 20);
    must(world_->open());
    if (!world_->place().survives_reopening()) return;
    EXPECT_EQ(code_of(store().events(workspaces, 10, 1000)), Code::gone);
    EXPECT_EQ(must(store().events(workspaces, store().revision() - 5, 1000)).size(), 5u);
}

TEST_P(History, Fault10_TheLogIsBoundedByBytesWithoutAQuietMoment) {
    if (!world_->place().survives_reopening()) return;
    world_->options().history_bytes = std::size_t{1} << 20;
    must(world_->open());
    write(300, 20'000);
    EXPECT_LE(number("SELECT sum(length(body)) FROM log"), 2 << 20);
    const auto newest = must(store().events(workspaces, store().revision() - 3, 10));
    EXPECT_EQ(newest.size(), 3u);
    must(world_->open());
    EXPECT_EQ(must(store().events(workspaces, store().revision() - 3, 10)).size(), 3u);
}

TEST_P(History, Fault10_TheLogIsBoundedByAgeWithoutAQuietMoment) {
    if (!world_->place().survives_reopening()) return;
    must(world_->open());
    write(600, 10, seconds(5));
    // Ten minutes of it, and what comes until the next mark and the next trimming.
    EXPECT_LE(number("SELECT count(*) FROM log"), 150);
    EXPECT_EQ(code_of(store().events(workspaces, 10, 1000)), Code::gone) << "memory likewise";
}

TEST_P(History, Fault19_AClockThatWasSetBackStopsNoTrimming) {
    if (!world_->place().survives_reopening()) return;
    must(world_->open());
    for (const Duration step :
         {Duration(minutes(1)), Duration(hours(5)), Duration(hours(90'000))}) {
        write(50, 10, seconds(1));
        world_->clock().advance(-step);
        write(200, 10, seconds(10));
        EXPECT_LE(number("SELECT count(*) FROM log"), 90) << step.count();
    }
    world_->clock().advance(hours(90'000));
    write(5, 10, seconds(11));
    EXPECT_LE(number("SELECT count(*) FROM log"), 10);
}

INSTANTIATE_TEST_SUITE_P(Memory, History,
                         testing::Values(Where{"threaded", memory_place},
                                         Where{"inline", memory_place, true}),
                         where_name);
INSTANTIATE_TEST_SUITE_P(Sqlite, History,
                         testing::Values(Where{"threaded", sqlite_place},
                                         Where{"inline", sqlite_place, true}),
                         where_name);
INSTANTIATE_TEST_SUITE_P(Postgres, History, testing::Values(Where{"threaded", postgres_place}),
                         where_name);

TEST(SqliteFile, Fault10_GivesSpaceBackThatTheLogNoLongerNeeds) {
    World world(sqlite_place());
    world.options().commit_inline = true;
    must(world.open());
    const Key key = workspace("large");
    must(write_and_wait(world.store(), create(key)));
    const auto pages = [&] {
        return std::atoll(world.place().query("PRAGMA page_count")[0].c_str());
    };
    for (int i = 0; i < 200; ++i) {
        const std::string text = std::to_string(i) + std::string(200'000, 'x');
        must(write_and_wait(world.store(), update(key, world.store().get(key)->revision, text)));
    }
    const auto most = pages();
    for (int i = 0; i < 60; ++i) {
        world.clock().advance(minutes(1));
        must(write_and_wait(world.store(),
                            update(key, world.store().get(key)->revision, std::to_string(i))));
    }
    EXPECT_LT(pages(), most / 3) << "of " << most;
}

TEST(Writer, Fault9_ALargeGroupIsTakenWhenNothingElseWaits) {
    World world(memory_place());
    must(world.open());
    std::vector<Write> writes;
    for (int i = 0; i < 10'500; ++i) writes.push_back(create(workspace("w" + std::to_string(i))));
    EXPECT_EQ(must(write_all_and_wait(world.store(), std::move(writes))).size(), 10'500u);
}

TEST(Writer, Fault9_ACallbackKnowsThatItHoldsUpTheWriter) {
    World world(memory_place());
    must(world.open());
    EXPECT_FALSE(is_answering());
    std::promise<bool> inside;
    world.store().write(create(workspace("a")),
                        [&](Result<ObjectPtr>) { inside.set_value(is_answering()); });
    EXPECT_TRUE(inside.get_future().get());
    EXPECT_FALSE(is_answering());
    must(write_and_wait(world.store(), create(workspace("b"))));
    EXPECT_NE(world.metrics().text().find("atelier_store_answer_seconds_count"), std::string::npos);
}

}  // namespace
}  // namespace atelier::store
