// ObjectTable against the plain map that it must equal, and the small parts below the store.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "store/postgres_array.h"
#include "store/schema.h"
#include "store/seal.h"
#include "store/splice.h"
#include "world.h"

namespace atelier::store {
namespace {

ObjectPtr object(const std::string& ns, const std::string& name, Revision revision) {
    auto made = std::make_shared<Object>();
    made->key = {"workspaces.atelier.dev", ns, name};
    made->revision = revision;
    return made;
}

using Model = std::map<std::pair<std::string, std::string>, ObjectPtr>;

void expect_same(const ObjectList& list, const Model& model) {
    ASSERT_EQ(list.size(), model.size());
    ASSERT_EQ(list.empty(), model.empty());
    auto expected = model.begin();
    std::size_t index = 0;
    for (const ObjectPtr& o : list) {
        ASSERT_EQ(o, expected->second);
        ASSERT_EQ(list[index], o);
        ASSERT_EQ(list.lower_bound(o->key.ns, o->key.name), index);
        ++expected;
        ++index;
    }
    ASSERT_EQ(static_cast<std::size_t>(list.end() - list.begin()), model.size());
}

TEST(ObjectTable, Equals_a_map_and_its_lists_never_change) {
    SeededRandom random(7);
    ObjectTable table;
    Model model;
    std::vector<std::pair<ObjectList, Model>> taken;
    for (int step = 0; step < 20'000; ++step) {
        const std::string ns = fmt::format("ns{}", random.next() % 3);
        const std::string name = fmt::format("n{}", random.next() % 900);
        if (random.next() % 3 == 0) {
            table.erase(ns, name);
            model.erase({ns, name});
        } else {
            const ObjectPtr made = object(ns, name, step);
            table.put(made);
            model[{ns, name}] = made;
        }
        if (step % 500 == 0) taken.emplace_back(table.list(), model);
    }
    expect_same(table.list(), model);
    for (const auto& [list, then] : taken) expect_same(list, then);
    while (!model.empty()) {
        table.erase(model.begin()->first.first, model.begin()->first.second);
        model.erase(model.begin());
    }
    EXPECT_TRUE(table.list().empty());
    EXPECT_EQ(table.list().begin(), table.list().end());
}

TEST(ObjectTable, A_list_may_be_changed_without_changing_where_it_came_from) {
    ObjectTable table;
    for (int i = 0; i < 1000; ++i) table.put(object("a", fmt::format("n{:04}", i), i));
    const ObjectList before = table.list();
    ObjectTable other(before);
    for (int i = 0; i < 1000; i += 2) other.erase("a", fmt::format("n{:04}", i));
    other.put(object("a", "n0001", 5000));
    EXPECT_EQ(other.size(), 500u);
    EXPECT_EQ(before.size(), 1000u);
    EXPECT_EQ(table.find("a", "n0001")->revision, 1);
    EXPECT_EQ(other.find("a", "n0001")->revision, 5000);
}

TEST(ObjectTable, Iterators_move_any_distance) {
    std::vector<ObjectPtr> sorted;
    for (int i = 0; i < 1500; ++i) sorted.push_back(object("a", fmt::format("n{:04}", i), i));
    const ObjectList list(sorted);
    const auto found = std::lower_bound(
        list.begin(), list.end(), "n0777",
        [](const ObjectPtr& o, const std::string& name) { return o->key.name < name; });
    EXPECT_EQ((*found)->revision, 777);
    EXPECT_EQ(found - list.begin(), 777);
    EXPECT_EQ((*(found - 600))->revision, 177);
    EXPECT_EQ(found + 723, list.end());
    EXPECT_EQ((*(list.end() - 1))->revision, 1499);
    auto back = list.end();
    for (int i = 1499; i >= 0; --i) ASSERT_EQ((*--back)->revision, i);
    EXPECT_EQ(list.find("a", "absent"), nullptr);
    EXPECT_EQ(list.lower_bound("b", ""), list.size());
    EXPECT_EQ(ObjectList().lower_bound("a", ""), 0u);
}

TEST(Splice, Only_the_field_of_the_metadata_is_replaced) {
    const std::string body =
        R"({"a":{"resourceVersion":"1"},"metadata":{"labels":{"resourceVersion":"1","q":"\"}"},)"
        R"("x":[1,{"resourceVersion":"1"}], "resourceVersion" : "12"},"spec":{}})";
    EXPECT_EQ(
        with_revision(body, 4711),
        R"({"a":{"resourceVersion":"1"},"metadata":{"labels":{"resourceVersion":"1","q":"\"}"},)"
        R"("x":[1,{"resourceVersion":"1"}], "resourceVersion" : "4711"},"spec":{}})");
    EXPECT_EQ(with_revision(R"({"metadata":{"name":"a"}})", 1), std::nullopt);
    EXPECT_EQ(with_revision(R"({"spec":{}})", 1), std::nullopt);
    EXPECT_EQ(with_revision("", 1), std::nullopt);
    EXPECT_EQ(with_revision("{\"metadata\"", 1), std::nullopt);
}

