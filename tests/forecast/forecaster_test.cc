#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/fingerprint.h"
#include "base/text.h"
#include "crds/plugin_install.h"
#include "forecast/listed_runtime.h"
#include "tests/forecast/forecast_world.h"
#include "tests/sim/template_model.h"

namespace atelier::reconcilers {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string template_text =
    R"("spec":{"source":{"inline":"name: Dev\nworkspaces:\n  - {name: PM, children: [{name: BE}, {name: QA}]}\n"}})";
const std::string org_text = R"("spec":{"templateRef":{"name":"dev"}})";

std::string inline_template(const std::string& workspaces) {
    return manifest(
        "OrgTemplate", "dev",
        R"("spec":{"source":{"inline":"name: Dev\nworkspaces:\n)" + workspaces + R"("}})");
}

TEST(ListedRuntime, ListsOnceAndChangesNothing) {
    SteppedClock clock;
    fakes::FakeRuntime runtime(clock);
    runtime.add_image("agent:1");
    std::size_t lists = 0;
    runtime.on_call([&](std::string_view call, fakes::When when) {
        if (call == "list" && when == fakes::When::before) ++lists;
    });
    const drivers::Labels ours = {{"atelier.dev/managed", "true"}};
    for (const char* name : {"a", "b"}) {
        drivers::UnitSpec unit;
        unit.name = std::string("ws-") + name;
        unit.image = "agent:1";
        unit.labels = {{"atelier.dev/managed", "true"},
                       {"atelier.dev/namespace", "default"},
                       {"atelier.dev/name", name}};
        ASSERT_TRUE(runtime.create(unit));
    }
    forecast::ListedRuntime listed(runtime, ours);
    for (const char* name : {"a", "b", "c"}) {
        const auto units = listed.list({{"atelier.dev/managed", "true"},
                                        {"atelier.dev/namespace", "default"},
                                        {"atelier.dev/name", name}});
        ASSERT_TRUE(units);
        EXPECT_EQ(units->size(), std::string(name) == "c" ? 0u : 1u);
    }
    EXPECT_EQ(listed.list(ours)->size(), 2u);
    EXPECT_EQ(lists, 1u);
    EXPECT_EQ(listed.remove("ws-a").error().code, Code::unsupported);
    EXPECT_EQ(listed.create({}).error().code, Code::unsupported);
    EXPECT_EQ(runtime.list(ours)->size(), 2u);
}

// --- what would happen

TEST(Forecast, ANewOrgIsMadeAndNothingIsChanged) {
    ForecastWorld world;
    const Revision before = world.store.revision();
    const auto result = world.ask(
        {manifest("OrgTemplate", "dev", template_text), manifest("Org", "acme", org_text)});
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(world.store.revision(), before);
    EXPECT_TRUE(world.runtime.list({})->empty());
    std::vector<std::string> lines;
    for (const auto& item : result->forecast.items) lines.push_back(forecast::line_of(item));
    EXPECT_THAT(lines, ElementsAre("Org acme: create", "OrgTemplate dev: create",
                                   "Workspace acme-be: create", "Workspace acme-pm: create",
                                   "Workspace acme-qa: create"));
    EXPECT_EQ(result->forecast.items[2].parent, "acme-pm");
    EXPECT_EQ(result->forecast.counts.at("create"), 3);
    EXPECT_TRUE(result->forecast.blockers.empty()) << result->forecast.blockers[0].message;
    ASSERT_EQ(result->forecast.orgs.size(), 1u);
    EXPECT_EQ(result->forecast.orgs[0].artifact_digest.size(), 64u);
    EXPECT_EQ(result->preconditions.size(), 5u);
}

TEST(Forecast, AfterItIsAppliedThereIsNothingLeft) {
    ForecastWorld world;
    const std::vector<std::string> all = {manifest("OrgTemplate", "dev", template_text),
                                          manifest("Org", "acme", org_text)};
    world.apply(all);
    world.settle();
    const auto result = world.ask(all);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->forecast.empty()) << forecast::line_of(result->forecast.items[0]);
    EXPECT_EQ(result->forecast.unchanged, 3);
    EXPECT_TRUE(world.ask({}, "acme")->forecast.empty());
}

