#include "crds/meta.h"

#include <gtest/gtest.h>

#include "crds/lifecycle.h"

namespace atelier::crds {
namespace {

constexpr std::string_view full = R"({
  "apiVersion":"atelier.dev/v1alpha1","kind":"Workspace",
  "metadata":{"name":"acme-pm","generateName":"acme-","namespace":"default","uid":"u-1",
    "resourceVersion":"42","generation":3,
    "creationTimestamp":"2026-01-31T12:00:00Z","deletionTimestamp":"2026-01-31T12:00:01Z",
    "labels":{"a\u0062":"c\n"},"annotations":{"x/y":"{\"z\":1}"},"finalizers":["f1","f2"],
    "ownerReferences":[{"apiVersion":"v1","kind":"Org","name":"o","uid":"u-0","controller":true},
                       {"apiVersion":"v1","kind":"Org","name":"p","uid":"u-2","controller":null}],
    "managedFields":[{"manager":"kubectl"}]},
  "spec":{"metadata":{"name":"not me"}}})";

void expect_full(const Meta& meta) {
    EXPECT_EQ(meta.name, "acme-pm");
    EXPECT_EQ(meta.generate_name, "acme-");
    EXPECT_EQ(meta.ns, "default");
    EXPECT_EQ(meta.uid, "u-1");
    EXPECT_EQ(meta.revision, 42);
    EXPECT_EQ(meta.generation, 3);
    ASSERT_TRUE(meta.created_at && meta.deleted_at);
    EXPECT_EQ(rfc3339(*meta.created_at), "2026-01-31T12:00:00Z");
    EXPECT_EQ(rfc3339(*meta.deleted_at), "2026-01-31T12:00:01Z");
    EXPECT_EQ(meta.label("ab"), "c\n");
    EXPECT_EQ(meta.label("absent"), "");
    EXPECT_EQ(meta.annotation("x/y"), R"({"z":1})");
    EXPECT_TRUE(meta.has_finalizer("f2"));
    EXPECT_FALSE(meta.has_finalizer("f3"));
    ASSERT_EQ(meta.owners.size(), 2u);
    ASSERT_NE(meta.controller(), nullptr);
    EXPECT_EQ(meta.controller()->name, "o");
    EXPECT_FALSE(meta.owners[1].controller.has_value());
}

TEST(Meta, BothReadersSeeTheSame) {
    const Result<Meta> peeked = peek_meta(full);
    ASSERT_TRUE(peeked) << peeked.error().message << peeked.error().detail;
    expect_full(*peeked);
    const auto document = json::parse(full);
    ASSERT_TRUE(document);
    const Result<Meta> read = read_meta(*document);
    ASSERT_TRUE(read) << read.error().message;
    expect_full(*read);
}

TEST(Meta, PeekRefusesWhatIsNotAnObjectWithMetadata) {
    for (const std::string_view text :
         {"", "[]", "{}", "7", "{\"metadata\":7}", "{\"metadata\":{\"name\":7}}",
          "{\"metadata\":{\"labels\":{\"a\":1}}}", "{\"metadata\":{\"name\":\"a\"",
          "{\"metadata\":{\"resourceVersion\":\"x\"}}",
          "{\"metadata\":{\"creationTimestamp\":\"yesterday\"}}"}) {
        EXPECT_FALSE(peek_meta(text)) << text;
    }
}

TEST(Meta, ReadNamesTheFieldThatIsWrong) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {R"({"metadata":[]})", "metadata: must be an object"},
        {R"({"metadata":{"name":1}})", "metadata.name: must be a string"},
        {R"({"metadata":{"labels":{"a":1}}})", "metadata.labels.a: must be a string"},
        {R"({"metadata":{"finalizers":"a"}})", "metadata.finalizers: must be a list"},
        {R"({"metadata":{"generation":"1"}})", "metadata.generation: must be an integer"},
        {R"({"metadata":{"deletionTimestamp":"x"}})",
         "metadata.deletionTimestamp: must be an RFC 3339 time"},
    };
    for (const auto& [text, message] : rows) {
        const Result<Meta> meta = read_meta(*json::parse(text));
        ASSERT_FALSE(meta) << text;
        EXPECT_EQ(meta.error().message, message);
    }
    EXPECT_TRUE(read_meta(*json::parse(R"({"metadata":{"creationTimestamp":null}})")));
}

TEST(Meta, WriteAndReadGiveTheSame) {
    json::Document out(rapidjson::kObjectType);
    json::set(out, "metadata", write_meta(*peek_meta(full), out.GetAllocator()),
              out.GetAllocator());
    Meta expected = *peek_meta(full);
    const Meta actual = *read_meta(out);
    EXPECT_EQ(actual.revision, 0) << "resourceVersion is the store's to write";
    EXPECT_EQ(actual.labels, expected.labels);
    EXPECT_EQ(actual.finalizers, expected.finalizers);
    EXPECT_EQ(actual.owners.size(), expected.owners.size());
    EXPECT_EQ(actual.created_at, expected.created_at);
    EXPECT_EQ(actual.deleted_at, expected.deleted_at);
    EXPECT_EQ(actual.generation, expected.generation);
}

TEST(Body, HasItsHoleInMetadata) {
    const auto document = json::parse(full);
    const Body body = encode_body(*document);
    ASSERT_TRUE(
        body.text.starts_with(R"({"apiVersion":"atelier.dev/v1alpha1","kind":"Workspace",)"))
        << body.text;
    EXPECT_EQ(peek_meta(body.text)->revision, 0);
    const std::string stored = body.with(9223372036854775807);
    EXPECT_EQ(peek_meta(stored)->revision, 9223372036854775807);
    EXPECT_TRUE(json::parse(stored));
    json::Document without = json::copy(*json::parse(body.with(42)));
    EXPECT_EQ(json::canonical(without), json::canonical(*document));
}

TEST(Body, AnObjectWithoutMetadataGetsSome) {
    const Body body = encode_body(*json::parse(R"({"data":{}})"));
    EXPECT_EQ(body.with(7), R"({"metadata":{"resourceVersion":"7"},"data":{}})");
}

TEST(Status, TransitionTimeMovesOnlyWhenTheStatusFlips) {
    const Instant t0{std::chrono::seconds(100)}, t1{std::chrono::seconds(200)};
    StatusBase status;
    status.set({"Ready", ConditionStatus::no, "Starting", "starting"}, t0);
    status.set({"Ready", ConditionStatus::no, "Pulling", "pulling", {}, 4}, t1);
    ASSERT_EQ(status.conditions.size(), 1u);
    EXPECT_EQ(status.find("Ready")->last_transition_time, t0);
    EXPECT_EQ(status.find("Ready")->reason, "Pulling");
    EXPECT_EQ(status.find("Ready")->observed_generation, 4);
    status.set({"Ready", ConditionStatus::yes, "Running", ""}, t1);
    EXPECT_EQ(status.find("Ready")->last_transition_time, t1);
    EXPECT_TRUE(status.is_true("Ready"));
    status.clear("Ready");
    EXPECT_EQ(status.find("Ready"), nullptr);
}

TEST(Key, Text) {
    EXPECT_EQ((Key{"workspaces.atelier.dev", "default", "acme-pm"}.text()),
              "workspaces.atelier.dev default/acme-pm");
    EXPECT_EQ((Key{"namespaces", "", "default"}.text()), "namespaces default");
}

}  // namespace
}  // namespace atelier::crds
