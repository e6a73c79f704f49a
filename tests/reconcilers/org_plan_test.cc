#include <gtest/gtest.h>

#include "base/text.h"
#include "reconcilers/environment/env_condition.h"
#include "reconcilers/environment/values.h"
#include "reconcilers/environment/workspace_env.h"
#include "reconcilers/org/expand.h"
#include "reconcilers/org/plan.h"
#include "reconcilers/org/status.h"

namespace atelier::reconcilers::org {
namespace {

const Instant now = Instant(std::chrono::hours(24 * 365 * 55));

crds::Org make_org(const std::string& name = "acme") {
    crds::Org out;
    out.meta.name = name;
    out.meta.ns = "default";
    out.meta.uid = name + "-uid";
    out.meta.generation = 1;
    out.spec.template_ref.name = "dev";
    return out;
}

templates::Node node(const std::string& key, const std::string& parent = "") {
    templates::Node out;
    out.key = key;
    out.parent = parent;
    out.name = key;
    out.runtime = "langgraph";
    return out;
}

templates::CompiledOrg tree(std::vector<templates::Node> nodes) {
    templates::CompiledOrg out;
    out.name = "Dev";
    out.nodes = std::move(nodes);
    return out;
}

// A small world: an Org, what its template compiles to, and what is there.
struct World {
    crds::Org the_org = make_org();
    Observed observed;

    explicit World(templates::CompiledOrg compiled) {
        the_org.spec.prune.volume_grace = {};
        observed.compiled = std::move(compiled);
        crds::OrgTemplate source;
        source.meta.name = "dev";
        source.meta.generation = 1;
        source.status.observed_generation = 1;
        source.status.set({.type = "Ready",
                           .status = crds::ConditionStatus::yes,
                           .reason = "Compiled",
                           .message = ""},
                          now);
        observed.source = source;
        observed.revision.emplace();
    }

    Desired desired() const { return desired_of(the_org, *observed.compiled, observed); }
    Plan plan() const { return org::plan(the_org, observed, now); }
    Plan plan_deletion() const {
        crds::Org deleted = the_org;
        deleted.meta.deleted_at = now;
        return org::plan(deleted, observed, now);
    }
    std::string text() const { return text_of(plan()); }