TEST(Forecast, ARestartSaysWhichFilesAndAMoveSaysWhere) {
    ForecastWorld world;
    world.apply({inline_template(R"(  - {name: PM, children: [{name: BE}, {name: QA}]}\n)"),
                 manifest("Org", "acme", org_text)});
    world.settle();
    const auto lines = world.plan({inline_template(
        R"(  - {name: PM, role: lead, children: [{name: BE, children: [{name: QA}]}]}\n)")});
    EXPECT_THAT(lines, Contains(AllOf(
                           HasSubstr("Workspace acme-pm: restart; env MOLECULE_AGENT_ROLE added ("),
                           HasSubstr("files M config.yaml"))));
    EXPECT_THAT(lines, Contains("Workspace acme-qa: reparent; parent acme-pm -> acme-be"));
    EXPECT_THAT(lines, Not(Contains(HasSubstr("acme-be:"))));
}

TEST(Forecast, ImageTierCommandAndBackendAreNamed) {
    ForecastWorld world;
    world.apply({inline_template(R"(  - {name: PM}\n)"), manifest("Org", "acme", org_text)});
    world.settle();
    const auto with = [&](const std::string& defaults) {
        return world.plan(
            {manifest("Org", "acme",
                      R"("spec":{"templateRef":{"name":"dev"},"defaults":{)" + defaults + "}}")});
    };
    EXPECT_THAT(with(R"("image":"agent:2")"),
                Contains("Workspace acme-pm: restart; image agent:1 -> agent:2"));
    EXPECT_THAT(with(R"("command":["run","it"])"),
                Contains("Workspace acme-pm: restart; command (none) -> run it"));
    EXPECT_THAT(with(R"("backend":"external")"), Contains(HasSubstr("acme-pm: stop; backend")));
    EXPECT_THAT(with(R"("backend":"process")"),
                AllOf(Contains(HasSubstr("acme-pm: recreate (held); backend docker -> process")),
                      Contains(HasSubstr("blocked Workspace acme-pm: BackendMissing"))));
    EXPECT_THAT(world.plan({inline_template(R"(  - {name: PM, tier: 3}\n)")}),
                Contains(HasSubstr("settings tier 2 -> 3")));
    EXPECT_THAT(world.plan({inline_template(R"(  - {name: PM, tier: 1}\n)")}),
                Contains(HasSubstr("acme-pm: recreate; /workspace is no longer")));
    EXPECT_THAT(with(R"("updateTier":"canary")"),
                Contains(HasSubstr("Workspace acme-pm: update; spec updateTier")));
}

TEST(Forecast, ASecretRestartsItsReadersAndIsNeverShown) {
    ForecastWorld world;
    const std::string org = manifest(
        "Org", "acme",
        R"("spec":{"templateRef":{"name":"dev"},"envFrom":[{"secretRef":{"name":"keys"}}]})");
    world.apply({manifest("Secret", "keys", R"("stringData":{"TOKEN":"hunter2","SAME":"s"})"),
                 inline_template(R"(  - {name: PM}\n  - {name: QA}\n)"), org});
    world.settle();
    const auto lines = world.plan({manifest(
        "Secret", "keys", R"("stringData":{"TOKEN":"correct horse","SAME":"s","NEW":"n"})")});
    const std::string was = fingerprint("a key of this test", "hunter2");
    const std::string is = fingerprint("a key of this test", "correct horse");
    EXPECT_THAT(lines, Contains(AllOf(HasSubstr("Workspace acme-pm: restart; env NEW added ("),
                                      HasSubstr("TOKEN changed (" + was + " -> " + is + ")"),
                                      Not(HasSubstr("SAME")))));
    EXPECT_THAT(lines, Contains(HasSubstr("Workspace acme-qa: restart")));
    EXPECT_THAT(lines, Contains(HasSubstr("Secret keys: configure")));
    for (const std::string& line : lines) {
        EXPECT_THAT(line, AllOf(Not(HasSubstr("hunter2")), Not(HasSubstr("correct horse")),
                                Not(HasSubstr("aHVudGVyMg")), Not(HasSubstr("Y29ycmVjdC"))));
    }
    EXPECT_THAT(world.plan({manifest("Secret", "keys", R"("stringData":{"SAME":"s"})")}),
                Contains(HasSubstr("acme-pm: restart; env TOKEN removed")));
}

