// What an Overlay promises besides the contract of every Store (contract_test.cc).
#include "store/overlay.h"

#include <gtest/gtest.h>

#include "world.h"

namespace atelier::store {
namespace {

class OverlayTest : public testing::Test {
  protected:
    void SetUp() override {
        world_.options().commit_inline = true;
        must(world_.open());
    }
    Store& base() { return world_.store(); }

    World world_{memory_place()};
};

TEST_F(OverlayTest, Sees_the_base_and_its_own_writes_and_leaves_the_base_alone) {
    must(write_and_wait(base(), create(workspace("one"), "a")));
    must(write_and_wait(base(), create(workspace("two"), "a")));
    Overlay overlay(base());
    EXPECT_EQ(overlay.list("workspaces.atelier.dev")->objects.size(), 2u);
    EXPECT_EQ(code_of(write_and_wait(overlay, create(workspace("one")))), Code::already_exists);
    EXPECT_EQ(code_of(write_and_wait(overlay, update(workspace("one"), 9, "b"))), Code::conflict);
    EXPECT_TRUE(overlay.written_after(0).empty()) << "a refused write is not written";

    const ObjectPtr changed = must(write_and_wait(overlay, update(workspace("one"), 1, "b")));
    EXPECT_EQ(changed->revision, 3) << "revisions go on from the base's";
    must(write_and_wait(overlay, remove(workspace("two"), 2)));
    must(write_and_wait(overlay, create(workspace("zero"), "z")));
    EXPECT_EQ(overlay.get(workspace("two")), nullptr);
    EXPECT_EQ(text_of(*overlay.get(workspace("one"))), "b");
    EXPECT_EQ(overlay.list("workspaces.atelier.dev")->objects.size(), 2u);
    EXPECT_EQ(overlay.written_after(0).size(), 3u);
    EXPECT_EQ(overlay.written_after(changed->revision).size(), 2u);
    EXPECT_EQ(overlay.changed().size(), 3u);

    EXPECT_EQ(base().revision(), 2);
    EXPECT_EQ(text_of(*base().get(workspace("one"))), "a");
    OverlayBase before(overlay);
    EXPECT_EQ(text_of(*before.get(workspace("one"))), "a");
    EXPECT_EQ(before.list("workspaces.atelier.dev")->objects.size(), 2u);
    EXPECT_EQ(code_of(write_and_wait(before, create(workspace("x")))), Code::unsupported);
}

TEST_F(OverlayTest, Stays_at_the_moment_of_its_first_look) {
    Overlay overlay(base());
    EXPECT_TRUE(overlay.list("workspaces.atelier.dev")->objects.empty());
    must(write_and_wait(base(), create(workspace("late"))));
    EXPECT_EQ(overlay.get(workspace("late")), nullptr);
    const ObjectPtr made = must(write_and_wait(overlay, create(workspace("x"))));
    must(write_and_wait(overlay, remove(workspace("x"), made->revision)));
    EXPECT_TRUE(overlay.changed().empty()) << "created and removed again: nothing has changed";
}

std::vector<std::string> text_value(const Object& object) {
    return {text_of(object)};
}
constexpr FieldIndex by_text{"workspaces.atelier.dev", "text", text_value};

TEST_F(OverlayTest, Indexes_what_it_took_from_the_base_and_what_was_written_here) {
    must(write_and_wait(base(), create(workspace("one"), "a")));
    Overlay overlay(base());
    OverlayBase before(overlay);
    EXPECT_EQ(overlay.by_index(by_text, "a").size(), 1u);
    must(write_and_wait(overlay, update(workspace("one"), 1, "b")));
    must(write_and_wait(base(), create(workspace("late"), "b")));
    EXPECT_EQ(overlay.by_index(by_text, "b").size(), 1u);
    EXPECT_TRUE(overlay.by_index(by_text, "a").empty());
    EXPECT_EQ(before.by_index(by_text, "a").size(), 1u);
    EXPECT_EQ(base().by_index(by_text, "b").size(), 1u);
}

}  // namespace
}  // namespace atelier::store
