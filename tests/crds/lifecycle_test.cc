#include "crds/lifecycle.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "crds/causes.h"
#include "crds/org.h"
#include "crds/plugin.h"
#include "crds/workspace.h"
#include "crds/yaml.h"

namespace atelier::crds {
namespace {

const Kinds& kinds() {
    static const Kinds made = [] {
        Kinds all = *atelier_kinds();
        add_core_kinds(all);
        return all;
    }();
    return made;
}

class NoObjects final : public Lookup {
  public:
    std::string find(const Key&) const override { return {}; }
};

class LifecycleTest : public testing::Test {
  protected:
    Admission admission() { return {now_, random_, lookup_, &unknown_}; }
    json::Document yaml(std::string_view text) {
        auto documents = parse_yaml(text, "test");
        EXPECT_TRUE(documents) << documents.error().message;
        return std::move(documents->front().value);
    }
    Result<json::Document> create(std::string_view resource, std::string_view text) {
        unknown_.clear();
        return admit_create(*kinds().find(resource), yaml(text), admission());
    }
    Result<json::Document> update(std::string_view resource, const json::Value& old,
                                  json::Document object) {
        unknown_.clear();
        return admit_update(*kinds().find(resource), old, std::move(object), admission());
    }

    Instant now_{std::chrono::seconds(1'800'000'000)};
    SeededRandom random_{1};
    NoObjects lookup_;
    std::vector<std::string> unknown_;
};

constexpr std::string_view workspace = R"(
apiVersion: atelier.dev/v1alpha1
kind: Workspace
metadata:
  name: pm
  namespace: default
  uid: mine
  generation: 7
  creationTimestamp: null
  labels: {}
  bogus: 1
spec:
  role: manager
  bogus: {a: 1}
  files:
  - {path: a, odd: 1}
status:
  restarts: 9
)";

TEST_F(LifecycleTest, CreateFillsPrunesAndDefaults) {
    const auto made = create("workspaces.atelier.dev", workspace);
    ASSERT_TRUE(made) << made.error().message;
    const json::Document& object = *made;
    EXPECT_EQ(unknown_,
              (std::vector<std::string>{"metadata.bogus", "spec.bogus", "spec.files[0].odd"}));
    const Meta meta = *read_meta(object);
    EXPECT_EQ(meta.uid.size(), 36u);
    EXPECT_EQ(meta.generation, 1);
    EXPECT_EQ(meta.created_at, now_);
    EXPECT_EQ(json::find(object, {"status"}), nullptr);
    EXPECT_EQ(json::find(object, {"metadata", "labels"}), nullptr) << "empty maps are not stored";
    EXPECT_EQ(json::string_at(object, {"spec", "runtime"}), "langgraph");
    EXPECT_EQ(json::string_at(object, {"spec", "updateTier"}), "production");
    EXPECT_EQ((*json::find(object, {"spec", "tier"})).GetInt(), 2);
    EXPECT_EQ(json::text((*json::find(object, {"spec", "files"}))),
              R"([{"path":"a","executable":false}])");
}

TEST_F(LifecycleTest, ASpecThatIsNotThereIsDefaultedWhereNothingIsRequired) {
    const auto tier = create("updatetiers.atelier.dev", "metadata: {name: canary}");
    ASSERT_TRUE(tier) << tier.error().message;
    EXPECT_EQ(json::text((*tier)["spec"]), R"({"maxUnavailable":1,"order":100})");
    EXPECT_EQ(json::string_at(*tier, {"apiVersion"}), "atelier.dev/v1alpha1");
    const auto plugin = create("plugins.atelier.dev", "metadata: {name: a, namespace: b}");
    ASSERT_FALSE(plugin);
    EXPECT_EQ(plugin.error().message, "Plugin.atelier.dev \"a\" is invalid: spec: Required value");
}

TEST_F(LifecycleTest, TheTypedFormWritesBackWhatWasStored) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"workspaces.atelier.dev",
         "metadata: {name: a, namespace: d}\nspec: {schedules: [{name: s, cronExpr: '0 * * * *'}], "
         "channels: [{type: slack}], initialMemories: [{content: x}], files: [{path: p}]}"},
        {"orgs.atelier.dev", "metadata: {name: a, namespace: d}\nspec: {templateRef: {name: t}}"},
        {"plugins.atelier.dev",
         "metadata: {name: a, namespace: d}\nspec: {source: 'github://a/b#v1'}"},
    };
    for (const auto& [resource, text] : rows) {
        const auto made = create(resource, text);
        ASSERT_TRUE(made) << made.error().message;
        json::Document again;
        if (resource == "workspaces.atelier.dev") again = encode(*decode<Workspace>(*made));
        if (resource == "orgs.atelier.dev") again = encode(*decode<Org>(*made));
        if (resource == "plugins.atelier.dev") again = encode(*decode<Plugin>(*made));
        const auto updated = update(resource, *made, std::move(again));
        ASSERT_TRUE(updated) << updated.error().message;
        EXPECT_EQ(json::text(*updated), json::text(*made));
    }
}