TEST(Forecast, EnvironmentOfTheTemplateRestartsWhoReadsIt) {
    ForecastWorld world;
    world.push(
        {{"org.yaml", "name: Dev\nworkspaces:\n  - {name: PM, files_dir: pm}\n  - {name: QA}\n"},
         {"pm/.env", "OWN=very-secret\n"}});
    world.make_git_template();
    world.make_org();
    world.settle();
    world.push(
        {{"org.yaml", "name: Dev\nworkspaces:\n  - {name: PM, files_dir: pm}\n  - {name: QA}\n"},
         {"pm/.env", "OWN=another-secret\n"}});
    const auto lines = world.plan({}, "acme");
    EXPECT_THAT(lines, Contains(HasSubstr("Workspace acme-pm: restart; env OWN changed (")));
    EXPECT_THAT(lines, Not(Contains(HasSubstr("acme-qa"))));
    EXPECT_THAT(lines, Not(Contains(HasSubstr("-secret"))));
}

TEST(Forecast, WhatIsDeletedSaysHowLongItsVolumesStay) {
    ForecastWorld world;
    world.apply({inline_template(R"(  - {name: PM}\n  - {name: QA}\n)"),
                 manifest("Org", "acme", org_text)});
    world.settle();
    EXPECT_THAT(world.plan({inline_template(R"(  - {name: PM}\n)")}),
                Contains("Workspace acme-qa: delete; volumes kept 7d"));
    EXPECT_THAT(
        world.plan(
            {inline_template(R"(  - {name: PM}\n)"),
             manifest("Org", "acme",
                      R"("spec":{"templateRef":{"name":"dev"},"prune":{"volumeGrace":"0s"}})")}),
        Contains("Workspace acme-qa: delete; volumes go with it"));
    EXPECT_THAT(
        world.plan(
            {inline_template(R"(  - {name: PM}\n)"),
             manifest("Org", "acme",
                      R"("spec":{"templateRef":{"name":"dev"},"prune":{"policy":"Retain"}})")}),
        Not(Contains(HasSubstr("acme-qa"))));
}

TEST(Forecast, WhatComesBackSaysThatItHasItsVolumes) {
    ForecastWorld world;
    world.apply({inline_template(R"(  - {name: PM}\n)"), manifest("Org", "acme", org_text)});
    world.settle();
    const auto org = world.objects.find<crds::Org>("default", "acme");
    ASSERT_TRUE(org && *org);
    const std::string kept =
        R"("spec":{"workspace":"acme-qa","uid":"0a1b2c3d-0000-0000-0000-000000000000",)"
        R"("org":"acme","orgUID":")" +
        (*org)->meta.uid +
        R"(","volumes":["docker/ws-0a1b2c3d-000-configs"],"spec":{"org":"acme","key":"qa"},)"
        R"("expiresAt":"2099-01-01T00:00:00Z"})";
    world.apply({manifest("DeletedWorkspace", "acme-qa.0a1b2c3d", kept)});
    EXPECT_THAT(world.plan({inline_template(R"(  - {name: PM}\n  - {name: QA}\n)")}),
                Contains("Workspace acme-qa: create; with the volumes that were kept when it was "
                         "deleted"));
}

