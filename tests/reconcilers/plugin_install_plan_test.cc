#include <gtest/gtest.h>

#include "crds/plugin_install_conditions.h"
#include "reconcilers/plugin_install/plan.h"
#include "reconcilers/plugin_install/status.h"

namespace atelier::reconcilers::plugin_install {
namespace {

using drivers::ManifestEntry;

drivers::Manifest manifest(const std::string& rules, const std::string& skill) {
    return {{"rules/r.md", rules, 0, false}, {"skills/a/SKILL.md", skill, 0, false}};
}

const drivers::Manifest old_tree = manifest("1", "1");
const drivers::Manifest new_rules = manifest("2", "1");
const drivers::Manifest new_skill = manifest("1", "2");

crds::PluginInstall install(const drivers::Manifest& desired,
                            const drivers::Manifest& recorded = {}) {
    crds::PluginInstall out;
    out.meta.name = "ws.p";
    out.spec.workspace = "ws";
    out.spec.plugin = "p";
    out.spec.version.digest = drivers::digest_of(desired);
    if (!recorded.empty()) out.status.delivered = drivers::digest_of(recorded);
    return out;
}

Observed seen(const drivers::Manifest& live, const drivers::Manifest& desired) {
    Observed out;
    out.place = Observed::Place::here;
    out.desired = desired;
    if (live.empty()) return out;
    out.state.live = true;
    out.state.manifest = live;
    out.state.marker = drivers::digest_of(live);
    return out;
}

TEST(PluginInstallPlan, FollowsFromTheInstallAndWhatIsThere) {
    struct Case {
        const char* name;
        crds::PluginInstall install;
        std::function<void(Observed&)> but;
        drivers::Manifest live;
        const char* expected;
    };
    const std::string stage_rules = "stage " + drivers::digest_of(new_rules).substr(0, 7);
    const std::string stage_old = "stage " + drivers::digest_of(old_tree).substr(0, 7);
    const std::string stage_skill = "stage " + drivers::digest_of(new_skill).substr(0, 7);
    const auto gone = [](crds::PluginInstall i) {
        i.meta.deleted_at = Instant();
        return i;
    };
    const auto place = [](Observed::Place p) { return [p](Observed& s) { s.place = p; }; };
    const std::vector<std::pair<Case, std::string>> cases = {
        {{"first install", install(old_tree), {}, {}, ""}, stage_old + ", swap, collect (cold)"},
        {{"delivered and recorded", install(old_tree, old_tree), {}, old_tree, ""}, ""},
        {{"rules changed", install(new_rules, old_tree), {}, old_tree, ""},
         stage_rules + ", swap, collect (cold)"},
        {{"only SKILL.md changed", install(new_skill, old_tree), {}, old_tree, ""},
         stage_skill + ", swap, collect (hot)"},
        {{"delivered, but the first report was lost", install(old_tree), {}, old_tree, ""},
         "(cold)"},
        {{"a hot delivery whose report was lost", install(new_skill, old_tree),
          [](Observed& s) { s.recorded = old_tree; }, new_skill, ""},
         "(hot)"},
        {{"a report was lost and the old tree is not kept",
          install(new_skill, old_tree),
          {},
          new_skill,
          ""},
         "(cold)"},
        {{"tampered with", install(old_tree, old_tree),
          [](Observed& s) { s.state.manifest = new_rules; }, old_tree, ""},
         stage_old + ", swap, collect (cold)"},
        {{"the live tree has a link", install(new_skill, old_tree),
          [](Observed& s) { s.state.problem = "a link"; }, old_tree, ""},
         stage_skill + ", swap, collect (cold)"},
        {{"the marker is missing", install(old_tree, old_tree),
          [](Observed& s) { s.state.marker.clear(); }, old_tree, ""},
         stage_old + ", swap, collect (none)"},
        {{"leftovers of a crash after the exchange", install(old_tree, old_tree),
          [](Observed& s) { s.state.staged = {"1"}; }, old_tree, ""},
         "collect"},
        {{"scenario 23: a crash between snapshot and swap",
          install(new_rules, old_tree),
          [](Observed& s) { s.state.previous = {"1"}, s.state.staged = {"1"}; },
          {},
          ""},
         "restore, collect, " + stage_rules + ", swap, collect (cold)"},
        {{"the plugin's files are not kept here", install(new_rules, old_tree),
          [](Observed& s) { s.desired.reset(); }, old_tree, ""},
         ""},
        {{"denied and not there",
          install(old_tree),
          [](Observed& s) { s.denied_by = "pp"; },
          {},
          ""},
         ""},
        {{"denied and there", install(old_tree, old_tree),
          [](Observed& s) { s.denied_by = "pp", s.state.previous = {"1"}; }, old_tree, ""},
         "remove, collect"},
        {{"scenario 27: external", install(old_tree), place(Observed::Place::external), {}, ""},
         ""},
        {{"unknown", install(old_tree), place(Observed::Place::unknown), {}, ""}, ""},
        {{"not running", install(old_tree), place(Observed::Place::not_running), {}, ""}, ""},
        {{"deleted", gone(install(old_tree, old_tree)), {}, old_tree, ""}, "remove, release"},
        {{"deleted after a crash",
          gone(install(old_tree)),
          [](Observed& s) { s.state.staged = {"1"}; },
          {},
          ""},
         "collect, release"},
        {{"deleted with its workspace",
          gone(install(old_tree)),
          place(Observed::Place::gone),
          {},
          ""},
         "release"},
        {{"deleted while nobody answers",
          gone(install(old_tree)),
          place(Observed::Place::unknown),
          {},
          ""},
         ""},
        {{"deleted from an external workspace",
          gone(install(old_tree)),
          place(Observed::Place::external),
          {},
          ""},
         "release"},
    };
    for (const auto& [c, expected] : cases) {
        SCOPED_TRACE(c.name);
        const drivers::Manifest* desired = nullptr;
        for (const auto* one : {&old_tree, &new_rules, &new_skill}) {
            if (drivers::digest_of(*one) == c.install.spec.version.digest) desired = one;
        }
        Observed s = seen(c.live, *desired);
        if (c.but) c.but(s);
        EXPECT_EQ(text(plan(c.install, s)), expected);
    }
    auto suspended = install(new_rules, old_tree);
    suspended.spec.suspend = true;
    EXPECT_EQ(text(plan(suspended, seen(old_tree, new_rules))), "");
}

TEST(PluginInstallReport, TheRestartDigestMovesWithColdDeliveriesOnly) {
    const Instant now{};
    auto object = install(new_skill, old_tree);
    object.status.restart_digest = "first";
    Plan hot;
    hot.change = crds::ChangeClass::hot;
    EXPECT_EQ(status(object, seen(new_skill, new_skill), hot, {}, now).restart_digest, "first");
    Plan cold;
    cold.change = crds::ChangeClass::cold;
    EXPECT_EQ(status(object, seen(new_skill, new_skill), cold, {}, now).restart_digest,
              drivers::digest_of(new_skill));
    EXPECT_EQ(status(object, seen(old_tree, new_skill), cold, {}, now).restart_digest, "first")
        << "what did not arrive restarts nothing";
}

TEST(PluginInstallReport, EffectiveIsUnknownWhenNobodyReports) {
    const auto object = install(old_tree);
    Observed s = seen(old_tree, old_tree);
    s.agent_expected = true;
    auto next = status(object, s, {}, {}, Instant());
    EXPECT_EQ(next.find(crds::plugin_install::condition::effective)->status,
              crds::ConditionStatus::unknown);
    s.loaded = "";
    next = status(object, s, {}, {}, Instant());
    EXPECT_EQ(next.find(crds::plugin_install::condition::effective)->status,
              crds::ConditionStatus::no);
    s.loaded = drivers::digest_of(old_tree);
    next = status(object, s, {}, {}, Instant());
    EXPECT_EQ(next.find(crds::plugin_install::condition::effective)->status,
              crds::ConditionStatus::yes);
}

TEST(PluginInstallReport, LooksSoonThenLessAndLessOften) {
    const auto object = install(old_tree);
    Observed s = seen(old_tree, old_tree);
    s.agent_expected = true;
    const Instant start{};
    auto next = status(object, s, {}, {}, start);
    using std::chrono::milliseconds;
    const auto wait = [&](Duration after) {
        return *next_wake(object, s, next, start + after) - (start + after);
    };
    EXPECT_EQ(wait(milliseconds(0)), milliseconds(250));
    EXPECT_EQ(wait(milliseconds(250)), milliseconds(250));
    EXPECT_EQ(wait(milliseconds(2000)), milliseconds(500));
    EXPECT_EQ(wait(milliseconds(4000)), milliseconds(1000));
    EXPECT_EQ(wait(milliseconds(60'000)), milliseconds(5000));
    EXPECT_EQ(wait(milliseconds(120'000)), milliseconds(30'000));
    s.loaded = next.delivered;
    EXPECT_FALSE(next_wake(object, s, next, start));
    s.loaded.reset();
    s.agent_expected = false;
    EXPECT_FALSE(next_wake(object, s, next, start));
}

TEST(PluginInstallReport, ReadsWhatTheAgentSays) {
    EXPECT_EQ(*loaded_digest(R"({"plugins":[{"name":"p","digest":"d"}]})", "p"), "d");
    EXPECT_EQ(*loaded_digest(R"({"plugins":[{"name":"q","digest":"d"}]})", "p"), "");
    EXPECT_EQ(*loaded_digest(R"({"plugins":[7,{"name":7}]})", "p"), "");
    EXPECT_FALSE(loaded_digest("{}", "p"));
    EXPECT_FALSE(loaded_digest("", "p"));
    EXPECT_FALSE(loaded_digest("[[[[", "p"));
}

}  // namespace
}  // namespace atelier::reconcilers::plugin_install