TEST_F(LifecycleTest, CreateRefuses) {
    const std::tuple<std::string_view, std::string_view, std::string_view> rows[] = {
        {"workspaces.atelier.dev", "metadata: {namespace: d}\nspec: {}",
         "Workspace.atelier.dev \"\" is invalid: metadata.name: Required value: name or "
         "generateName "
         "is required"},
        {"workspaces.atelier.dev", "metadata: {name: a, namespace: d, resourceVersion: '1'}",
         "resourceVersion should not be set on objects to be created"},
        {"workspaces.atelier.dev", "metadata: {name: a}\nspec: {}",
         "Workspace.atelier.dev \"a\" is invalid: metadata.namespace: Required value"},
        {"updatetiers.atelier.dev", "metadata: {name: a, namespace: d}",
         "UpdateTier.atelier.dev \"a\" is invalid: metadata.namespace: Forbidden: not allowed on "
         "this "
         "type"},
        {"workspaces.atelier.dev", "kind: Plugin\nmetadata: {name: a, namespace: d}",
         "kind is \"Plugin\", but \"Workspace\" is wanted here"},
        {"workspaces.atelier.dev", "apiVersion: v2\nmetadata: {name: a, namespace: d}",
         "apiVersion is \"v2\", but \"atelier.dev/v1alpha1\" is wanted here"},
        {"workspaces.atelier.dev", "kind: 1\nmetadata: {name: a, namespace: d}",
         "kind must be a string"},
        {"workspaces.atelier.dev", "metadata: {name: a, namespace: d, managedFields: [1]}",
         "metadata.managedFields: must be a list of objects"},
        {"workspaces.atelier.dev", "metadata: {name: a, namespace: d, labels: [1]}",
         "metadata.labels: must be an object"},
        {"workspaces.atelier.dev", "metadata: {name: a, namespace: d}\nspec: {tier: 9}",
         "Workspace.atelier.dev \"a\" is invalid: spec.tier: Invalid value: 9: spec.tier in body "
         "should be less than or equal to 4"},
        {"workspaces.atelier.dev",
         "metadata: {name: a, namespace: d}\nspec: {tier: high, image: 1}",
         "Workspace.atelier.dev \"a\" is invalid: [spec.tier: Invalid value: \"string\": spec.tier "
         "in "
         "body must be of type integer: \"string\", spec.image: Invalid value: \"integer\": "
         "spec.image in body must be of type string: \"integer\"]"},
        {"configmaps", "metadata: {name: A, namespace: d}",
         "ConfigMap \"A\" is invalid: metadata.name: Invalid value: \"A\": a lowercase RFC 1123 "
         "subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
         "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
         "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"},
    };
    for (const auto& [resource, text, message] : rows) {
        const auto made = create(resource, text);
        ASSERT_FALSE(made) << text;
        EXPECT_EQ(made.error().code, Code::invalid);
        EXPECT_EQ(made.error().message, message);
    }
    EXPECT_FALSE(
        admit_create(*kinds().find("secrets"), json::Document(rapidjson::kArrayType), admission()));
}

