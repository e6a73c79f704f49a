#include <gtest/gtest.h>

#include "reconcilers/workspace/plan.h"
#include "reconcilers/workspace/status.h"

namespace atelier::reconcilers::workspace {
namespace {

using crds::PluginInstall;
using crds::Workspace;
using drivers::Unit;

const Instant noon = *parse_rfc3339("2026-05-08T12:00:00Z");
const std::string uid = "0a1b2c3d-4e5f-6789-abcd-ef0123456789";

Workspace declared(const std::function<void(Workspace&)>& but = {}) {
    Workspace w;
    w.meta.name = "acme-pm";
    w.meta.ns = "default";
    w.meta.uid = uid;
    w.meta.created_at = noon;
    if (but) but(w);
    return w;
}

Place docker_place() {
    Place place;
    place.can = {"docker", true, true, true, true};
    place.plugin_mounts = {{drivers::Mount::Kind::host, "/h/plugins", "/configs/plugins", true},
                           {drivers::Mount::Kind::host, "/h/run", "/run/atelier", false}};
    place.network = "net";
    place.image = "agent:1";
    return place;
}

Desired desired(const Workspace& w) {
    return *translate(w, {}, docker_place());
}

PluginInstall install(const std::string& plugin, const std::string& delivered) {
    PluginInstall out;
    out.meta.name = "acme-pm." + plugin;
    out.meta.generation = 1;
    out.meta.owners = {declared().as_owner()};
    out.spec.workspace = "acme-pm";
    out.spec.plugin = plugin;
    out.spec.version.digest = "d1";
    if (delivered.empty()) return out;
    out.status.observed_generation = 1;
    out.status.delivered = delivered;
    out.status.restart_digest = delivered;
    out.status.set(
        {"Delivered", delivered == "d1" ? crds::ConditionStatus::yes : crds::ConditionStatus::no,
         delivered == "d1" ? "Delivered" : "DeliveryFailed", ""},
        noon);
    return out;
}

WantedPlugin wanted(const std::string& name, WantedPlugin::State state) {
    return {name, state, "", {"", "d1", ""}};
}

Found unit(const Workspace& made_from, Unit::State state, std::int64_t attempt = 0,
           const std::vector<PluginInstall>& installs = {}) {
    Found found;
    found.backend = "docker";
    found.unit.id = "id";
    found.unit.name = unit_name(uid);
    found.unit.state = state;
    found.unit.networks = {"net"};
    found.unit.exit_code = state == Unit::State::exited ? 3 : 0;
    found.unit.labels = {
        {std::string(unit_label::spec_hash), desired(made_from).spec_hash},
        {std::string(unit_label::restart_digest), restart_digest(installs)},
        {std::string(unit_label::attempt), std::to_string(attempt)},
        {std::string(unit_label::restarts), "4"},
        {std::string(unit_label::created_at), rfc3339(noon)},
    };
    return found;
}

Observed seen(const Workspace& w, std::vector<Found> units = {}) {
    Observed out;
    out.backend = "docker";
    out.place = Observed::Place::here;
    out.networks = true;
    out.units = std::move(units);
    out.desired = desired(w);
    return out;
}

std::string planned(const Workspace& w, const Observed& s, Duration after = Duration(0)) {
    const Plan p = plan(w, s, noon + after);
    std::string out = text(p);
    if (p.wake_at) out += " [wake " + format_duration(*p.wake_at - noon) + "]";
    return out;
}

const std::string find = "find image agent:1, read files, ";
const std::string make =
    "ensure network, ensure volume ws-0a1b2c3d-4e5-configs, "
    "ensure volume ws-0a1b2c3d-4e5-workspace, prepare folder, ";
const std::string take_down = "stop ws-0a1b2c3d-4e5, remove ws-0a1b2c3d-4e5";

// A unit that runs is replaced once the runtime has accepted its successor.
const std::string replace = find + make + "try create, " + take_down + ", prepare folder, ";

std::string started(const std::string& how) {
    return "create #" + how + ", write files, start";
}

TEST(WorkspacePlan, OfTheUnit) {
    const Workspace w = declared();
    const Workspace was_there = declared([](Workspace& x) {
        x.status.started_at = noon;
        x.status.container = "ws";
    });
    EXPECT_EQ(planned(w, seen(w)), find + make + started("0 (it is new)"));
    EXPECT_EQ(planned(was_there, seen(w)), find + make + started("0 (it was gone)"));
    EXPECT_EQ(planned(w, seen(w, {unit(w, Unit::State::running)})), "");
    EXPECT_EQ(planned(w, seen(w, {unit(w, Unit::State::created)})),
              "read files, write files, start");
    EXPECT_EQ(planned(w, seen(w, {unit(w, Unit::State::paused)})), "");

    const Workspace other_image = declared([](Workspace& x) { x.spec.image = "agent:0"; });
    EXPECT_EQ(planned(w, seen(w, {unit(other_image, Unit::State::running)})),
              replace + started("0 (image changed)"));
    const Workspace other_command = declared([](Workspace& x) {
        x.spec.command = {"x"};
        x.spec.tier = 3;
    });
    EXPECT_EQ(planned(w, seen(w, {unit(other_command, Unit::State::created)})),
              find + make + "remove ws-0a1b2c3d-4e5, " + started("0 (command, settings changed)"));
}

TEST(WorkspacePlan, RemovesFilesThatAreNoLongerDeclared) {
    const Workspace before = declared([](Workspace& x) {
        x.spec.files = {{"a.md", "a", {}, "", false}, {"b/c.md", "b", {}, "", false}};
    });
    const Workspace after = declared([](Workspace& x) {
        x.spec.files = {{"a.md", "a", {}, "", false}};
    });
    Found old = unit(before, Unit::State::running);
    old.unit.labels[std::string(unit_label::files)] = "a.md\nb/c.md";
    EXPECT_EQ(planned(after, seen(after, {old})),
              find + make + "try create, remove files b/c.md, " + take_down + ", prepare folder, " +
                  started("0 (files changed)"));
}

TEST(WorkspacePlan, OfAUnitThatEnded) {
    const Workspace w = declared();
    const auto ended = [&](std::int64_t attempt, Duration after_start) {
        Found found = unit(w, Unit::State::exited, attempt);
        found.unit.finished_at = noon + after_start;
        return seen(w, {found});
    };
    const std::string again = find + make + "remove ws-0a1b2c3d-4e5, ";
    using std::chrono::minutes;
    using std::chrono::seconds;
    EXPECT_EQ(planned(w, ended(0, seconds(1)), seconds(1)), again + started("1 (exit code 3)"));
    EXPECT_EQ(planned(w, ended(1, seconds(1)), seconds(1)),
              "waits for the next attempt [wake 11s]");
    EXPECT_EQ(planned(w, ended(1, seconds(1)), seconds(11)), again + started("2 (exit code 3)"));
    EXPECT_EQ(planned(w, ended(3, seconds(1)), seconds(1)),
              "waits for the next attempt [wake 41s]");
    EXPECT_EQ(planned(w, ended(60, seconds(1)), seconds(1)),
              "waits for the next attempt [wake 5m1s]");
    EXPECT_EQ(planned(w, ended(5, minutes(10)), minutes(10)), again + started("1 (exit code 3)"))
        << "it ran well for ten minutes";
    // A new spec is a new chance, at once.
    const Workspace other = declared([](Workspace& x) { x.spec.command = {"y"}; });
    Observed s = ended(5, seconds(1));
    s.desired = desired(other);
    EXPECT_EQ(planned(other, s, seconds(1)), again + started("0 (command changed)"));
    EXPECT_EQ(planned(w, seen(w, {unit(w, Unit::State::running, 3)}), seconds(2)), " [wake 10s]");
}

TEST(WorkspacePlan, WithoutATimeOfItsEndTheConditionSaysSinceWhen) {
    Workspace w = declared();
    w.status.set({"Healthy", crds::ConditionStatus::no, "CrashLoop", ""}, noon);
    EXPECT_EQ(planned(w, seen(w, {unit(w, Unit::State::exited, 2)}), std::chrono::seconds(5)),
              "waits for the next attempt [wake 20s]");
    EXPECT_EQ(planned(w, seen(w, {unit(w, Unit::State::exited, 2)}), std::chrono::seconds(20)),
              find + make + "remove ws-0a1b2c3d-4e5, " + started("3 (exit code 3)"));
}

TEST(WorkspacePlan, OfItsPlugins) {
    const auto resolved = WantedPlugin::State::resolved;
    const Workspace w = declared();
    Observed s = seen(w);
    s.plugins = {wanted("p", resolved), wanted("q", resolved)};
    EXPECT_EQ(planned(w, s), "install p, install q; waits for plugin p");
    s.installs = {install("p", "d1"), install("q", "")};
    EXPECT_EQ(planned(w, s), "waits for plugin q");
    s.installs = {install("p", "d1"), install("q", "failed")};
    EXPECT_EQ(planned(w, s), find + make + started("0 (it is new)"))
        << "one that failed with a reason is settled";

    s.installs = {install("p", "d1"), install("old", "d1")};
    s.plugins = {wanted("p", resolved)};
    s.units = {unit(w, Unit::State::running, 0, s.installs)};
    EXPECT_EQ(planned(w, s), "uninstall acme-pm.old");
    s.installs[1].meta.owners.clear();
    EXPECT_EQ(planned(w, s), "") << "one made by hand stays";
    s.installs[1].meta.owners = {w.as_owner()};
    s.installs[1].meta.deleted_at = noon;
    EXPECT_EQ(planned(w, s), "");
    s.installs.pop_back();
    EXPECT_EQ(planned(w, s), replace + started("0 (plugins changed)"))
        << "the uninstalled one is loaded still";
}

TEST(WorkspacePlan, ANewWorkspaceWaitsForItsPluginsToBeResolvedButNotForEver) {
    using State = WantedPlugin::State;
    const Workspace w = declared();
    const std::string start = find + make + started("0 (it is new)");
    Observed s = seen(w);
    s.plugins = {wanted("p", State::unresolved)};
    EXPECT_EQ(planned(w, s), "waits for plugin p [wake 2m]");
    EXPECT_EQ(planned(w, s, std::chrono::minutes(2)), start);
    s.plugins = {wanted("p", State::missing)};
    EXPECT_EQ(planned(w, s), "waits for plugin p [wake 10s]");
    EXPECT_EQ(planned(w, s, std::chrono::seconds(10)), start);
    s.plugins = {wanted("p", State::failing)};
    EXPECT_EQ(planned(w, s), start);
    // One that runs is not held up.
    s.plugins = {wanted("p", State::unresolved)};
    s.units = {unit(declared([](Workspace& x) { x.spec.tier = 3; }), Unit::State::running)};
    EXPECT_EQ(planned(w, s), replace + started("0 (settings changed)"));
}

TEST(WorkspacePlan, Scenario41ManyChangesAreOneRestartAfterAllHaveSettled) {
    const Workspace w = declared();
    Observed s = seen(
        w, {unit(declared([](Workspace& x) { x.spec.image = "agent:0"; }), Unit::State::running)});
    s.installs = {install("p", "d1"), install("q", "")};
    s.plugins = {wanted("p", WantedPlugin::State::resolved),
                 wanted("q", WantedPlugin::State::resolved)};
    EXPECT_EQ(planned(w, s), "waits for plugin q");
    s.installs = {install("p", "d1"), install("q", "d1")};
    EXPECT_EQ(planned(w, s), replace + started("0 (image, plugins changed)"));
    // One that goes changes what the unit carries, too: only without it the restart is the last.
    s.plugins = {wanted("p", WantedPlugin::State::resolved)};
    EXPECT_EQ(planned(w, s), "uninstall acme-pm.q; waits for plugin q");
    s.installs = {install("p", "d1")};
    EXPECT_EQ(planned(w, s), replace + started("0 (image, plugins changed)"));
}

TEST(WorkspacePlan, WhatCannotBeDoneIsNotBegun) {
    const Workspace w = declared();
    const Found running =
        unit(declared([](Workspace& x) { x.spec.tier = 3; }), Unit::State::running);
    Observed s = seen(w, {running});
    s.missing = {"Secret \"env\""};
    EXPECT_EQ(planned(w, s), "waits for Secret \"env\"");
    s = seen(w, {running});
    s.env_is_late = true;
    EXPECT_EQ(planned(w, s), "waits for the environment that goes with its spec");
    s = seen(w, {running});
    s.desired.reset();
    s.refused = Error{Code::invalid, "no image"};
    EXPECT_EQ(planned(w, s), "");
    s = seen(w, {running});
    s.place = Observed::Place::unknown;
    EXPECT_EQ(planned(w, s), "");
    s.place = Observed::Place::missing;
    EXPECT_EQ(planned(w, s), "");
    const Workspace suspended = declared([](Workspace& x) { x.spec.suspend = true; });
    EXPECT_EQ(planned(suspended, seen(w, {running})), "");
}

TEST(WorkspacePlan, PausedHibernatedAndExternalOnesHaveNoUnit) {
    for (const auto state : {crds::DesiredState::paused, crds::DesiredState::hibernated}) {
        const Workspace w = declared([&](Workspace& x) { x.spec.desired_state = state; });
        EXPECT_EQ(planned(w, seen(w, {unit(w, Unit::State::running)})), take_down);
        EXPECT_EQ(planned(w, seen(w)), "");
    }
    const Workspace resumed = declared([](Workspace& x) { x.status.started_at = noon; });
    EXPECT_EQ(planned(resumed, seen(resumed)), find + make + started("0 (resumed)"));
    const Workspace w = declared([](Workspace& x) { x.spec.backend = "external"; });
    Observed s = seen(w);
    s.place = Observed::Place::external;
    EXPECT_EQ(planned(w, s), "");
    s.units = {unit(w, Unit::State::running)};
    EXPECT_EQ(planned(w, s), take_down);
}

TEST(WorkspacePlan, StrangersUnderItsNameGo) {
    const Workspace w = declared();
    Found earlier = unit(w, Unit::State::running);
    earlier.unit.name = "ws-ffffffff-fff";
    EXPECT_EQ(planned(w, seen(w, {unit(w, Unit::State::running), earlier})),
              "stop ws-ffffffff-fff, remove ws-ffffffff-fff");
    Found elsewhere = unit(w, Unit::State::running);
    elsewhere.backend = "process";
    EXPECT_EQ(planned(w, seen(w, {elsewhere})), replace + started("0 (backend changed)"));
}

TEST(WorkspacePlan, OfDeletion) {
    Workspace w = declared();
    w.meta.deleted_at = noon;
    Observed s = seen(w, {unit(w, Unit::State::running)});
    s.desired.reset();
    s.installs = {install("p", "d1")};
    s.volumes = {"docker/v1", "docker/v2"};
    s.has_folder = true;
    EXPECT_EQ(planned(w, s),
              take_down + ", uninstall acme-pm.p; waits for its PluginInstalls to go");
    s.installs[0].meta.deleted_at = noon;
    s.units.clear();
    EXPECT_EQ(planned(w, s), "waits for its PluginInstalls to go");
    s.installs.clear();
    EXPECT_EQ(planned(w, s), "remove volume v1, remove volume v2, destroy folder, release");
    s.volumes.clear();
    s.has_folder = false;
    s.last_of_server = true;
    EXPECT_EQ(planned(w, s), "remove network, release");
    s.place = Observed::Place::unknown;
    EXPECT_EQ(planned(w, s), "");
    s.place = Observed::Place::external;
    s.last_of_server = false;
    EXPECT_EQ(planned(w, s), "release");
}

// --- translation

TEST(WorkspaceUnit, TiersAreWhatTheyGive) {
    const auto tier = [](std::int64_t number) {
        return desired(declared([&](Workspace& x) { x.spec.tier = number; }));
    };
    EXPECT_TRUE(tier(1).unit.read_only_root);
    EXPECT_EQ(tier(1).unit.mounts.back().target, "/tmp");
    EXPECT_EQ(tier(1).unit.memory_bytes, 512LL << 20) << "the tier with the least has limits too";
    EXPECT_EQ(tier(1).unit.nano_cpus, 1'000'000'000);
    EXPECT_FALSE(tier(2).unit.read_only_root);
    EXPECT_EQ(tier(2).unit.memory_bytes, 512LL << 20);
    EXPECT_EQ(tier(2).unit.nano_cpus, 1'000'000'000);
    EXPECT_EQ(tier(2).unit.mounts.back().target, "/workspace");
    EXPECT_EQ(tier(3).unit.memory_bytes, 2048LL << 20);
    EXPECT_EQ(tier(4).unit.nano_cpus, 4'000'000'000);
    EXPECT_TRUE(tier(2).not_granted.empty());
    EXPECT_EQ(tier(3).not_granted.size(), 2u);
    EXPECT_EQ(tier(4).not_granted.size(), 4u);
}

TEST(WorkspaceUnit, TheWorkspaceFolderFollowsItsMatrix) {
    const auto mount = [](const std::string& folder, crds::WorkspaceAccess access) {
        const auto made = desired(declared([&](Workspace& x) {
            x.spec.workspace_dir = folder;
            x.spec.workspace_access = access;
        }));
        const drivers::Mount& m = made.unit.mounts.back();
        return m.source + (m.kind == drivers::Mount::Kind::volume ? " volume" : " host") +
               (m.read_only ? " ro" : "");
    };
    using Access = crds::WorkspaceAccess;
    const std::string volume = "ws-0a1b2c3d-4e5-workspace volume";
    EXPECT_EQ(mount("", Access::none), volume);
    EXPECT_EQ(mount("/srv/x", Access::none), volume);
    EXPECT_EQ(mount("/srv/x", Access::read_only), "/srv/x host ro");
    EXPECT_EQ(mount("/srv/x", Access::read_write), "/srv/x host");
}

TEST(WorkspaceUnit, TheHashFollowsEverythingAndNothingElse) {
    const std::string base = desired(declared()).spec_hash;
    const auto changed = [&](const std::function<void(Workspace&)>& how) {
        const auto parts = changed_parts(base, desired(declared(how)).spec_hash);
        return parts.empty() ? std::string() : parts.front();
    };
    EXPECT_EQ(changed([](Workspace& x) { x.spec.image = "other"; }), "image");
    EXPECT_EQ(changed([](Workspace& x) { x.spec.command = {"a", "b"}; }), "command");
    EXPECT_EQ(changed([](Workspace& x) { x.spec.files = {{"a", "b", {}, "", false}}; }), "files");
    EXPECT_EQ(changed([](Workspace& x) { x.spec.tier = 1; }), "settings");
    EXPECT_EQ(changed([](Workspace& x) { x.spec.parent = "other"; }), "");
    EXPECT_EQ(changed([](Workspace& x) { x.spec.update_tier = "canary"; }), "");
    EXPECT_EQ(changed([](Workspace& x) { x.spec.plugins = {"p"}; }), "");
    const auto a = *translate(declared(), {{"A", "1"}}, docker_place());
    const auto b = *translate(declared(), {{"A", "2"}}, docker_place());
    EXPECT_EQ(changed_parts(a.spec_hash, b.spec_hash), std::vector<std::string>{"env"});
    EXPECT_EQ(changed_parts("of an older server", base), std::vector<std::string>{"settings"});
    // Words and their borders: {"a b"} is not {"a", "b"}.
    const auto joined = desired(declared([](Workspace& x) { x.spec.command = {"a b"}; }));
    const auto apart = desired(declared([](Workspace& x) { x.spec.command = {"a", "b"}; }));
    EXPECT_NE(joined.spec_hash, apart.spec_hash);
}

TEST(WorkspaceUnit, WithoutImagesTheAgentRunsTheCommand) {
    Place place;
    place.can = {"process", false, false, false, true};
    place.plugin_mounts = docker_place().plugin_mounts;
    const Workspace w = declared([](Workspace& x) { x.spec.command = {"run", "me"}; });
    EXPECT_EQ(translate(w, {}, place).error().code, Code::invalid);
    place.agent_program = "/opt/atelier-agent";
    const auto made = translate(w, {}, place);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->unit.command,
              (std::vector<std::string>{"/opt/atelier-agent", "--", "run", "me"}));
    EXPECT_EQ(made->unit.network, "");
    EXPECT_EQ(made->not_granted.size(), 1u);
    Place no_image = docker_place();
    no_image.image.clear();
    EXPECT_NE(translate(w, {}, no_image).error().message.find("set spec.image"), std::string::npos);
}

// --- the environment

Values env_of(const Workspace& w, const Sources& sources = {}) {
    return resolve_env(w, sources, {}).values;
}

TEST(WorkspaceEnv, Scenario13TheModelKeepsItsPrecedence) {
    EXPECT_EQ(resolve_model("", {}), std::nullopt);
    EXPECT_EQ(
        resolve_model("", {{"MODEL", "MiniMax-M2.7-highspeed"}, {"MODEL_PROVIDER", "minimax"}}),
        "MiniMax-M2.7-highspeed");
    EXPECT_EQ(resolve_model("", {{"MODEL_PROVIDER", "minimax"}}), "minimax");
    EXPECT_EQ(resolve_model("", {{"MODEL", ""}, {"MODEL_PROVIDER", "minimax"}}), "minimax");
    EXPECT_EQ(resolve_model("own", {{"MODEL", "other"}}), "own");
    const Workspace hermes = declared([](Workspace& x) {
        x.spec.runtime = "hermes";
        x.spec.env_from = {{crds::LocalRef{"s"}, std::nullopt}};
    });
    const Values values = env_of(hermes, {{{"s", Values{{"MODEL", "m"}}}}, {}});
    EXPECT_EQ(values.at("MODEL"), "m");
    EXPECT_EQ(values.at("HERMES_DEFAULT_MODEL"), "m");
    EXPECT_FALSE(env_of(declared()).contains("MODEL"));
}

TEST(WorkspaceEnv, LaterSourcesWinAndItsOwnValuesLast) {
    const Workspace w = declared([](Workspace& x) {
        x.spec.env_from = {{crds::LocalRef{"s1"}, std::nullopt},
                           {std::nullopt, crds::LocalRef{"c"}},
                           {crds::LocalRef{"s2"}, std::nullopt}};
        x.spec.env = {{"D", "own", {}, {}},
                      {"E", "", crds::KeyRef{"s1", "key.with.dots"}, {}},
                      {"TIER", "9", {}, {}}};
    });
    const Sources sources = {
        {{"s1", Values{{"A", "s1"}, {"B", "s1"}, {"key.with.dots", "dotted"}}},
         {"s2", Values{{"B", "s2"}, {"D", "s2"}, {"N", std::string("a\0b", 3)}}}},
        {{"c", Values{{"A", "c"}, {"GIT_AUTHOR_NAME", "Somebody"}}}}};
    const Env env = resolve_env(w, sources, {.platform_url = "http://p", .agent_port = ""});
    EXPECT_TRUE(env.missing.empty());
    EXPECT_EQ(env.values.at("A"), "c");
    EXPECT_EQ(env.values.at("B"), "s2");
    EXPECT_EQ(env.values.at("D"), "own");
    EXPECT_EQ(env.values.at("E"), "dotted");
    EXPECT_EQ(env.values.at("TIER"), "9");
    EXPECT_FALSE(env.values.contains("key.with.dots"));
    EXPECT_FALSE(env.values.contains("N"));
    EXPECT_EQ(env.values.at("WORKSPACE_ID"), uid);
    EXPECT_EQ(env.values.at("MOLECULE_URL"), "http://p");
    EXPECT_EQ(env.values.at("GIT_AUTHOR_NAME"), "Somebody");
    EXPECT_EQ(env.values.at("GIT_COMMITTER_NAME"), "acme-pm");
}

TEST(WorkspaceEnv, WhatIsMissingIsNamed) {
    const Workspace w = declared([](Workspace& x) {
        x.spec.env_from = {{crds::LocalRef{"gone"}, std::nullopt}};
        x.spec.env = {{"A", "", crds::KeyRef{"s", "k"}, {}}, {"B", "", {}, crds::KeyRef{"c", "k"}}};
    });
    const Env env = resolve_env(w, {{{"s", Values{}}}, {}}, {});
    EXPECT_EQ(env.missing, (std::vector<std::string>{"ConfigMap \"c\"", "Secret \"gone\"",
                                                     "key \"k\" of Secret \"s\""}));
}

// --- the status

std::string said(const Workspace& w, const Observed& s, std::string_view type,
                 const std::optional<Error>& failure = {}) {
    const auto next = status(w, s, plan(w, s, noon), failure, noon);
    const crds::Condition* c = next.find(type);
    return c ? std::string(json::name_of(c->status)) + " " + c->reason : "";
}

TEST(WorkspaceReport, SaysWhatIsTheCase) {
    const Workspace w = declared();
    Observed s = seen(w, {unit(w, Unit::State::running)});
    EXPECT_EQ(said(w, s, "Ready"), "True Running");
    EXPECT_EQ(said(w, s, "Reconciling"), "");
    EXPECT_EQ(said(w, s, "Effective"), "True NoPlugins");
    EXPECT_EQ(status(w, s, {}, {}, noon).restarts, 4);

    s.place = Observed::Place::unknown;
    s.problem = "no answer";
    EXPECT_EQ(said(w, s, "Ready"), "Unknown RuntimeUnreachable");
    EXPECT_EQ(said(w, s, "Healthy"), "Unknown RuntimeUnreachable");

    s = seen(w);
    EXPECT_EQ(said(w, s, "Ready", Error{Code::not_found, "image \"agent:1\" is not here"}),
              "False ImageMissing");
    EXPECT_EQ(said(w, s, "Stalled", Error{Code::not_found, "image \"agent:1\" is not here"}),
              "True ImageMissing");
    EXPECT_EQ(said(w, s, "Ready", Error{Code::exhausted, "the disk is full"}), "False Failed");
    s.missing = {"Secret \"x\""};
    EXPECT_EQ(said(w, s, "SecretsAvailable"), "False Missing");
    EXPECT_EQ(said(w, s, "Ready"), "False SecretsMissing");
    EXPECT_EQ(said(w, s, "Reconciling"), "True SecretsMissing");

    Found looping = unit(w, Unit::State::exited, 2);
    looping.unit.finished_at = noon;
    EXPECT_EQ(said(w, seen(w, {looping}), "Healthy"), "False CrashLoop");
    EXPECT_EQ(said(w, seen(w, {looping}), "Ready"), "False CrashLoop");
    const Workspace paused =
        declared([](Workspace& x) { x.spec.desired_state = crds::DesiredState::paused; });
    EXPECT_EQ(said(paused, seen(paused), "Ready"), "False Paused");
    EXPECT_EQ(said(paused, seen(paused), "Reconciling"), "");
}

TEST(WorkspaceReport, SaysWhichFieldsHaveNoEffect) {
    const Workspace w = declared([](Workspace& x) {
        x.spec.schedules = {{"s", "* * * * *", "UTC", "p", true}};
        x.spec.tier = 4;
    });
    const Observed s = seen(w, {unit(w, Unit::State::running)});
    EXPECT_EQ(said(w, s, "NotActedOn"), "True NotInThisRelease");
    EXPECT_EQ(said(w, s, "TierLimited"), "True NotGranted");
    EXPECT_EQ(said(w, s, "Ready"), "True Running");
}

TEST(WorkspaceReport, PluginsAreInstalledAndEffectiveOneByOne) {
    const Workspace w = declared();
    Observed s = seen(w, {unit(w, Unit::State::running)});
    s.plugins = {wanted("p", WantedPlugin::State::resolved),
                 wanted("q", WantedPlugin::State::missing)};
    s.installs = {install("p", "d1")};
    EXPECT_EQ(said(w, s, "PluginsInstalled"), "False PluginNotFound");
    EXPECT_EQ(said(w, s, "Ready"), "False PluginNotFound");
    s.plugins.pop_back();
    EXPECT_EQ(said(w, s, "PluginsInstalled"), "True Installed");
    s.installs[0].status.set({"Effective", crds::ConditionStatus::unknown, "NobodyReports", ""},
                             noon);
    EXPECT_EQ(said(w, s, "Effective"), "Unknown NobodyReports");
    s.installs[0].status.set({"Effective", crds::ConditionStatus::yes, "Loaded", ""}, noon);
    s.installs[0].status.loaded = "d1";
    EXPECT_EQ(said(w, s, "Effective"), "True Loaded");
    EXPECT_EQ(status(w, s, {}, {}, noon).plugins_summary, "1/1");
    s.installs[0].spec.version.digest = "d2";
    s.installs[0].meta.generation = 2;
    EXPECT_EQ(said(w, s, "PluginsInstalled"), "False Installing");
    EXPECT_EQ(said(w, s, "Effective"), "False NotLoaded");
}

// --- volumes of one that is deleted

TEST(WorkspacePlan, VolumesAreKeptWhenAskedAndOnlyOnceItIsTakenDown) {
    const Workspace going = declared([](Workspace& w) {
        w.meta.deleted_at = noon;
        w.meta.annotations["atelier.dev/keep-volumes-until"] = "2026-05-15T12:00:00Z";
    });
    Observed s = seen(going);
    s.volumes = {"docker/ws-0a1b2c3d-4e5-configs", "docker/ws-0a1b2c3d-4e5-workspace"};
    EXPECT_EQ(planned(going, s), "keep 2 volumes until 2026-05-15T12:00:00Z, release");
    // After that time there is nothing to keep them for.
    EXPECT_EQ(planned(going, s, std::chrono::hours(24 * 7)),
              "remove volume ws-0a1b2c3d-4e5-configs, remove volume ws-0a1b2c3d-4e5-workspace, "
              "release");
    // Stopped first; while a plugin is being taken out, they are not touched yet.
    s.units = {unit(going, Unit::State::running)};
    EXPECT_EQ(planned(going, s), take_down +
                                     ", keep 2 volumes until 2026-05-15T12:00:00Z, "
                                     "remove network, release");
    s.installs = {install("p", "d1")};
    EXPECT_EQ(planned(going, s),
              take_down + ", uninstall acme-pm.p; waits for its PluginInstalls to go");
    // One that never had volumes leaves nothing behind.
    EXPECT_EQ(planned(going, seen(going)), "release");
    // A time that nobody can read is no reason to lose them.
    Workspace odd = going;
    odd.meta.annotations["atelier.dev/keep-volumes-until"] = "next week";
    s = seen(odd);
    s.volumes = {"docker/v"};
    EXPECT_EQ(planned(odd, s), "keep 1 volumes until 2026-05-15T12:00:00Z, release");
}

TEST(WorkspacePlan, VolumesThatAnotherHasTakenOverAreNotTouched) {
    for (const char* until : {"", "2026-05-15T12:00:00Z"}) {
        const Workspace going = declared([&](Workspace& w) {
            w.meta.deleted_at = noon;
            w.meta.annotations["atelier.dev/keep-volumes-until"] = until;
        });
        Observed s = seen(going);
        s.volumes = {"docker/v"};
        s.volumes_held_by = "acme-other";
        EXPECT_EQ(planned(going, s), "release");
    }
}

TEST(WorkspacePlan, VolumesAreNamedAfterTheWorkspaceTheyWereTakenFrom) {
    const Workspace w = declared([](Workspace& x) {
        x.meta.annotations["atelier.dev/volumes-of"] = "11112222-3333-4444-5555-666677778888";
    });
    std::vector<std::string> sources;
    for (const drivers::Mount& mount : desired(w).unit.mounts) {
        if (mount.kind == drivers::Mount::Kind::volume) sources.push_back(mount.source);
    }
    EXPECT_EQ(sources,
              (std::vector<std::string>{"ws-11112222-333-configs", "ws-11112222-333-workspace"}));
    EXPECT_EQ(desired(w).unit.name, "ws-0a1b2c3d-4e5");
}

}  // namespace
}  // namespace atelier::reconcilers::workspace