TEST(Forecast, APruneThatWaitsIsHeldAndSaysWhatConfirmsIt) {
    ForecastWorld world;
    std::string many;
    for (int i = 0; i < 6; ++i) many += "  - {name: W" + std::to_string(i) + "}\\n";
    world.apply({inline_template(many), manifest("Org", "acme", org_text)});
    world.settle();
    const auto result = world.ask({inline_template(R"(  - {name: W0}\n)")});
    ASSERT_TRUE(result);
    std::size_t held = 0;
    for (const auto& item : result->forecast.items) {
        held += item.held && item.action == forecast::Step::remove ? 1u : 0u;
    }
    EXPECT_EQ(held, 5u);
    ASSERT_FALSE(result->forecast.blockers.empty());
    EXPECT_EQ(result->forecast.blockers[0].about, "Org acme");
    EXPECT_EQ(result->forecast.blockers[0].reason, "MaxPercentExceeded");
    EXPECT_THAT(result->forecast.blockers[0].command, HasSubstr("atelier.dev/confirm-prune="));
}

TEST(Forecast, ATemplateThatDoesNotCompileBlocksWithItsLine) {
    ForecastWorld world;
    world.apply({inline_template(R"(  - {name: PM}\n)"), manifest("Org", "acme", org_text)});
    world.settle();
    const auto result = world.ask({inline_template(R"(  - {name: PM}\n  - {name: PM}\n)")});
    ASSERT_TRUE(result);
    ASSERT_FALSE(result->forecast.blockers.empty());
    EXPECT_EQ(result->forecast.blockers[0].about, "OrgTemplate dev");
    EXPECT_THAT(result->forecast.blockers[0].message, HasSubstr("org.yaml:"));
    EXPECT_TRUE(result->forecast.blockers[0].blocks);
    EXPECT_THAT(forecast::lines_of(result->forecast), Not(Contains(HasSubstr("Workspace"))));
}

TEST(Forecast, WhatIsWrongWithATemplateDoesNotBlockAnOrgThatIsPinned) {
    ForecastWorld world;
    world.apply({inline_template(R"(  - {name: PM}\n)"), manifest("Org", "acme", org_text)});
    world.settle();
    const auto source = world.objects.find<crds::OrgTemplate>("default", "dev");
    ASSERT_TRUE(source && *source);
    const std::string compiled = (*source)->status.artifact_digest.substr(0, 12);
    const std::string pinned =
        R"("spec":{"templateRef":{"name":"dev"},"revision":")" + compiled + "\"}";
    const auto result = world.ask(
        {inline_template(R"(  - {name: PM}\n  - {name: PM}\n)"), manifest("Org", "acme", pinned)});
    ASSERT_TRUE(result);
    ASSERT_EQ(result->forecast.blockers.size(), 1u);
    EXPECT_EQ(result->forecast.blockers[0].about, "OrgTemplate dev");
    EXPECT_FALSE(result->forecast.blockers[0].blocks);
}

TEST(Forecast, ASuspendedOrgShowsWhatWouldHappenOnceItIsResumed) {
    ForecastWorld world;
    world.apply({inline_template(R"(  - {name: PM}\n)"), manifest("Org", "acme", org_text)});
    world.settle();
    world.change<crds::Org>("acme", [](crds::Org& org) { org.spec.suspend = true; });
    world.change<crds::OrgTemplate>("dev", [](crds::OrgTemplate& source) {
        source.spec.source.inline_yaml = "name: Dev\nworkspaces:\n  - {name: PM}\n  - {name: QA}\n";
    });
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-pm");
    const auto lines = world.plan({}, "acme");
    EXPECT_THAT(lines, Contains("Workspace acme-qa: create (held)"));
    EXPECT_THAT(lines, Contains(HasSubstr("blocked Org acme: Suspended")));
    EXPECT_TRUE(world.read<crds::Org>("acme").spec.suspend);
}