TEST_F(LifecycleTest, MetadataFollowsTheRules) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"labels: {'a b': c}", "metadata.labels"},
        {"labels: {a: 'b c'}", "metadata.labels"},
        {"labels: {a: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}",
         "metadata.labels"},
        {"labels: {'/a': b}", "metadata.labels"},
        {"labels: {'A.b/c': d}", "metadata.labels"},
        {"annotations: {'a b': c}", "metadata.annotations"},
        {"finalizers: ['a b']", "metadata.finalizers[0]"},
        {"ownerReferences: [{apiVersion: v1, kind: A, name: b}]",
         "metadata.ownerReferences[0].uid"},
        {"ownerReferences: [{apiVersion: v1, kind: A, name: b, uid: c, controller: true}, "
         "{apiVersion: v1, kind: A, name: d, uid: e, controller: true}]",
         "metadata.ownerReferences"},
    };
    for (const auto& [text, field] : rows) {
        const auto made =
            create("configmaps", "metadata:\n  name: a\n  namespace: d\n  " + std::string(text));
        ASSERT_FALSE(made) << text;
        ASSERT_EQ(made.error().causes.size(), 1u) << made.error().message;
        EXPECT_EQ(made.error().causes[0].field, field);
    }
    const auto good =
        create("configmaps",
               "metadata: {name: a.b-c, namespace: d, labels: {app.kubernetes.io/name: "
               "X_1.a, a: ''}, annotations: {Some.Thing/A: 'any thing'}, finalizers: "
               "[atelier.dev/x, orphan]}");
    EXPECT_TRUE(good) << good.error().message;
    json::Document big = yaml("metadata: {name: a, namespace: d}");
    json::set(json::object_at(big["metadata"], "annotations", big.GetAllocator()), "a",
              std::string(262144, 'x'), big.GetAllocator());
    const auto refused = admit_create(*kinds().find("configmaps"), std::move(big), admission());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().causes[0].reason, "FieldValueTooLong");
}