    // Those workspaces exist as they would have been made from `compiled`.
    World& has(const templates::CompiledOrg& compiled) {
        for (const DesiredWorkspace& workspace :
             desired_of(the_org, compiled, observed).workspaces) {
            crds::Workspace existing;
            existing.meta = workspace.meta;
            existing.meta.uid = workspace.name + "-uid";
            existing.meta.generation = 1;
            existing.spec = workspace.spec;
            observed.owned.push_back(existing);
            if (workspace.env.empty()) continue;
            crds::Secret secret;
            secret.meta.name = env_secret_name(workspace.name);
            secret.meta.labels[std::string(crds::label::workspace)] = workspace.name;
            secret.data = workspace.env;
            observed.env[secret.meta.name] = secret;
        }
        return *this;
    }
    crds::Workspace& existing(const std::string& name) {
        for (crds::Workspace& workspace : observed.owned) {
            if (workspace.meta.name == name) return workspace;
        }
        throw std::out_of_range(name);
    }
    // What deletions do.
    void act() {
        for (const Action& action : plan().actions) {
            if (const auto* remove = std::get_if<DeleteWorkspace>(&action)) {
                std::erase_if(observed.owned, [&](const crds::Workspace& workspace) {
                    return workspace.meta.name == remove->workspace.meta.name;
                });
            }
        }
    }
};

TEST(OrgPlan, FollowsFromTemplateAndWorkspaces) {
    const auto two = tree({node("pm"), node("be", "pm")});
    struct Case {
        const char* name;
        World world;
        const char* expected;
    };
    std::vector<Case> cases;
    cases.push_back({"new", World(two), "create acme-pm, create acme-be"});
    cases.push_back({"right", World(two).has(two), ""});
    {
        World world = World(two).has(two);
        world.observed.compiled->nodes[1].model = "sonnet";
        cases.push_back({"model", world, "update acme-be: files, model"});
    }
    {
        auto three = tree({node("pm"), node("lead", "pm"), node("qa", "pm")});
        World world = World(three).has(three);
        world.observed.compiled->nodes[2].parent = "lead";
        cases.push_back({"moved", world, "re-parent acme-qa: acme-pm -> acme-lead"});
        world.observed.compiled->nodes[2].parent = "";
        world.observed.compiled->nodes[2].tier = 3;
        cases.push_back(
            {"moved and changed", world, "re-parent acme-qa: acme-pm -> (root), files, tier"});
    }
    cases.push_back({"one gone", World(tree({node("pm")})).has(two), "delete acme-be"});
    {
        World world{two};
        world.observed.foreign.insert("acme-pm");
        cases.push_back({"name taken, child waits", world,
                         "name conflict: acme-pm, acme-be waits for acme-pm"});
    }
    {
        World world = World(two).has(two);
        world.existing("acme-be").meta.deleted_at = now;
        cases.push_back({"being deleted and wanted again", world, "acme-be is being deleted"});
    }
    {
        World world = World(two).has(two);
        world.existing("acme-be").spec.desired_state = crds::DesiredState::paused;
        world.existing("acme-be").meta.labels["team"] = "x";
        cases.push_back({"paused and labelled by a person", world, ""});
    }
    {
        World world = World(two).has(two);
        world.existing("acme-be").meta.labels.erase("atelier.dev/org");
        world.existing("acme-pm").spec.image = "evil";
        cases.push_back(
            {"changed by hand", world, "update acme-pm: image, update acme-be: labels"});
    }
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(c.world.text(), c.expected);
    }
}

// Two writes, one restart: whoever reads after the first write sees that the second is to come.
TEST(OrgPlan, ASpecThatComesWithANewEnvironmentWaitsForIt) {
    auto one = tree({node("pm")});
    one.nodes[0].env_names = {"A"};
    World world(one);
    world.observed.layers.nodes["pm"] = {{"A", "1"}};
    world.has(one);
    crds::Secret& secret = world.observed.env.at("acme-pm-env");
    secret.meta.revision = 7;
    world.observed.layers.nodes["pm"]["A"] = "2";
    world.observed.compiled->nodes[0].role = "other";

    Plan plan = world.plan();
    ASSERT_EQ(text_of(plan), "update acme-pm: files, role, set env acme-pm: A");
    crds::Workspace next = std::get<UpdateWorkspace>(plan.actions[0]).next;
    EXPECT_TRUE(workspace::awaits_env(next, 7));
    EXPECT_FALSE(workspace::awaits_env(next, 8)) << "a newer one is there";
    next.spec.env_from.clear();
    EXPECT_FALSE(workspace::awaits_env(next, 7)) << "it does not read it";

    world.existing("acme-pm") = std::get<UpdateWorkspace>(plan.actions[0]).next;
    EXPECT_EQ(world.text(), "set env acme-pm: A") << "after a crash between the two";
    secret.data["A"] = "2";
    secret.meta.revision = 8;
    EXPECT_EQ(world.text(), "");

    secret.meta.revision = 3;
    EXPECT_EQ(world.text(), "update acme-pm: annotations") << "it came from another server";
    plan = world.plan();
    EXPECT_FALSE(workspace::awaits_env(std::get<UpdateWorkspace>(plan.actions[0]).next, 3));
}

TEST(OrgPlan, EnvironmentIsSetBeforeAndRemovedAfterItsWorkspace) {
    auto one = tree({node("pm")});
    one.nodes[0].env_names = {"A", "B"};
    World world(one);
    world.observed.layers.nodes["pm"] = {{"A", "1"}, {"B", "2"}};
    EXPECT_EQ(world.text(), "set env acme-pm: A, B, create acme-pm");
    world.has(one);
    EXPECT_EQ(world.text(), "");

    world.observed.layers.nodes["pm"]["A"] = "other";
    EXPECT_EQ(world.text(), "set env acme-pm: A") << "and no update: the spec stays";
    world.observed.layers_missing = true;
    world.observed.layers = {};
    EXPECT_EQ(world.text(), "") << "what is not known is not removed";

    world.observed.layers_missing = false;
    world.observed.compiled->nodes[0].env_names.clear();
    EXPECT_EQ(world.text(), "update acme-pm: envFrom, remove env acme-pm");

    world.observed.owned.clear();
    world.observed.compiled->nodes.clear();
    EXPECT_EQ(world.text(), "remove env acme-pm") << "its last reader is gone";
}

TEST(OrgPlan, Scenario11_NearerLayersWin) {
    auto one = tree({node("pm"), node("be")});
    one.env_names = {"A", "B"};
    World world(one);
    world.observed.layers.org = {{"A", "org"}, {"B", "org"}};
    world.observed.layers.nodes["pm"] = {{"A", "node"}};
    const auto desired = world.desired();
    EXPECT_EQ(desired.workspaces[0].env, (templates::EnvMap{{"A", "node"}, {"B", "org"}}));
    EXPECT_EQ(desired.workspaces[1].env, (templates::EnvMap{{"A", "org"}, {"B", "org"}}));
}

TEST(OrgPlan, Fault25_AnEmptyValueInTheNearerFileWins) {
    auto compiled = tree({node("pm"), node("be")});
    compiled.env_names = {"OFF"};
    for (templates::Node& one : compiled.nodes) one.required_env = {{{"OFF"}}};
    compiled.nodes[0].env_names = {"OFF"};
    compiled.nodes[0].empty_env_names = {"OFF"};
    World world(compiled);
    world.observed.layers.org = {{"OFF", "root"}};
    world.observed.layers.nodes["pm"] = {{"OFF", ""}};
    const auto desired = world.desired().workspaces;
    EXPECT_EQ(desired[0].env, (templates::EnvMap{{"OFF", ""}}));
    EXPECT_EQ(desired[1].env, (templates::EnvMap{{"OFF", "root"}}));
    const auto condition = env_condition(world.the_org, compiled, world.observed);
    EXPECT_NE(condition.message.find("OFF (for acme-pm)"), std::string::npos) << condition.message;

    // It hides no value of a Secret that the operator has set.
    crds::Workspace workspace;
    workspace.meta.name = "acme-pm";
    for (const char* secret : {"operators", "acme-pm-env"}) {
        workspace.spec.env_from.push_back(
            {.secret_ref = crds::LocalRef{secret}, .config_map_ref = std::nullopt});
    }
    workspace::Sources sources;
    sources.secrets["operators"] = workspace::Values{{"OFF", "by hand"}};
    sources.secrets["acme-pm-env"] = workspace::Values{{"OFF", ""}, {"NEW", ""}};
    const auto values = workspace::resolve_env(workspace, sources, {}).values;
    EXPECT_EQ(values.at("OFF"), "by hand");
    EXPECT_EQ(values.at("NEW"), "");
}

TEST(OrgPlan, AnEditElsewhereLeavesAWorkspaceAsItIs) {
    auto before = tree({node("pm"), node("be", "pm")});
    before.nodes[0].files_digest = "aaa";
    before.nodes[0].files = {{"system-prompt.md", "111", false}};
    before.nodes[1].files_digest = "bbb";
    before.nodes[1].files = {{"notes.md", "222", false}};
    auto after = before;
    after.nodes[0].files_digest = "ccc";
    after.nodes[0].files = {{"system-prompt.md", "333", false}};
    EXPECT_EQ(World(after).has(before).text(), "update acme-pm: files");
}

templates::CompiledOrg numbered(int count) {
    std::vector<templates::Node> nodes;
    for (int i = 0; i < count; ++i) nodes.push_back(node("w" + std::to_string(i)));
    return tree(std::move(nodes));
}

TEST(OrgPrune, WithinTheLimitGoesAtOnce) {
    EXPECT_EQ(World(numbered(7)).has(numbered(10)).text(),
              "delete acme-w7, delete acme-w8, delete acme-w9");
}

TEST(OrgPrune, OverTheLimitWaitsForTheExactConfirmation) {
    World world = World(numbered(6)).has(numbered(10));
    const auto plan = world.plan();
    EXPECT_EQ(text_of(plan),
              "prune blocked: MaxPercentExceeded: acme-w6, acme-w7, acme-w8, acme-w9");
    ASSERT_FALSE(plan.prune.digest.empty());
    EXPECT_NE(plan.prune.message.find(plan.prune.digest), std::string::npos);

    auto& annotations = world.the_org.meta.annotations;
    annotations[std::string(crds::annotation::confirm_prune)] = "0123456789abcdef";
    EXPECT_TRUE(world.plan().actions.empty());
    annotations[std::string(crds::annotation::confirm_prune)] = plan.prune.digest;
    EXPECT_EQ(world.text(), "delete acme-w6, delete acme-w7, delete acme-w8, delete acme-w9");

    World other = World(numbered(5)).has(numbered(10));
    other.the_org.meta.annotations = annotations;
    EXPECT_TRUE(other.plan().actions.empty()) << "the confirmation was for another set";
}

TEST(OrgPrune, OneAtATimeIsWithinTheLimitOfASmallOrg) {
    EXPECT_EQ(World(numbered(1)).has(numbered(2)).text(), "delete acme-w1");
    World strict = World(numbered(1)).has(numbered(2));
    strict.the_org.spec.prune.max_percent = 0;
    EXPECT_EQ(strict.text(), "prune blocked: MaxPercentExceeded: acme-w1");
}

TEST(OrgPrune, ChildrenGoBeforeTheirParents) {
    const auto before = tree({node("a"), node("b", "a"), node("c", "b"), node("z")});
    World world = World(tree({node("z")})).has(before);
    world.the_org.spec.prune.max_percent = 100;
    EXPECT_EQ(world.text(), "delete acme-c, delete acme-b, delete acme-a");
}

TEST(OrgPrune, Scenario9_WhatDoesNotSpawnIsNeitherMadeNorPruned) {
    auto compiled = tree({node("pm")});
    compiled.skipped = {"off", "below"};
    EXPECT_EQ(World(compiled).text(), "create acme-pm");
    const auto before = tree({node("pm"), node("off"), node("below", "off"), node("old")});
    EXPECT_EQ(World(compiled).has(before).text(), "delete acme-old");
}

TEST(OrgPrune, Scenario15_AMovedRoleKeepsItsWorkspaceAndTheSecondPassRests) {
    const auto before = tree({node("pm"), node("lead", "pm"), node("qa", "pm"), node("zombie")});
    const auto after = tree({node("pm"), node("lead", "pm"), node("qa", "lead")});
    World world = World(after).has(before);
    EXPECT_EQ(world.text(), "re-parent acme-qa: acme-pm -> acme-lead, delete acme-zombie");
    world.act();
    world.existing("acme-qa").spec.parent = "acme-lead";
    EXPECT_EQ(world.text(), "");
}

TEST(OrgPrune, Scenario16_EmptyDesiredSetDeletesNothing) {
    World empty = World(tree({})).has(numbered(1));
    EXPECT_EQ(empty.text(), "prune blocked: EmptyDesiredSet: acme-w0");
    empty.the_org.spec.prune.max_percent = 100;
    EXPECT_EQ(empty.text(), "prune blocked: EmptyDesiredSet: acme-w0");
    EXPECT_TRUE(empty.plan().prune.digest.empty()) << "no confirmation helps";

    World retain = World(numbered(1)).has(numbered(3));
    retain.the_org.spec.prune.policy = crds::PrunePolicy::retain;
    EXPECT_EQ(retain.text(), "");
}

TEST(OrgPrune, ATemplateThatIsNotCurrentDeletesNothing) {
    for (const char* what : {"not ready", "newer generation", "being deleted", "gone"}) {
        SCOPED_TRACE(what);
        World world = World(numbered(9)).has(numbered(10));
        auto& source = *world.observed.source;
        if (what == std::string("not ready")) {
            source.status.set({.type = "Ready",
                               .status = crds::ConditionStatus::no,
                               .reason = "InvalidYaml",
                               .message = ""},
                              now);
        } else if (what == std::string("newer generation")) {
            source.meta.generation = 2;
        } else if (what == std::string("being deleted")) {
            source.meta.deleted_at = now;
        } else {
            world.observed.source.reset();
        }
        EXPECT_EQ(world.text(), "");
    }
}

TEST(OrgPrune, ProtectedWorkspacesStay) {
    World world = World(numbered(8)).has(numbered(10));
    world.existing("acme-w9").meta.annotations["atelier.dev/protect"] = "true";
    EXPECT_EQ(world.text(), "delete acme-w8, prune blocked: Protected: acme-w9");
}

TEST(OrgPrune, NothingGoesWhileSomethingCannotBeMade) {
    World world = World(tree({node("pm"), node("renamed")})).has(tree({node("pm"), node("old")}));
    world.observed.foreign.insert("acme-renamed");
    EXPECT_EQ(world.text(), "name conflict: acme-renamed, prune blocked: OthersBlocked: acme-old");
}

TEST(OrgPrune, WhatIsBeingDeletedDoesNotCount) {
    World world = World(numbered(9)).has(numbered(10));
    world.existing("acme-w9").meta.deleted_at = now;
    EXPECT_EQ(world.text(), "");
}

TEST(OrgDeletion, MarksAllThenWaitsThenReleases) {
    const auto two = tree({node("pm"), node("be", "pm")});
    World world = World(two).has(two);
    const auto text = [&] { return text_of(world.plan_deletion()); };
    EXPECT_EQ(text(), "delete acme-be, delete acme-pm");
    world.existing("acme-be").meta.deleted_at = now;
    EXPECT_EQ(text(), "delete acme-pm, acme-be is being deleted");
    world.existing("acme-pm").meta.deleted_at = now;
    EXPECT_EQ(text(), "acme-pm is being deleted, acme-be is being deleted");
    world.observed.owned.clear();
    EXPECT_EQ(text(), "release");
}

TEST(OrgDeletion, WaitsForProtectedWorkspaces) {
    const auto two = tree({node("pm"), node("be", "pm")});
    World world = World(two).has(two);
    world.existing("acme-be").meta.annotations["atelier.dev/protect"] = "true";
    EXPECT_EQ(text_of(world.plan_deletion()), "prune blocked: Protected: acme-be");
}

TEST(OrgDesired, OrgFillsWhatTheTemplateLeavesOpen) {
    auto compiled = tree({node("pm"), node("bot"), node("plain")});
    compiled.nodes[0].model = "sonnet";
    compiled.nodes[1].runtime = "claude-code";
    compiled.nodes[1].external = true;
    compiled.nodes[1].url = "https://bot.example";
    compiled.nodes[2].runtime = "";
    World world(compiled);
    world.the_org.spec.defaults.runtime = "hermes";
    world.the_org.spec.defaults.model = "big";
    world.the_org.spec.defaults.image = "img:1";
    world.the_org.spec.defaults.update_tier = "late";
    world.the_org.spec.update_tiers = {{"pm", "canary"}};
    const auto desired = world.desired();
    const auto& pm = desired.workspaces[0].spec;
    EXPECT_EQ(pm.runtime + " " + pm.model + " " + pm.image + " " + pm.update_tier,
              "langgraph sonnet img:1 canary");
    const auto& bot = desired.workspaces[1].spec;
    EXPECT_EQ(bot.backend + " " + bot.url + " " + bot.update_tier,
              "external https://bot.example late");
    EXPECT_EQ(desired.workspaces[2].spec.runtime + " " + desired.workspaces[2].spec.model,
              "hermes big");
    EXPECT_EQ(World(tree({node("x")})).desired().workspaces[0].spec.update_tier, "production");
}

TEST(OrgDesired, RendersConfigYaml) {
    auto compiled = tree({node("pm")});
    templates::Node& pm = compiled.nodes[0];
    pm.name = "Product Manager";
    pm.role = "Owns: the roadmap";
    pm.tier = 3;
    pm.plugins = {"a", "b"};
    pm.initial_prompt = "Read.\nThen go.";
    pm.idle_prompt = "Wait.";
    pm.idle_interval_seconds = 600;
    pm.max_concurrent_tasks = 3;
    pm.category_routing = {{"qa", {"Test Engineer"}}};
    const auto desired = World(compiled).desired();
    const auto& file = desired.workspaces[0].spec.files.at(0);
    EXPECT_EQ(file.path, "config.yaml");
    EXPECT_EQ(file.content,
              "name: Product Manager\n"
              "role: 'Owns: the roadmap'\n"
              "runtime: langgraph\n"
              "tier: 3\n"
              "model: anthropic:claude-opus-4-7\n"
              "max_concurrent_tasks: 3\n"
              "plugins:\n"
              "- a\n"
              "- b\n"
              "initial_prompt: |-\n"
              "  Read.\n"
              "  Then go.\n"
              "idle_prompt: Wait.\n"
              "idle_interval_seconds: 600\n"
              "category_routing:\n"
              "  qa:\n"
              "  - Test Engineer\n");
}

TEST(OrgDesired, Scenario13_TheSpecNamesNoModelThatNobodyChose) {
    EXPECT_EQ(World(tree({node("pm")})).desired().workspaces[0].spec.model, "")
        << "so that MODEL of the environment decides";
}

TEST(OrgDesired, Scenario19_OnlyGivenNamesAreExpanded) {
    auto compiled = tree({node("pm")});
    compiled.nodes[0].channels = {
        {.type = "slack", .config = {{"hook", "https://x/${ADMIN_TOKEN}"}}, .allowed_users = {}},
        {.type = "telegram",
         .config = {{"bot_token", "${BOT}"}, {"chat_id", "${CHAT}"}},
         .allowed_users = {}}};
    World world(compiled);
    world.the_org.spec.parameters["CHAT"] = "42";
    world.observed.env_from_names = {"BOT"};
    const auto desired = world.desired();
    const auto& channels = desired.workspaces[0].spec.channels;
    ASSERT_EQ(channels.size(), 1u);
    EXPECT_EQ(channels[0].config.at("chat_id"), "42");
    EXPECT_EQ(channels[0].config.at("bot_token"), "${BOT}") << "a secret stays out of the spec";
    EXPECT_EQ(desired.skipped_channels,
              std::vector<std::string>{"slack of acme-pm needs ADMIN_TOKEN"});
}

TEST(OrgDesired, NoSecretOfAChannelComesFromParameters) {
    auto compiled = tree({node("pm")});
    compiled.nodes[0].channels = {{.type = "telegram",
                                   .config = {{"bot_token", "${BOT}"}, {"chat_id", "${CHAT}"}},
                                   .allowed_users = {}}};
    World world(compiled);
    world.the_org.spec.parameters = {{"BOT", "123456:in-the-clear-for-all"}, {"CHAT", "42"}};
    EXPECT_EQ(
        world.desired().skipped_channels,
        std::vector<std::string>{"telegram of acme-pm needs BOT (in a Secret, not in parameters)"});
    world.observed.env_from_names = {"BOT"};
    const auto desired = world.desired();
    EXPECT_EQ(desired.workspaces[0].spec.channels.at(0).config.at("bot_token"), "${BOT}");
}

TEST(OrgDesired, AChannelIsHeldToItsRulesOnceItsParametersAreFilledIn) {
    auto compiled = tree({node("pm")});
    compiled.nodes[0].channels = {{.type = "telegram",
                                   .config = {{"bot_token", "${BOT}"}, {"chat_id", "${CHAT}"}},
                                   .allowed_users = {}}};
    World world(compiled);
    world.observed.env_from_names = {"BOT"};
    world.the_org.spec.parameters = {{"CHAT", ""}};
    EXPECT_EQ(world.desired().skipped_channels,
              std::vector<std::string>{"telegram of acme-pm: it needs bot_token and chat_id"});
}

TEST(OrgDesired, WorkspaceDirIsExpandedAndChecked) {
    auto compiled = tree({node("pm")});
    compiled.nodes[0].workspace_dir = "${BASE}/repo";
    compiled.nodes[0].workspace_access = crds::WorkspaceAccess::read_write;
    World world(compiled);
    EXPECT_EQ(
        world.text(),
        "cannot make acme-pm: workspace_dir needs BASE: set it in spec.parameters of the Org, "
        "or in a .env file of the template");
    world.the_org.spec.parameters["BASE"] = "/srv";
    EXPECT_EQ(world.desired().workspaces[0].spec.workspace_dir, "/srv/repo");
    world.the_org.spec.parameters["BASE"] = "/srv/";
    EXPECT_EQ(world.desired().workspaces[0].spec.workspace_dir, "/srv/repo")
        << "as the API wants it, without empty parts";
    world.the_org.spec.parameters["BASE"] = "/etc";
    EXPECT_EQ(world.text(), "cannot make acme-pm: workspace_dir must not be below /etc");
}

TEST(OrgDesired, NamesThatCannotBeAreTold) {
    World world(tree({node(std::string(50, 'k'))}));
    world.the_org.meta.name = "a-rather-long-name-of-an-org";
    EXPECT_NE(world.text().find("cannot be the name of a workspace"), std::string::npos);
}

TEST(OrgEnv, CountsEveryLayer) {
    auto compiled = tree({node("pm")});
    compiled.own_required_env = {{{"FROM_SECRET"}}, {{"FROM_ORG"}}, {{"FROM_NODE"}}, {{"X", "Y"}}};
    compiled.own_recommended_env = {{{"NICE"}}};
    compiled.env_names = {"FROM_ORG"};
    compiled.nodes[0].env_names = {"FROM_NODE"};
    World world(compiled);
    const auto text = [&] {
        const auto c = env_condition(world.the_org, *world.observed.compiled, world.observed);
        return std::string(json::name_of(c.status)) + " " + c.reason + " " + c.message;
    };
    const std::string where =
        "in a Secret or ConfigMap named in spec.envFrom of the Org, in the workspace's persona, or "
        "in a .env file of the template";
    EXPECT_EQ(text(), "False RequiredMissing missing: FROM_SECRET, X or Y; set " + where);
    world.observed.env_from_names = {"FROM_SECRET", "Y"};
    EXPECT_EQ(text(), "True RecommendedMissing recommended and not set: NICE; set " + where);
    world.observed.env_from_missing = {"Secret acme-keys"};
    EXPECT_EQ(text(),
              "False SourceMissing spec.envFrom names what does not exist: Secret acme-keys");
}

// What a node asks for, its own layers must give: another's do not help it.
TEST(OrgEnv, WhatANodeAsksForIsCountedForThatNode) {
    auto compiled = tree({node("pm"), node("be"), node("bot")});
    for (templates::Node& one : compiled.nodes) one.required_env = {{{"A_KEY", "B_KEY"}}};
    compiled.nodes[0].env_names = {"A_KEY"};
    compiled.nodes[2].external = true;
    World world(compiled);
    const auto text = [&] {
        const auto c = env_condition(world.the_org, *world.observed.compiled, world.observed);
        return c.reason + " " + c.message.substr(0, c.message.find(';'));
    };
    EXPECT_EQ(text(), "RequiredMissing missing: A_KEY or B_KEY (for acme-be)");
    world.observed.compiled->nodes[1].persona = "be";
    world.observed.personas["persona-be"] = {"B_KEY"};
    EXPECT_EQ(text(), "AllGiven every required variable is set");
    world.observed.compiled->own_required_env = {{{"B_KEY"}}};
    EXPECT_EQ(text(), "AllGiven every required variable is set");
    world.observed.personas.clear();
    EXPECT_EQ(text(), "RequiredMissing missing: B_KEY, A_KEY or B_KEY (for acme-be)");
}

std::string sources_of(const DesiredWorkspace& workspace) {
    std::string text;
    for (const crds::EnvFrom& from : workspace.spec.env_from) {
        text += (text.empty() ? "" : " ") + (from.secret_ref ? from.secret_ref->name : "?");
    }
    return text;
}

TEST(OrgPersona, Scenario10And12_TheKeyIsTheNodesOwnOrTheLastPartOfFilesDir) {
    struct Case {
        const char* name;
        const char* persona;
        const char* files_dir;
        bool wanted;          // by the Org
        const char* there;    // a Secret
        const char* sources;  // of the workspace's environment
        const char* missing;  // what is told
    };
    const Case cases[] = {
        {"by files_dir", "", "core-lead", true, "persona-core-lead", "persona-core-lead", ""},
        {"below a folder", "", "dev/core_Lead", true, "persona-core-lead", "persona-core-lead", ""},
        {"named", "qa", "core-lead", true, "persona-qa", "persona-qa", ""},
        {"named, and the Org says nothing", "qa", "", false, "persona-qa", "persona-qa", ""},
        {"not wanted", "", "core-lead", false, "persona-core-lead", "", ""},
        {"no key at all", "", "", true, "persona-", "", ""},
        {"missing", "", "core-lead", true, "persona-other", "",
         "acme-pm: there is no Secret persona-core-lead"},
        {"named and missing", "qa", "", true, "persona-other", "persona-qa",
         "acme-pm: there is no Secret persona-qa"},
        {"no key can be made", "", "a/core.lead", true, "persona-core.lead", "",
         "acme-pm: the last part of files_dir \"a/core.lead\" cannot name a persona: set "
         "`persona`"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        auto one = tree({node("pm")});
        one.nodes[0].role = "Owns the roadmap, splits work";
        one.nodes[0].persona = c.persona;
        one.nodes[0].files_dir = c.files_dir;
        World world(one);
        if (c.wanted) world.the_org.spec.personas.emplace();
        world.observed.personas[c.there] = {"TOKEN"};
        const auto desired = world.desired();
        EXPECT_EQ(sources_of(desired.workspaces[0]), c.sources);
        EXPECT_EQ(join(desired.missing_personas, "; "), c.missing);
    }
}

TEST(OrgPersona, AnExternalWorkspaceHasNone) {
    auto one = tree({node("pm")});
    one.nodes[0].files_dir = "pm";
    one.nodes[0].external = true;
    World world(one);
    world.the_org.spec.personas.emplace();
    EXPECT_TRUE(world.desired().missing_personas.empty());
}

TEST(OrgPersona, Scenario11_LayersAreReadFromTheFarthestToTheNearest) {
    auto one = tree({node("pm")});
    one.nodes[0].files_dir = "pm";
    one.nodes[0].env_names = {"SHARED"};
    World world(one);
    world.the_org.spec.personas = crds::Personas{.secret_prefix = "role-"};
    world.the_org.spec.env_from = {{.secret_ref = crds::LocalRef{"fleet"}, .config_map_ref = {}}};
    world.observed.personas["role-pm"] = {"SHARED"};
    world.observed.layers.nodes["pm"] = {{"SHARED", "node"}};
    EXPECT_EQ(sources_of(world.desired().workspaces[0]), "fleet role-pm acme-pm-env");
}

TEST(OrgPersona, AChannelMayNeedWhatThePersonaGives) {
    auto one = tree({node("pm")});
    one.nodes[0].persona = "pm";
    crds::Channel channel;
    channel.type = "telegram";
    channel.config = {{"bot_token", "${BOT_TOKEN}"}, {"chat_id", "42"}};
    one.nodes[0].channels = {channel};
    World world(one);
    EXPECT_EQ(world.desired().skipped_channels.size(), 1u);
    world.observed.personas["persona-pm"] = {"BOT_TOKEN"};
    const auto desired = world.desired();
    EXPECT_TRUE(desired.skipped_channels.empty());
    EXPECT_EQ(desired.workspaces[0].spec.channels.at(0).config.at("bot_token"), "${BOT_TOKEN}")
        << "the value is a secret, and a spec is no place for one";
}

TEST(OrgStatus, TellsProgressAndBlockers) {
    const auto two = tree({node("pm"), node("be", "pm")});
    World world = World(two).has(two);
    const auto status = [&] {
        return org::status(world.the_org, world.observed, world.plan(), std::nullopt, now);
    };
    const auto ready = [](crds::Workspace& workspace) {
        workspace.status.observed_generation = 1;
        workspace.status.set({.type = "Ready",
                              .status = crds::ConditionStatus::yes,
                              .reason = "Running",
                              .message = ""},
                             now);
    };
    EXPECT_EQ(status().find("Reconciling")->message, "0/2 ready");
    ready(world.existing("acme-pm"));
    EXPECT_EQ(status().find("Ready")->message, "1/2 ready");
    ready(world.existing("acme-be"));
    EXPECT_TRUE(status().is_true("Ready"));
    EXPECT_TRUE(status().is_true("InventoryReady"));
    EXPECT_EQ(status().find("Reconciling"), nullptr);

    world.existing("acme-be").meta.generation = 2;
    EXPECT_FALSE(status().is_true("Ready")) << "a newer spec is not ready yet";

    world.observed.owned.pop_back();
    world.observed.foreign.insert("acme-be");
    EXPECT_TRUE(status().is_true("Stalled"));
    EXPECT_TRUE(status().is_true("NameConflict"));
    EXPECT_EQ(status().find("Reconciling"), nullptr) << "not both";
}

// --- kept volumes, adoption, release

TEST(OrgPlan, WhatIsPrunedKeepsItsVolumesForTheGracePeriod) {
    World world(tree({node("pm")}));
    world.has(tree({node("pm"), node("be")}));
    world.the_org.spec.prune.volume_grace = std::chrono::hours(48);
    EXPECT_EQ(world.text(), "delete acme-be (volumes kept for 48h)");
    // Who deletes the whole Org keeps nothing, unless it is asked for.
    EXPECT_EQ(text_of(world.plan_deletion()), "delete acme-be, delete acme-pm");
    world.the_org.meta.annotations["atelier.dev/keep-volumes-until"] = "2026-05-10T00:00:00Z";
    EXPECT_EQ(text_of(world.plan_deletion()),
              "delete acme-be (volumes kept until 2026-05-10T00:00:00Z), "
              "delete acme-pm (volumes kept until 2026-05-10T00:00:00Z)");
}

crds::DeletedWorkspace kept(const std::string& key, const std::string& uid, int day) {
    crds::DeletedWorkspace out;
    out.meta.name = "acme-" + key + "." + uid;
    out.spec.workspace = "acme-" + key;
    out.spec.uid = uid;
    out.spec.spec.workspace_key = key;
    out.spec.deleted_at = now + std::chrono::hours(24 * day);
    return out;
}

TEST(OrgPlan, WhatIsMadeAgainTakesTheNewestKeptVolumesOfItsKeyOver) {
    World world(tree({node("pm"), node("be")}));
    world.observed.kept = {kept("be", "u2", 2), kept("be", "u3", 3), kept("be", "u1", 1),
                           kept("qa", "u4", 4)};
    const Plan plan = world.plan();
    EXPECT_EQ(text_of(plan), "create acme-pm, create acme-be with the volumes of acme-be.u3");
    const auto& made = std::get<CreateWorkspace>(plan.actions.back()).workspace;
    EXPECT_EQ(made.meta.annotation("atelier.dev/volumes-of"), "u3");
    // What it took over stays so, whatever else changes.
    World later(tree({node("pm"), node("be")}));
    later.has(tree({node("pm"), node("be")}));
    later.observed.owned.back().meta.annotations["atelier.dev/volumes-of"] = "u3";
    EXPECT_EQ(later.text(), "");
}

// A workspace of that name that no Org owns, and that asks for this one.
World asked(const std::function<void(crds::Workspace&)>& but = {}) {
    World world(tree({node("pm"), node("be")}));
    world.has(tree({node("pm"), node("be")}));
    crds::Workspace theirs = world.observed.owned.back();
    world.observed.owned.pop_back();
    theirs.meta.owners.clear();
    theirs.meta.labels.clear();
    theirs.spec.org.clear();
    theirs.spec.workspace_key.clear();
    theirs.meta.annotations["atelier.dev/adopt-by"] = "acme";
    theirs.meta.annotations["atelier.dev/volumes-of"] = "u3";
    if (but) but(theirs);
    world.observed.foreign.insert(theirs.meta.name);
    world.observed.adoptable.push_back(theirs);
    return world;
}

TEST(OrgPlan, AWorkspaceThatAsksIsAdopted) {
    const Plan plan = asked().plan();
    EXPECT_EQ(text_of(plan), "adopt acme-be: key, org, labels");
    const auto& next = std::get<AdoptWorkspace>(plan.actions.back()).next;
    EXPECT_EQ(next.meta.controller()->name, "acme");
    EXPECT_EQ(next.meta.uid, "acme-be-uid");
    EXPECT_EQ(next.meta.annotation("atelier.dev/volumes-of"), "u3");
    EXPECT_EQ(next.meta.annotation("atelier.dev/adopt-by"), "");
    EXPECT_EQ(next.meta.label("atelier.dev/org"), "acme");
}

TEST(OrgPlan, WhatIsAdoptedWaitsForItsNewEnvironment) {
    World world = asked();
    world.observed.layers.org = {{"A", "new"}};
    crds::Secret brought;
    brought.meta.name = "acme-be-env";
    brought.meta.revision = 7;
    brought.data = {{"A", "old"}};
    world.observed.brought_env.emplace("acme-be-env", brought);
    const Plan plan = world.plan();
    std::vector<std::string> of_be;
    for (const Action& action : plan.actions) {
        if (text_of(action).find("acme-be") != std::string::npos) of_be.push_back(text_of(action));
    }
    EXPECT_EQ(join(of_be, "; "), "adopt acme-be: key, org, labels; set env acme-be: A")
        << "the spec first, so that one restart does for both";
    for (const Action& action : plan.actions) {
        const auto* adopt = std::get_if<AdoptWorkspace>(&action);
        if (!adopt) continue;
        EXPECT_EQ(adopt->next.meta.annotation(annotation::env_after), "7");
    }
    // With the same values there is nothing to wait for.
    world.observed.brought_env.at("acme-be-env").data = {{"A", "new"}};
    for (const Action& action : world.plan().actions) {
        const auto* adopt = std::get_if<AdoptWorkspace>(&action);
        if (!adopt) continue;
        EXPECT_EQ(adopt->next.meta.annotation(annotation::env_after), "");
    }
}

TEST(OrgPlan, AnAdoptionThatWouldTakeSomethingFromSomebodyIsRefused) {
    const auto refusal = [](const std::function<void(crds::Workspace&)>& but) {
        const Plan plan = asked(but).plan();
        EXPECT_EQ(plan.conflicts, std::vector<std::string>{"acme-be"});
        EXPECT_TRUE(plan.actions.empty());
        return plan.refused.empty() ? std::string() : plan.refused.front();
    };
    EXPECT_EQ(refusal([](crds::Workspace& w) {
                  w.meta.owners = {{"atelier.dev/v1alpha1", "Org", "other", "u", true, true}};
              }),
              "acme-be: Org other owns it and must release it first: atelier release acme-be");
    EXPECT_EQ(refusal([](crds::Workspace& w) { w.meta.deleted_at = now; }),
              "acme-be: it is being deleted");
    EXPECT_EQ(refusal([](crds::Workspace& w) { w.spec.org = "other"; }),
              "acme-be: its spec.org is other, which cannot be changed");
    EXPECT_EQ(refusal([](crds::Workspace& w) { w.spec.workspace_key = "x"; }),
              "acme-be: its spec.key is x, which cannot be changed; in the template it is be");
    // One that the template does not have would be pruned at once.
    World world = asked();
    world.observed.adoptable.front().meta.name = "acme-other";
    world.observed.foreign.clear();
    EXPECT_EQ(world.text(),
              "create acme-be, cannot adopt acme-other: the template has no workspace of that "
              "name; add it there first");
}

TEST(OrgPlan, WhatIsToBeReleasedIsGivenUpAndThenLeftAlone) {
    World world(tree({node("pm"), node("be"), node("qa", "be")}));
    world.has(tree({node("pm"), node("be"), node("qa", "be")}));
    world.observed.released = {"acme-be"};
    EXPECT_EQ(world.text(), "release acme-be");
    // Neither made again, nor a conflict; its child stays where it is.
    std::erase_if(world.observed.owned,
                  [](const crds::Workspace& w) { return w.meta.name == "acme-be"; });
    world.observed.foreign = {"acme-be"};
    EXPECT_EQ(world.text(), "");
    // Nor pruned, nor counted, before it is given up.
    World gone(tree({node("pm")}));
    gone.has(tree({node("pm"), node("be")}));
    gone.observed.released = {"acme-be"};
    EXPECT_EQ(gone.text(), "release acme-be");
    EXPECT_EQ(text_of(gone.plan_deletion()), "release acme-be, delete acme-pm");
}

TEST(Expansion, KnowsOnlyWhatItIsGiven) {
    std::vector<std::string> unknown;
    const auto value = [](const std::string& name) -> std::optional<std::string> {
        if (name == "A") return "1";
        return std::nullopt;
    };
    EXPECT_EQ(expand("${A}-${HOME}-$A-${}-${A", value, unknown), "1-${HOME}-$A-${}-${A");
    EXPECT_EQ(unknown, (std::vector<std::string>{"HOME", ""}));
}

}  // namespace
}  // namespace atelier::reconcilers::org