TEST(Forecast, SecretsThatAreNotThereHoldANewWorkspace) {
    ForecastWorld world;
    const auto lines = world.plan(
        {manifest("Workspace", "solo", R"("spec":{"envFrom":[{"secretRef":{"name":"none"}}]})")});
    EXPECT_THAT(lines, Contains("Workspace solo: create"));
    EXPECT_THAT(lines, Contains("blocked Workspace solo: SecretsMissing: it does not start without "
                                "Secret \"none\""));
}

TEST(Forecast, PausingStopsAndRunningStarts) {
    ForecastWorld world;
    world.apply({manifest("Workspace", "solo", R"("spec":{"role":"r"})")});
    EXPECT_THAT(world.plan({manifest("Workspace", "solo",
                                     R"("spec":{"role":"r","desiredState":"Paused"})")}),
                Contains("Workspace solo: stop; desiredState Running -> Paused"));
    world.apply({manifest("Workspace", "solo", R"("spec":{"role":"r","desiredState":"Paused"})")});
    EXPECT_THAT(world.plan({manifest("Workspace", "solo", R"("spec":{"role":"r"})")}),
                Contains("Workspace solo: start; desiredState Paused -> Running"));
}

TEST(Forecast, AHotPluginChangeIsAHotReloadAndAColdOneARestart) {
    ForecastWorld world;
    drivers::Tree old;
    old["skills/x/SKILL.md"].bytes = "one";
    old["hooks/run.sh"].bytes = "echo";
    drivers::Tree hot = old;
    hot["skills/x/SKILL.md"].bytes = "two";
    drivers::Tree cold = old;
    cold["hooks/run.sh"].bytes = "rm";
    const std::string was = *world.trees.put(old);
    world.apply({manifest("Plugin", "reviewer", R"("spec":{"source":"local://reviewer"})"),
                 manifest("Workspace", "solo", R"("spec":{"plugins":["reviewer"]})")});
    crds::Meta meta;
    meta.name = "solo.reviewer";
    meta.ns = "default";
    crds::PluginInstallSpec spec;
    spec.workspace = "solo";
    spec.plugin = "reviewer";
    spec.version.digest = was;
    ASSERT_TRUE(world.objects.create<crds::PluginInstall>(meta, spec, world.clock.now()));
    const auto approve = [&](const std::string& digest, const std::string& decision) {
        return manifest("PluginUpdate", "reviewer-1111111",
                        R"("spec":{"plugin":"reviewer","from":{"digest":")" + was +
                            R"("},"to":{"digest":")" + digest + R"("})" + decision + "}");
    };
    const std::string yes = R"(,"decision":"Approve","decidedBy":"ada")";
    EXPECT_THAT(world.plan({approve(*world.trees.put(hot), yes)}),
                Contains("Workspace solo: hotReload; plugin reviewer changes (only its skills)"));
    EXPECT_THAT(world.plan({approve(*world.trees.put(cold), yes)}),
                Contains("Workspace solo: restart; plugin reviewer changes (cold)"));
    EXPECT_THAT(world.plan({approve(*world.trees.put(cold), "")}),
                Not(Contains(HasSubstr("Workspace solo"))));
}

TEST(Forecast, RefusesWhatTheApiWouldRefuse) {
    ForecastWorld world;
    EXPECT_THAT(
        world.plan({manifest("Org", "acme", R"("spec":{"templateRef":{"name":"dev"},"x":1})")})[0],
        HasSubstr("unknown field \"spec.x\""));
    EXPECT_THAT(world.plan({manifest("Nonsense", "acme", org_text)})[0],
                HasSubstr("no kind \"Nonsense\""));
    EXPECT_THAT(world.plan({manifest("Workspace", "w", R"("spec":{"tier":9})")})[0],
                HasSubstr("Workspace \"w\""));
    EXPECT_THAT(
        world.plan({manifest("Org", "acme", org_text), manifest("Org", "acme", org_text)})[0],
        HasSubstr("twice"));
    EXPECT_THAT(world.plan({}, "none")[0], HasSubstr("there is no Org \"none\""));
    EXPECT_THAT(
        world.plan(
            {R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","namespace":"b"}})"})[0],
        HasSubstr("of one namespace"));
}

