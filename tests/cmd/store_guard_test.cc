// Fault 17: a store that is empty, older or another's made the server end what ran.
#include "cmd/store_guard.h"

#include <gtest/gtest.h>

#include <fstream>

namespace atelier::cmd {
namespace {

const StoreMark ours{"11111111-aaaa", 500};

FoundStore found(StoreMark mark, std::size_t workspaces, std::vector<std::string> strangers) {
    FoundStore store;
    store.mark = std::move(mark);
    store.workspaces = workspaces;
    store.strangers = std::move(strangers);
    return store;
}

TEST(StoreGuard, Fault17_HoldsWhenTheStoreIsAnotherOneAndUnitsRun) {
    const auto other = found({"22222222-bbbb", 900}, 7, {"docker/ws-1 of default/pm"});
    const std::string why = why_hold(ours, other, "");
    EXPECT_NE(why.find("not the one that this home worked with (it was 11111111-aaaa)"),
              std::string::npos)
        << why;
    EXPECT_NE(why.find("--accept-store=22222222-bbbb"), std::string::npos) << why;
    EXPECT_EQ(why_hold(ours, other, "22222222-bbbb"), "");
    EXPECT_NE(why_hold(ours, other, "33333333-cccc"), "") << "that is yet another one";
}

TEST(StoreGuard, Fault17_HoldsWhenTheStoreIsBehind) {
    const std::string why =
        why_hold(ours, found({ours.identity, 499}, 7, {"docker/ws-1 of default/pm"}), "");
    EXPECT_NE(why.find("is at revision 499, but was at 500 already"), std::string::npos) << why;
    EXPECT_EQ(why_hold(ours, found({ours.identity, 500}, 0, {"docker/ws-1 of default/pm"}), ""), "")
        << "the Workspaces were deleted, and the store knows";
}

TEST(StoreGuard, Fault17_HoldsWhenTheStoreIsEmptyBesideUnits) {
    EXPECT_NE(why_hold(std::nullopt, found({"2", 0}, 0, {"process/ws-1 of default/pm"}), ""), "");
    EXPECT_EQ(why_hold(std::nullopt, found({"2", 0}, 0, {}), ""), "") << "a first start";
    EXPECT_EQ(why_hold(std::nullopt, found({"2", 90}, 3, {"process/ws-1 of default/x"}), ""), "")
        << "of a release that kept no mark";
}

TEST(StoreGuard, Fault17_WithNothingThatRunsThereIsNothingToLose) {
    auto other = found({"22222222-bbbb", 0}, 0, {});
    EXPECT_EQ(why_hold(ours, other, ""), "");
    other.units_known = false;
    EXPECT_NE(why_hold(ours, other, ""), "") << "a runtime that is silent may have units";
}

TEST(StoreGuard, Fault17_TheMarkIsKeptInTheHomeAndADamagedOneIsRefused) {
    const auto file = std::filesystem::temp_directory_path() /
                      ("atelier-store-mark-" + std::to_string(getpid()) + ".json");
    std::filesystem::remove(file);
    const auto none = read_store_mark(file);
    ASSERT_TRUE(none);
    EXPECT_FALSE(*none);
    ASSERT_TRUE(write_store_mark(file, ours));
    const auto kept = read_store_mark(file);
    ASSERT_TRUE(kept && *kept);
    EXPECT_EQ((*kept)->identity, ours.identity);
    EXPECT_EQ((*kept)->revision, ours.revision);
    for (const char* text : {"", "{", "{}", R"({"store":7})"}) {
        std::ofstream(file) << text;
        const auto damaged = read_store_mark(file);
        ASSERT_FALSE(damaged) << text;
        EXPECT_NE(damaged.error().message.find(file.filename().string()), std::string::npos);
    }
    std::filesystem::remove(file);
}

}  // namespace
}  // namespace atelier::cmd
