// What holds for databases, which outlive the program and are seen by others.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "base/file.h"
#include "crds/plugin.h"
#include "crds/plugin_install.h"
#include "crds/plugin_update.h"
#include "crds/workspace.h"
#include "world.h"

namespace atelier::store {
namespace {

class Databases : public testing::TestWithParam<Where> {
  protected:
    void SetUp() override {
        place_ = GetParam().make();
        if (!place_) return skip_without_postgres();
        world_ = std::make_unique<World>(place_);
        must(world_->open());
    }
    Store& store() { return world_->store(); }
    Result<ObjectPtr> put(Write write) { return write_and_wait(store(), std::move(write)); }
    bool is_sqlite() const { return GetParam().name == "sqlite"; }

    template <class T>
    void put_typed(T object) {
        Write write;
        write.key = object.key();
        write.body = crds::encode_body(crds::encode(object));
        must(put(std::move(write)));
    }

    std::shared_ptr<Place> place_;
    std::unique_ptr<World> world_;
};

TEST_P(Databases, A_wrong_key_is_told_when_the_store_opens) {
    must(put(create(secret("token"), "very secret")));
    world_->options().encryption_key = std::string(32, 'x');
    const auto opened = world_->open();
    ASSERT_EQ(code_of(opened), Code::invalid);
    EXPECT_NE(opened.error().message.find("encryption key"), std::string::npos);
    world_->options().encryption_key = "short";
    EXPECT_EQ(code_of(world_->open()), Code::invalid);
    world_->options().encryption_key = "";
    EXPECT_EQ(code_of(world_->open()), Code::invalid);
    world_->options().encryption_key = std::string(32, 'k');
    must(world_->open());
    EXPECT_EQ(text_of(*store().get(secret("token"))), "very secret");
}

TEST_P(Databases, A_new_key_takes_the_place_of_the_old_one) {
    must(put(create(secret("token"), "first")));
    must(put(update(secret("token"), 1, "second")));
    must(put(create(secret("gone"), "gone")));
    must(put(remove(secret("gone"), 3)));
    const std::string all =
        "SELECT key_id FROM objects WHERE sealed IS NOT NULL UNION SELECT key_id FROM log WHERE "
        "sealed IS NOT NULL UNION SELECT previous_key_id FROM log WHERE previous_sealed IS NOT "
        "NULL";
    const auto old_id = place_->query(all);
    ASSERT_EQ(old_id.size(), 1u);
    const auto old_bytes = place_->query("SELECT sealed FROM objects WHERE sealed IS NOT NULL");
    ASSERT_EQ(old_bytes.size(), 1u);
    world_->close();

    const std::string old_key(32, 'k');
    const std::string new_key(32, 'n');
    world_->options().encryption_key = new_key;
    world_->options().old_encryption_keys = {old_key};
    must(world_->open());
    EXPECT_EQ(text_of(*store().get(secret("token"))), "second");
    const auto history = must(store().events("secrets", 0, 10));
    ASSERT_EQ(history.size(), 4u);
    EXPECT_EQ(text_of(*history[1]->previous), "first");
    EXPECT_EQ(text_of(*history[3]->previous), "gone");
    const auto new_id = place_->query(all);
    EXPECT_EQ(new_id.size(), 1u);
    EXPECT_NE(new_id, old_id);
    world_->close();
    if (is_sqlite()) {
        for (const auto& entry : std::filesystem::directory_iterator(
                 std::filesystem::path(world_->options().url.substr(7)).parent_path())) {
            const std::string bytes = must(read_file(entry.path()));
            EXPECT_EQ(bytes.find(old_bytes[0]), std::string::npos) << entry.path();
        }
    }

    world_->options().old_encryption_keys.clear();
    must(world_->open());
    EXPECT_EQ(text_of(*store().get(secret("token"))), "second");
    world_->options().encryption_key = old_key;
    EXPECT_EQ(code_of(world_->open()), Code::invalid);
}

TEST_P(Databases, What_cannot_be_sealed_anew_leaves_everything_under_the_old_key) {
    must(put(create(secret("a"), "a")));
    must(put(create(secret("b"), "b")));
    world_->close();
    (void)place_->query(
        "UPDATE objects SET sealed = (SELECT sealed FROM objects WHERE name = 'a') "
        "WHERE name = 'b'");
    const auto before = place_->query("SELECT value FROM meta WHERE name = 'key_id'");
    world_->options().old_encryption_keys = {world_->options().encryption_key};
    world_->options().encryption_key = std::string(32, 'n');
    EXPECT_EQ(code_of(world_->open()), Code::internal);
    EXPECT_EQ(place_->query("SELECT value FROM meta WHERE name = 'key_id'"), before);
    const std::string ids = "SELECT DISTINCT key_id FROM objects WHERE sealed IS NOT NULL";
    EXPECT_EQ(place_->query(ids), before);
}

TEST_P(Databases, Secrets_are_not_readable_in_the_database) {
    must(put(create(secret("token"), "SESAME-OPEN")));
    must(put(update(secret("token"), 1, "SESAME-CHANGED")));
    must(put(create(workspace("plain"), "WORKSPACE-TEXT")));
    for (const char* query : {"SELECT count(*) FROM objects WHERE body LIKE '%SESAME%'",
                              "SELECT count(*) FROM log WHERE body LIKE '%SESAME%'",
                              "SELECT count(*) FROM log WHERE previous_body LIKE '%SESAME%'"}) {
        EXPECT_EQ(place_->query(query), std::vector<std::string>{"0"});
    }
    EXPECT_EQ(place_->query("SELECT count(*) FROM objects WHERE sealed IS NOT NULL"),
              std::vector<std::string>{"1"});
    EXPECT_EQ(place_->query("SELECT count(*) FROM log WHERE sealed IS NOT NULL"),
              std::vector<std::string>{"2"});
    if (!is_sqlite()) return;
    // The file and what SQLite keeps beside it.
    const std::filesystem::path file = world_->options().url.substr(7);
    bool found_plain = false;
    for (const auto& entry : std::filesystem::directory_iterator(file.parent_path())) {
        const std::string bytes = must(read_file(entry.path()));
        EXPECT_EQ(bytes.find("SESAME"), std::string::npos) << entry.path();
        found_plain = found_plain || bytes.find("WORKSPACE-TEXT") != std::string::npos;
        EXPECT_EQ(entry.status().permissions(),
                  std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
            << entry.path();
    }
    EXPECT_TRUE(found_plain) << "else the search above proves nothing";
}

TEST_P(Databases, A_sealed_value_cannot_be_moved_to_another_object) {
    must(put(create(secret("mine"), "mine")));
    must(put(create(secret("yours"), "yours")));
    world_->close();
    (void)place_->query(
        "UPDATE objects SET sealed = (SELECT sealed FROM objects WHERE name = 'mine') "
        "WHERE name = 'yours'");
    EXPECT_EQ(code_of(world_->open()), Code::internal);
}

TEST_P(Databases, A_second_server_is_turned_away) {
    World second(place_);
    const auto opened = second.open();
    ASSERT_EQ(code_of(opened), Code::unavailable);
    EXPECT_NE(opened.error().message.find("in use by another atelier server"), std::string::npos)
        << opened.error().message;
    world_->close();
    must(second.open());
}

TEST_P(Databases, A_database_of_a_newer_release_is_refused_untouched) {
    world_->close();
    (void)place_->query("UPDATE meta SET value = '999' WHERE name = 'schema_version'");
    const auto opened = world_->open();
    ASSERT_EQ(code_of(opened), Code::unsupported);
    EXPECT_NE(opened.error().message.find("999"), std::string::npos);
    EXPECT_EQ(place_->query("SELECT value FROM meta WHERE name = 'schema_version'"),
              std::vector<std::string>{"999"});
}

TEST_P(Databases, Objects_changed_behind_the_servers_back_are_not_overwritten) {
    must(put(create(workspace("a"))));
    must(put(create(workspace("b"))));
    (void)place_->query("UPDATE objects SET revision = 77 WHERE name = 'a'");
    EXPECT_EQ(code_of(put(update(workspace("a"), 1, "x"))), Code::internal);
    EXPECT_EQ(place_->query("SELECT revision FROM objects WHERE name = 'a'"),
              std::vector<std::string>{"77"});
    EXPECT_EQ(must(put(update(workspace("b"), 2, "y")))->revision, 3) << "others are not harmed";
}

TEST_P(Databases, The_log_has_a_line_for_each_revision) {
    must(put(create(workspace("a"), "1")));
    must(put(update(workspace("a"), 1, "2")));
    must(put(remove(workspace("a"), 2)));
    EXPECT_EQ(place_->query("SELECT revision, change, ns, name, previous FROM log ORDER BY "
                            "revision"),
              (std::vector<std::string>{"1|added|default|a|-", "2|modified|default|a|1",
                                        "3|deleted|default|a|2"}));
    EXPECT_EQ(place_->query("SELECT revision FROM counter"), std::vector<std::string>{"3"});
}

TEST_P(Databases, The_views_show_the_objects_as_tables) {
    crds::Workspace lead;
    lead.meta.name = "acme-lead";
    lead.meta.ns = "default";
    lead.meta.uid = "11111111-1111-4111-8111-111111111111";
    lead.meta.created_at = world_->clock().now();
    lead.spec.display_name = "Core Lead";
    lead.spec.org = "acme";
    lead.spec.tier = 3;
    lead.status.conditions.push_back(
        {"Ready", crds::ConditionStatus::yes, "Running", "the agent runs"});
    put_typed(lead);
    crds::Workspace dev = lead;
    dev.meta.name = "acme-dev";
    dev.meta.uid = "22222222-2222-4222-8222-222222222222";
    dev.spec.parent = "acme-lead";
    dev.spec.desired_state = crds::DesiredState::paused;
    put_typed(dev);
    EXPECT_EQ(place_->query("SELECT name, display_name, tier, org, status, status_reason, "
                            "parent_id, revision FROM workspaces ORDER BY name"),
              (std::vector<std::string>{
                  "acme-dev|Core Lead|3|acme|paused|Running|11111111-1111-4111-8111-111111111111|2",
                  "acme-lead|Core Lead|3|acme|online|Running|-|1"}));

    crds::Plugin plugin;
    plugin.meta.name = "review";
    plugin.meta.ns = "default";
    plugin.spec.source = "github://acme/review";
    plugin.spec.track = "tag:latest";
    put_typed(plugin);
    crds::PluginInstall install;
    install.meta.name = "acme-dev.review";
    install.meta.ns = "default";
    install.spec.workspace = "acme-dev";
    install.spec.plugin = "review";
    install.status.delivered_commit = "abc";
    put_typed(install);
    EXPECT_EQ(place_->query("SELECT workspace_id, plugin_name, source_raw, tracked_ref, "
                            "installed_sha FROM workspace_plugins"),
              std::vector<std::string>{"22222222-2222-4222-8222-222222222222|review|"
                                       "github://acme/review|tag:latest|abc"});

    crds::PluginUpdate queued;
    queued.meta.name = "review-abcdef0";
    queued.meta.ns = "default";
    queued.spec.plugin = "review";
    queued.spec.from.commit = "abc";
    queued.spec.to.commit = "def";
    queued.status.phase = crds::UpdatePhase::rolling_out;
    queued.status.total = 7;
    put_typed(queued);
    EXPECT_EQ(place_->query("SELECT plugin_name, from_sha, to_sha, status, installs_total FROM "
                            "plugin_update_queue"),
              std::vector<std::string>{"review|abc|def|rollingout|7"});

    Write event;
    event.key = {"events", "default", "acme-dev.1"};
    event.body.text =
        R"({"apiVersion":"v1","kind":"Event","metadata":{"name":"acme-dev.1","namespace":"default",)"
        R"("uid":"e1","resourceVersion":""},"involvedObject":{"kind":"Workspace","name":"acme-dev",)"
        R"("uid":"22222222-2222-4222-8222-222222222222"},"reason":"Started","type":"Normal",)"
        R"("message":"the unit runs","count":3,"lastTimestamp":"2026-01-31T12:00:00Z"})";
    event.body.revision_at = event.body.text.find("\"resourceVersion\":\"") + 19;
    must(put(event));
    EXPECT_EQ(
        place_->query("SELECT id, event_type, target_id, object_name, count FROM "
                      "structure_events WHERE payload IS NOT NULL"),
        std::vector<std::string>{"e1|Started|22222222-2222-4222-8222-222222222222|acme-dev|3"});
}

TEST_P(Databases, A_name_that_the_database_cannot_hold_harms_nobody_else) {
    const std::string odd("nul\0nul", 7);
    std::vector<Code> codes(3, Code::internal);
    std::atomic<int> answered = 0;
    for (int i = 0; i < 3; ++i) {
        const Key key = i == 1 ? workspace(odd) : workspace(fmt::format("w{}", i));
        store().write(create(key), [&, i](Result<ObjectPtr> answer) {
            codes[static_cast<std::size_t>(i)] = answer ? Code::conflict : answer.error().code;
            ++answered;
        });
    }
    world_->close();
    EXPECT_EQ(answered, 3);
    must(world_->open());
    EXPECT_NE(store().get(workspace("w0")), nullptr);
    EXPECT_NE(store().get(workspace("w2")), nullptr);
    if (!is_sqlite()) {
        EXPECT_EQ(codes[1], Code::invalid);
        EXPECT_EQ(store().revision(), 2);
    }
}

std::string where_name(const testing::TestParamInfo<Where>& info) {
    return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(All, Databases,
                         testing::Values(Where{"sqlite", sqlite_place},
                                         Where{"postgres", postgres_place}),
                         where_name);

TEST(Open, Says_what_a_url_may_be) {
    ManualClock clock;
    SystemRandom random;
    Metrics metrics;
    for (const char* url : {"", "mysql://x", "sqlite", "sqlite:"}) {
        const auto opened =
            open({.url = url, .encryption_key = std::string(32, 'k')}, clock, random, metrics, {});
        EXPECT_EQ(code_of(opened), Code::invalid) << url;
    }
    if (!test_postgres().empty()) {
        const std::string absent = with_schema(test_postgres(), "absent_schema");
        const auto opened = open({.url = absent, .encryption_key = std::string(32, 'k')}, clock,
                                 random, metrics, {});
        ASSERT_EQ(code_of(opened), Code::invalid);
        EXPECT_NE(opened.error().message.find("schema"), std::string::npos);
    }
    const auto nowhere = open({.url = "postgres://nobody:hunter2@127.0.0.1:1/none",
                               .encryption_key = std::string(32, 'k')},
                              clock, random, metrics, {});
    ASSERT_EQ(code_of(nowhere), Code::unavailable);
    EXPECT_EQ((nowhere.error().message + nowhere.error().detail).find("hunter2"),
              std::string::npos);
}

}  // namespace
}  // namespace atelier::store