TEST(Forecast, EndsWhenItIsToldTo) {
    ForecastWorld world;
    world.apply({inline_template(R"(  - {name: PM}\n)"), manifest("Org", "acme", org_text)});
    std::stop_source stop;
    stop.request_stop();
    const auto result = forecast::make_forecast(world.dependencies(), {"default", {}, "acme"},
                                                world.clock.now(), stop.get_token());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::cancelled);
}

TEST(Forecast, ARuntimeThatDoesNotAnswerIsToldAndChangesNoLine) {
    ForecastWorld world;
    world.apply({inline_template(R"(  - {name: PM}\n)"), manifest("Org", "acme", org_text)});
    world.settle();
    const std::vector<std::string> next = {inline_template(R"(  - {name: PM, role: x}\n)")};
    const auto well = world.plan(next);
    world.runtime.plan({.call = "list", .nth = 1});
    const auto result = world.ask(next);
    ASSERT_TRUE(result);
    EXPECT_EQ(forecast::lines_of(result->forecast), well);
    ASSERT_EQ(result->forecast.blockers.size(), 1u);
    EXPECT_EQ(result->forecast.blockers[0].reason, "RuntimeUnreachable");
}

// --- laws

// The forecast of a random edit is what then happens, and after it there is nothing left to do.
TEST(ForecastLaw, WhatIsForetoldHappensAndNothingElse) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        ForecastWorld world;
        SeededRandom random(seed);
        sim::TemplateModel model(random, {"guard", "reviewer"});
        const auto push = [&] { world.git.commit(OrgWorld::url, model.files()); };
        push();
        world.make_git_template();
        world.make_org();
        world.settle();
        for (int edit = 0; edit < 6; ++edit) {
            std::string what = model.edit() + ", " + model.edit();
            SCOPED_TRACE("seed " + std::to_string(seed) + ": " + what);
            push();
            const auto bodies = [&] {
                std::map<std::string, crds::WorkspaceSpec> all;
                const auto listed = world.objects.list<crds::Workspace>("default");
                for (const auto& one : *listed) all.emplace(one.meta.name, one.spec);
                return all;
            };
            const auto before = bodies();
            const auto result = world.ask({}, "acme");
            ASSERT_TRUE(result) << result.error().message;
            EXPECT_EQ(bodies().size(), before.size());
            std::map<std::string, forecast::Item> foretold;
            for (const auto& item : result->forecast.items) {
                if (item.kind == "Workspace" && !item.held) foretold.emplace(item.name, item);
            }
            auto source = world.read<crds::OrgTemplate>("dev");
            source.meta.annotations["atelier.dev/reconcile-requested-at"] = what;
            ASSERT_TRUE(world.objects.update(source, world.clock.now()));
            world.settle();
            const auto after = bodies();
            for (const auto& [name, spec] : after) {
                const auto old = before.find(name);
                const auto line = foretold.find(name);
                const bool same = old != before.end() &&
                                  json::document_of(old->second) == json::document_of(spec);
                EXPECT_EQ(line == foretold.end(), same) << name;
                if (line == foretold.end()) continue;
                EXPECT_EQ(line->second.action == forecast::Step::create, old == before.end());
                EXPECT_EQ(line->second.parent, spec.parent);
            }
            for (const auto& [name, spec] : before) {
                const auto line = foretold.find(name);
                const bool goes =
                    line != foretold.end() && line->second.action == forecast::Step::remove;
                EXPECT_EQ(goes, !after.contains(name)) << name;
            }
            const auto left = world.ask({}, "acme");
            for (const auto& item : left->forecast.items) {
                EXPECT_TRUE(item.held) << forecast::line_of(item);
            }
        }
    }
}

}  // namespace
}  // namespace atelier::reconcilers