// Fault 7: 30,000 bad labels gave an answer of 18.7 MB.
TEST_F(LifecycleTest, Fault7_FiftyCausesAreNamedAndTheOthersCounted) {
    std::string text = "metadata:\n  name: a\n  namespace: default\n  labels:\n";
    for (int i = 0; i < 30'000; ++i) text += "    -k" + std::to_string(i) + ": v\n";
    const auto refused = create("configmaps", text);
    ASSERT_FALSE(refused);
    ASSERT_EQ(refused.error().causes.size(), most_causes + 1);
    EXPECT_EQ(refused.error().causes.back().message, "and 29950 more");
    EXPECT_LT(refused.error().message.size(), 50'000u);
    EXPECT_TRUE(refused.error().message.ends_with(", and 29950 more]"));

    text = "metadata: {name: a, namespace: default}\n";
    for (int i = 0; i < 5'000; ++i) text += "x" + std::to_string(i) + ": v\n";
    ASSERT_TRUE(create("configmaps", text));
    ASSERT_EQ(unknown_.size(), 5'000u);
    EXPECT_EQ(unknown_[99], "x99");
    EXPECT_EQ(unknown_[100], "…");
}

// Fault 11: a patch built what the parser refuses; the object could then neither be read nor
// deleted.
TEST_F(LifecycleTest, Fault11_WhatCanBeStoredCanBeReadChangedAndDeleted) {
    const Kind& kind = *kinds().find("configmaps");
    std::size_t stored = 0;
    for (std::size_t depth = 80; depth < 110; ++depth) {
        json::Document object = yaml("metadata: {name: a, namespace: default}");
        auto& allocator = object.GetAllocator();
        json::Value inner(1);
        for (std::size_t i = 0; i < depth; ++i) {
            json::Value outer(rapidjson::kObjectType);
            json::set(outer, "f", std::move(inner), allocator);
            inner = std::move(outer);
        }
        json::Value managed(rapidjson::kArrayType);
        managed.PushBack(std::move(inner), allocator);
        json::set(object["metadata"], "managedFields", std::move(managed), allocator);
        const auto made = admit_create(kind, std::move(object), admission());
        if (!made) {
            EXPECT_EQ(made.error().message, "nested deeper than 100 levels");
            continue;
        }
        ++stored;
        const std::string text = encode_body(*made).with(1);
        const auto read = json::parse(text);
        ASSERT_TRUE(read) << depth << ": " << read.error().message;
        EXPECT_TRUE(peek_meta(text));
        json::Document next = json::copy(*read);
        json::set(json::object_at(next["metadata"], "labels", next.GetAllocator()), "a", "b",
                  next.GetAllocator());
        EXPECT_TRUE(admit_update(kind, *read, std::move(next), admission()));
        const auto ending = begin_deletion(kind, *read, now_, Propagation::foreground);
        ASSERT_TRUE(ending);
        EXPECT_TRUE(json::parse(encode_body(*ending).with(2)));
    }
    EXPECT_GT(stored, 10u);
    EXPECT_LT(stored, 25u) << "some were too deep";
}

TEST_F(LifecycleTest, GenerateNameAddsFiveLetters) {
    const auto made = create(
        "configmaps", "metadata: {generateName: " + std::string(70, 'a') + ", namespace: d}");
    ASSERT_TRUE(made) << made.error().message;
    const std::string name = json::string_at(*made, {"metadata", "name"});
    EXPECT_EQ(name.size(), 63u);
    EXPECT_EQ(name.find_first_of("aeiou", 58), std::string::npos);
    const auto kept =
        create("configmaps", "metadata: {generateName: a-, name: mine, namespace: d}");
    EXPECT_EQ(json::string_at(*kept, {"metadata", "name"}), "mine");
}

class Stored : public LifecycleTest {
  protected:
    // An object as the store has it, status and revision included.
    void SetUp() override {
        old_ = *create("workspaces.atelier.dev", workspace);
        json::set(old_["metadata"], "resourceVersion", "42", old_.GetAllocator());
        auto with_status = json::copy(old_);
        json::set(json::object_at(with_status, "status", with_status.GetAllocator()), "restarts",
                  json::Value(3), with_status.GetAllocator());
        old_ = *admit_status(kind(), old_, std::move(with_status), admission());
    }
    const Kind& kind() const { return *kinds().find("workspaces.atelier.dev"); }
    json::Document old_;
};

TEST_F(Stored, AnUpdateThatChangesNothingIsEqual) {
    now_ += std::chrono::hours(1);
    const auto same = update("workspaces.atelier.dev", old_, json::copy(old_));
    ASSERT_TRUE(same) << same.error().message;
    EXPECT_EQ(json::text(*same), json::text(old_));
    json::Document reduced = json::copy(old_);
    for (const char* field : {"uid", "resourceVersion", "generation", "creationTimestamp"}) {
        json::remove(reduced["metadata"], field);
    }
    json::remove(reduced, "status");
    json::remove(reduced["spec"], "tier");  // comes back as the default
    EXPECT_EQ(json::text(*update("workspaces.atelier.dev", old_, std::move(reduced))),
              json::text(old_));
}

TEST_F(Stored, GenerationFollowsTheSpecOnly) {
    json::Document labelled = json::copy(old_);
    json::set(json::object_at(labelled["metadata"], "labels", labelled.GetAllocator()), "a", "b",
              labelled.GetAllocator());
    const auto by_label = update("workspaces.atelier.dev", old_, std::move(labelled));
    ASSERT_TRUE(by_label);
    EXPECT_EQ(read_meta(*by_label)->generation, 1);
    EXPECT_EQ(read_meta(*by_label)->label("a"), "b");

    json::Document respecified = json::copy(old_);
    json::set(respecified["spec"], "model", "opus", respecified.GetAllocator());
    json::set(json::object_at(respecified, "status", respecified.GetAllocator()), "restarts",
              json::Value(77), respecified.GetAllocator());
    const auto by_spec = update("workspaces.atelier.dev", old_, std::move(respecified));
    ASSERT_TRUE(by_spec);
    EXPECT_EQ(read_meta(*by_spec)->generation, 2);
    EXPECT_EQ(json::find(*by_spec, {"status", "restarts"})->GetInt(), 3)
        << "status has its own door";
}

TEST_F(Stored, WhatNoClientMayChangeStays) {
    json::Document forged = json::copy(old_);
    auto& metadata = forged["metadata"];
    json::set(metadata, "generation", json::Value(99), forged.GetAllocator());
    json::set(metadata, "creationTimestamp", "2001-01-01T00:00:00Z", forged.GetAllocator());
    json::set(metadata, "deletionTimestamp", "2001-01-01T00:00:00Z", forged.GetAllocator());
    EXPECT_EQ(json::text(*update("workspaces.atelier.dev", old_, std::move(forged))),
              json::text(old_));
    json::Document renamed = json::copy(old_);
    json::set(renamed["metadata"], "name", "other", renamed.GetAllocator());
    EXPECT_EQ(update("workspaces.atelier.dev", old_, std::move(renamed)).error().code,
              Code::invalid);
    json::Document reborn = json::copy(old_);
    json::set(reborn["metadata"], "uid", "other", reborn.GetAllocator());
    EXPECT_EQ(update("workspaces.atelier.dev", old_, std::move(reborn)).error().code,
              Code::conflict);
}

TEST_F(Stored, StatusTakesNothingButStatus) {
    json::Document object = json::copy(old_);
    json::set(object["spec"], "model", "opus", object.GetAllocator());
    json::set(object["status"], "container", "ws-1", object.GetAllocator());
    json::set(object["status"], "bogus", "x", object.GetAllocator());
    unknown_.clear();
    const auto next = admit_status(kind(), old_, std::move(object), admission());
    ASSERT_TRUE(next) << next.error().message;
    EXPECT_EQ(unknown_, std::vector<std::string>{"status.bogus"});
    EXPECT_EQ(json::text((*next)["spec"]), json::text(old_["spec"]));
    EXPECT_EQ(json::text((*next)["metadata"]), json::text(old_["metadata"]));
    EXPECT_EQ(json::text((*next)["status"]), R"({"restarts":3,"container":"ws-1"})");
    json::Document wrong = json::copy(old_);
    json::set(wrong["status"], "restarts", "many", wrong.GetAllocator());
    const auto refused = admit_status(kind(), old_, std::move(wrong), admission());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().causes[0].field, "status.restarts");
    EXPECT_EQ(
        admit_status(*kinds().find("secrets"), old_, json::copy(old_), admission()).error().code,
        Code::unsupported);
}

TEST_F(Stored, DeletionWaitsForFinalizers) {
    EXPECT_FALSE(begin_deletion(kind(), old_, now_, Propagation::background));
    for (const auto& [propagation, finalizer] :
         {std::pair{Propagation::foreground, "foregroundDeletion"},
          std::pair{Propagation::orphan, "orphan"}}) {
        const auto held = begin_deletion(kind(), old_, now_, propagation);
        ASSERT_TRUE(held);
        EXPECT_TRUE(read_meta(*held)->has_finalizer(finalizer));
        EXPECT_FALSE(is_finished(*held));
        EXPECT_FALSE(begin_deletion(kind(), *held, now_, Propagation::background))
            << "a later choice replaces an earlier one";
    }
    json::Document guarded = json::copy(old_);
    json::Value finalizers(rapidjson::kArrayType);
    finalizers.PushBack("atelier.dev/workspace", guarded.GetAllocator());
    json::set(guarded["metadata"], "finalizers", std::move(finalizers), guarded.GetAllocator());
    guarded = *update("workspaces.atelier.dev", old_, std::move(guarded));
    const auto dying = begin_deletion(kind(), guarded, now_, Propagation::background);
    ASSERT_TRUE(dying);
    EXPECT_EQ(read_meta(*dying)->deleted_at, now_);
    EXPECT_EQ(read_meta(*dying)->generation, 2);
    const auto again =
        begin_deletion(kind(), *dying, now_ + std::chrono::hours(1), Propagation::background);
    EXPECT_EQ(json::text(*again), json::text(*dying)) << "deleting twice changes nothing";

    json::Document more = json::copy(*dying);
    more["metadata"]["finalizers"].PushBack("a/b", more.GetAllocator());
    const auto refused = update("workspaces.atelier.dev", *dying, std::move(more));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().causes[0].message,
              "Forbidden: no new finalizers can be added if the object is being deleted, found new "
              "finalizers []string{\"a/b\"}");

    json::Document freed = json::copy(*dying);
    json::remove(freed["metadata"], "finalizers");
    const auto gone = update("workspaces.atelier.dev", *dying, std::move(freed));
    ASSERT_TRUE(gone) << gone.error().message;
    EXPECT_TRUE(is_finished(*gone));
    EXPECT_EQ(read_meta(*gone)->generation, 2);
}

TEST_F(Stored, RulesThatGrewDoNotHoldAnObjectThatNobodyTouched) {
    json::Document old = json::copy(old_);
    json::set(old["spec"], "tier", json::Value(9), old.GetAllocator());  // valid once, long ago
    json::Document labelled = json::copy(old);
    json::set(json::object_at(labelled["metadata"], "labels", labelled.GetAllocator()), "a", "b",
              labelled.GetAllocator());
    EXPECT_TRUE(update("workspaces.atelier.dev", old, std::move(labelled)));
    json::Document respecified = json::copy(old);
    json::set(respecified["spec"], "model", "opus", respecified.GetAllocator());
    EXPECT_FALSE(update("workspaces.atelier.dev", old, std::move(respecified)));
}

TEST_F(Stored, ManagedFieldsAreKeptAndTheirTimesAreNoChange) {
    json::Document managed = json::copy(old_);
    json::set(managed["metadata"], "managedFields",
              json::Value(yaml("[{manager: kubectl, time: '2026-01-01T00:00:00Z'}]"),
                          managed.GetAllocator()),
              managed.GetAllocator());
    const auto stored = update("workspaces.atelier.dev", old_, std::move(managed));
    ASSERT_TRUE(stored);
    EXPECT_NE(json::find(*stored, {"metadata", "managedFields"}), nullptr);

    json::Document absent = json::copy(*stored);
    json::remove(absent["metadata"], "managedFields");
    EXPECT_EQ(json::text(*update("workspaces.atelier.dev", *stored, std::move(absent))),
              json::text(*stored));
    json::Document later = json::copy(*stored);
    json::set(later["metadata"]["managedFields"][0], "time", "2027-01-01T00:00:00Z",
              later.GetAllocator());
    EXPECT_EQ(json::text(*update("workspaces.atelier.dev", *stored, std::move(later))),
              json::text(*stored));
    json::Document reset = json::copy(*stored);
    reset["metadata"]["managedFields"].SetArray();
    const auto cleared = update("workspaces.atelier.dev", *stored, std::move(reset));
    ASSERT_TRUE(cleared);
    EXPECT_EQ(json::find(*cleared, {"metadata", "managedFields"}), nullptr);
}

}  // namespace
}  // namespace atelier::crds