TEST(Splice, The_same_body_is_recognised_whatever_the_length_of_the_revision) {
    const crds::Body body = body_of(workspace("a"), "x");
    EXPECT_TRUE(same_body(body, 9, body.with(9)));
    EXPECT_TRUE(same_body(body, 1234, body.with(1234)));
    EXPECT_FALSE(same_body(body, 9, body.with(8)));
    EXPECT_FALSE(same_body(body, 10, body.with(9)));
    EXPECT_FALSE(same_body(body, 9, body_of(workspace("a"), "y").with(9)));
    EXPECT_FALSE(same_body(body, 9, ""));
}

TEST(Sealer, Opens_what_it_sealed_and_nothing_else) {
    SystemRandom random;
    const Sealer sealer = must(Sealer::make({std::string(32, 'k')}, random));
    const std::string sealed = sealer.seal("attack at dawn", "here");
    EXPECT_EQ(sealed.find("attack"), std::string::npos);
    EXPECT_NE(sealer.seal("attack at dawn", "here"), sealed) << "a nonce is used once";
    EXPECT_EQ(must(sealer.open(sealed, sealer.key_id(), "here")), "attack at dawn");
    EXPECT_EQ(must(sealer.open(sealer.seal("", "here"), sealer.key_id(), "here")), "");
    EXPECT_EQ(code_of(sealer.open(sealed, sealer.key_id(), "there")), Code::internal);
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string damaged = sealed;
        damaged[i] = static_cast<char>(damaged[i] ^ 1);
        EXPECT_EQ(code_of(sealer.open(damaged, sealer.key_id(), "here")), Code::internal);
    }
    EXPECT_EQ(code_of(sealer.open(sealed.substr(0, 20), sealer.key_id(), "here")), Code::internal);
    EXPECT_EQ(code_of(sealer.open(sealed, "another", "here")), Code::invalid);
}

TEST(Sealer, An_old_key_still_opens_while_a_new_one_seals) {
    SystemRandom random;
    const Sealer old = must(Sealer::make({std::string(32, 'o')}, random));
    const Sealer both = must(Sealer::make({std::string(32, 'n'), std::string(32, 'o')}, random));
    EXPECT_NE(old.key_id(), both.key_id());
    const std::string sealed = old.seal("value", "here");
    EXPECT_EQ(must(both.open(sealed, old.key_id(), "here")), "value");
    const std::string again = both.seal("value", "here");
    EXPECT_EQ(code_of(old.open(again, both.key_id(), "here")), Code::invalid);
    EXPECT_EQ(code_of(Sealer::make({"short"}, random)), Code::invalid);
}

TEST(ArrayLiteral, Says_anything_that_a_body_may_hold) {
    ArrayLiteral texts;
    texts.add(R"({"a":"b\n"})");
    texts.add("");
    texts.add("NULL");
    texts.add_null();
    texts.add("a,b}c");
    EXPECT_EQ(std::move(texts).take(), R"({"{\"a\":\"b\\n\"}","","NULL",NULL,"a,b}c"})");
    ArrayLiteral bytes;
    bytes.add_bytes(std::string_view("\0\xff", 2));
    EXPECT_EQ(std::move(bytes).take(), R"({"\\x00ff"})");
    EXPECT_EQ(ArrayLiteral().take(), "{}");
}

TEST(Schema, A_newer_database_is_refused) {
    must(check_version(0));
    must(check_version(schema_version));
    EXPECT_EQ(code_of(check_version(schema_version + 1)), Code::unsupported);
}

}  // namespace
}  // namespace atelier::store
