// Tokens: what they stand for, how they are kept, and what applying does.
#include "forecast/forecasts.h"

#include <gmock/gmock.h>

#include "crds/org_conditions.h"
#include "reconcilers/org/binding.h"
#include "tests/forecast/forecast_world.h"

namespace atelier::reconcilers {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string source_of(const std::string& workspaces) {
    return manifest(
        "OrgTemplate", "dev",
        R"("spec":{"source":{"inline":"name: Dev\nworkspaces:\n)" + workspaces + R"("}})");
}
const std::string org_text = manifest("Org", "acme", R"("spec":{"templateRef":{"name":"dev"}})");

class PlansWorld : public ForecastWorld {
  public:
    PlansWorld() : plans(dependencies(), clock, stop.get_token()) {}

    Result<json::Document> make(const std::vector<std::string>& texts,
                                const std::string& org = "") {
        std::string spec = "{";
        if (!org.empty()) spec += R"("org":")" + org + "\"";
        if (!texts.empty()) {
            spec += (org.empty() ? "" : ",") + std::string("\"objects\":[");
            for (const std::string& text : texts) spec += (spec.back() == '[' ? "" : ",") + text;
            spec += "]";
        }
        const auto parsed = json::parse(spec + "}");
        CHECK(parsed);
        return plans.make("default", *parsed);
    }
    std::string token(const std::vector<std::string>& texts, const std::string& org = "") {
        const auto made = make(texts, org);
        if (!made) {
            ADD_FAILURE() << made.error().message;
            return "";
        }
        return json::string_at(*made, {"status", "token"});
    }
    // "Org acme created, …"; "already", or "ERROR: …" with what moved.
    std::string carry_out(const std::string& named) {
        const auto done = plans.apply("default", named);
        if (!done) {
            std::string text = "ERROR: " + done.error().message;
            for (const Cause& cause : done.error().causes) text += "\n" + cause.message;
            return text;
        }
        const json::Value* already = json::find(*done, {"status", "alreadyApplied"});
        if (already->GetBool()) return "already";
        std::string text;
        const json::Value* const written = json::find(*done, {"status", "applied"});
        for (rapidjson::SizeType i = 0; written && i < written->Size(); ++i) {
            text += (text.empty() ? "" : ", ") + std::string(json::view((*written)[i]));
        }
        return text;
    }
    std::size_t kept() {
        std::size_t count = 0;
        const auto all = store.list("secrets");
        for (const auto& object : all->objects) count += object->key.name.starts_with("plan-");
        return count;
    }
    std::string bound() {
        return read<crds::Org>("acme").meta.annotation(annotation::planned_artifact);
    }

    std::stop_source stop;
    forecast::Forecasts plans;
};

TEST(Forecasts, WhatWasPlannedIsDoneOnceAndOnlyThat) {
    PlansWorld world;
    const std::vector<std::string> all = {org_text, source_of(R"(  - {name: PM}\n)")};
    const std::string token = world.token(all);
    EXPECT_EQ(token.size(), 20u);
    EXPECT_EQ(world.token(all), token) << "one plan, one token";
    EXPECT_EQ(world.kept(), 1u);
    EXPECT_EQ(world.workspaces(), "");
    EXPECT_EQ(world.carry_out(token), "OrgTemplate dev created, Org acme created");
    EXPECT_EQ(world.bound().size(), 64u);
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-pm");
    EXPECT_EQ(world.bound(), "") << "the promise is kept";
    EXPECT_EQ(world.carry_out(token), "already");
    EXPECT_EQ(world.token(all), "") << "nothing is left, so there is no token";
}

// What is written for a suspended Org has no effect yet, and the answer says so.
TEST(Forecasts, Fault28_TheAnswerAboutASuspendedOrgSaysThatItWaits) {
    PlansWorld world;
    world.apply({org_text, source_of(R"(  - {name: PM}\n)")});
    world.settle();
    world.change<crds::Org>("acme", [](crds::Org& org) { org.spec.suspend = true; });
    const std::string token =
        world.token({source_of(R"(  - {name: PM}\n  - {name: QA}\n)")}, "acme");
    const auto done = world.plans.apply("default", token);
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_THAT(json::string_at(*done, {"status", "summary"}),
                HasSubstr("1 create; 1 unchanged; 1 wait for something else first (Org acme: "
                          "Suspended)"));
    EXPECT_TRUE(json::find(*done, {"status", "blockers"}));
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-pm");
}

TEST(Forecasts, WhatMovesMeanwhileIsToldAndNothingIsWritten) {
    PlansWorld world;
    world.apply({org_text, source_of(R"(  - {name: PM}\n  - {name: QA}\n)")});
    world.settle();
    const std::string token =
        world.token({source_of(R"(  - {name: PM, role: lead}\n  - {name: QA}\n)")});
    world.change<crds::Workspace>("acme-pm", [](crds::Workspace& one) {
        one.spec.desired_state = crds::DesiredState::paused;
    });
    const Revision before = world.store.revision();
    EXPECT_THAT(world.carry_out(token),
                AllOf(HasSubstr("has changed"), HasSubstr("- Workspace acme-pm: restart")));
    EXPECT_EQ(world.store.revision(), before);
    EXPECT_EQ(world.bound(), "");
}

TEST(Forecasts, AnEditOfWhatWouldBeWrittenIsAMove) {
    PlansWorld world;
    world.apply({org_text, source_of(R"(  - {name: PM}\n)")});
    world.settle();
    const std::string token = world.token({source_of(R"(  - {name: PM, role: lead}\n)")});
    // The same would happen, but somebody else had a say in the object.
    world.change<crds::OrgTemplate>("dev",
                                    [](crds::OrgTemplate& one) { one.meta.labels["team"] = "a"; });
    EXPECT_THAT(world.carry_out(token),
                HasSubstr("orgtemplates.atelier.dev default/dev was changed"));
    // A status that moves, and a request to look again, are no edits.
    const std::string other = world.token({source_of(R"(  - {name: PM, role: lead}\n)")});
    world.make_ready("acme-pm");
    world.change<crds::OrgTemplate>("dev", [](crds::OrgTemplate& one) {
        one.meta.annotations["atelier.dev/reconcile-requested-at"] = "now";
    });
    world.settle();
    EXPECT_EQ(world.carry_out(other), "OrgTemplate dev configured");
}

TEST(Forecasts, AnOrgGoesToThePlannedArtifactOrStays) {
    PlansWorld world;
    const auto text = [](const std::string& names) {
        return std::map<std::string, std::string>{{"org.yaml", "name: Dev\nworkspaces:\n" + names}};
    };
    world.push(text("  - {name: PM}\n"));
    world.make_git_template();
    world.make_org();
    world.settle();
    world.push(text("  - {name: PM}\n  - {name: QA}\n"));
    const std::string token = world.token({}, "acme");
    ASSERT_FALSE(token.empty());
    EXPECT_EQ(world.workspaces(), "acme-pm");
    EXPECT_EQ(world.carry_out(token), "") << "no object is written but the bond";
    const std::string planned = world.bound();
    ASSERT_EQ(planned.size(), 64u);
    // Before the template is looked at again, upstream moves on.
    world.push(text("  - {name: PM}\n  - {name: QA}\n  - {name: BE}\n"));
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-pm") << "that, or nothing";
    const auto org = world.read<crds::Org>("acme");
    ASSERT_TRUE(org.status.is_true(crds::org::condition::plan_moved));
    EXPECT_THAT(org.status.find(crds::org::condition::plan_moved)->message,
                AllOf(HasSubstr(planned.substr(0, 12)), HasSubstr("atelier plan acme")));
    EXPECT_EQ(world.bound(), planned);
    // The next plan takes its place.
    const std::string next = world.token({}, "acme");
    EXPECT_EQ(world.carry_out(next), "");
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-be acme-pm acme-qa");
    EXPECT_EQ(world.bound(), "");
    EXPECT_EQ(world.read<crds::Org>("acme").status.find(crds::org::condition::plan_moved), nullptr);
}

// Upstream went back to what runs: nothing is to be done but to give the old plan up.
TEST(Forecasts, APlanThatCannotComeTrueIsGivenUpByTheNext) {
    PlansWorld world;
    const std::map<std::string, std::string> one = {
        {"org.yaml", "name: Dev\nworkspaces:\n  - {name: PM}\n"}};
    world.push(one);
    world.make_git_template();
    world.make_org();
    world.settle();
    world.push({{"org.yaml", "name: Dev\nworkspaces:\n  - {name: PM}\n  - {name: QA}\n"}});
    EXPECT_EQ(world.carry_out(world.token({}, "acme")), "");
    world.push(one);
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-pm");
    EXPECT_EQ(world.read<crds::Org>("acme").status.find("Ready")->reason, "WaitingForPlan");
    const std::string next = world.token({}, "acme");
    ASSERT_FALSE(next.empty());
    EXPECT_EQ(world.carry_out(next), "");
    world.settle();
    EXPECT_EQ(world.bound(), "");
    EXPECT_NE(world.read<crds::Org>("acme").status.find("Ready")->reason, "WaitingForPlan");
    EXPECT_EQ(world.token({}, "acme"), "");
}

TEST(Forecasts, ThePlannedArtifactIsReachedWhenTheTemplateIsLookedAt) {
    PlansWorld world;
    world.push({{"org.yaml", "name: Dev\nworkspaces:\n  - {name: PM}\n"}});
    world.make_git_template();
    world.make_org();
    world.settle();
    world.push({{"org.yaml", "name: Dev\nworkspaces:\n  - {name: PM}\n  - {name: QA}\n"}});
    EXPECT_EQ(world.carry_out(world.token({}, "acme")), "");
    // The Org looks before its template does.
    ASSERT_TRUE(world.reconcile_org());
    EXPECT_EQ(world.read<crds::Org>("acme").status.find("Ready")->reason, "WaitingForPlan");
    EXPECT_EQ(world.read<crds::Org>("acme").status.find(crds::org::condition::plan_moved), nullptr);
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-pm acme-qa");
    EXPECT_EQ(world.bound(), "");
}

TEST(Forecasts, TokensExpireAndOnlySoManyAreKept) {
    PlansWorld world;
    const std::string first = world.token({source_of(R"(  - {name: W}\n)")});
    world.clock.now_ += std::chrono::hours(25);
    EXPECT_THAT(world.carry_out(first), HasSubstr("has expired"));
    std::string oldest;
    for (int i = 0; i < 55; ++i) {
        const std::string token =
            world.token({source_of("  - {name: W" + std::to_string(i) + "}\\n")});
        if (i == 0) oldest = token;
    }
    EXPECT_EQ(world.kept(), 50u) << "the expired one and the oldest went";
    EXPECT_THAT(world.carry_out(oldest), HasSubstr("there is no plan"));
    for (const char* bad :
         {"", "x", "../secrets", "0123456789abcdef01234", "ABCDEF0123456789ABCD"}) {
        EXPECT_THAT(world.carry_out(bad), HasSubstr("there is no plan")) << bad;
    }
}

// Back to an earlier revision, by a plan.
TEST(Forecasts, AnOrgIsPinnedByAPlan) {
    PlansWorld world;
    const auto push = [&](const std::string& names) {
        world.push({{"org.yaml", "name: Dev\nworkspaces:\n" + names}});
    };
    push("  - {name: PM}\n");
    world.make_git_template();
    world.make_org();
    world.settle();
    const std::string first = world.read<crds::Org>("acme").status.revision;
    push("  - {name: PM}\n  - {name: QA}\n");
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-pm acme-qa");
    const std::string pinned = manifest(
        "Org", "acme", R"("spec":{"templateRef":{"name":"dev"},"revision":")" + first + "\"}");
    EXPECT_THAT(world.plan({pinned}),
                testing::Contains("Workspace acme-qa: delete; volumes kept 7d"));
    EXPECT_EQ(world.carry_out(world.token({pinned})), "Org acme configured");
    world.settle();
    EXPECT_EQ(world.workspaces(), "acme-pm");
    EXPECT_EQ(world.bound(), "");
    EXPECT_EQ(world.read<crds::Org>("acme").status.revision, first);
    // What it would be to follow again.
    EXPECT_THAT(world.plan({manifest("Org", "acme", R"("spec":{"templateRef":{"name":"dev"}})")}),
                testing::Contains("Workspace acme-qa: create"));
    EXPECT_EQ(world.token({}, "acme"), "") << "as it is, nothing is to be done";
}

// Somebody's own Secret of that form is not taken for a plan, and not removed.
TEST(Forecasts, ASecretOfSomebodyElseIsNoPlan) {
    PlansWorld world;
    world.apply(
        {R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"plan-00000000000000000000",
                     "labels":{"atelier.dev/plan":"00000000000000000000"}},
                     "stringData":{"plan":"{}"}})"});
    EXPECT_THAT(world.carry_out("00000000000000000000"), HasSubstr("there is no plan"));
    EXPECT_FALSE(world.token({source_of(R"(  - {name: W}\n)")}).empty());
    EXPECT_EQ(world.kept(), 2u);
}

TEST(Forecasts, ASecretsValueIsInNoAnswerAndGoesFromWhatIsKeptOnceApplied) {
    PlansWorld world;
    const std::string secret = manifest("Secret", "keys", R"("stringData":{"TOKEN":"hunter2"})");
    const auto made = world.make({secret});
    ASSERT_TRUE(made);
    EXPECT_THAT(json::text(*made), AllOf(Not(HasSubstr("hunter2")), Not(HasSubstr("aHVudGVyMg"))));
    const std::string token = json::string_at(*made, {"status", "token"});
    EXPECT_EQ(world.carry_out(token), "Secret keys created");
    const auto kept = world.objects.secret("default", "plan-" + token);
    ASSERT_TRUE(kept && *kept);
    EXPECT_EQ((*kept)->type, forecast::plan_type);
    EXPECT_THAT((*kept)->data.at("plan"), Not(HasSubstr("hunter2")));
}

TEST(Forecasts, AnOrgMayBeMadeWithItsTemplateInAnyOrder) {
    PlansWorld world;
    const std::string secret = manifest("Secret", "keys", R"("stringData":{"A":"b"})");
    const std::string org = manifest(
        "Org", "acme",
        R"("spec":{"templateRef":{"name":"dev"},"envFrom":[{"secretRef":{"name":"keys"}}]})");
    const std::string solo = manifest("Workspace", "solo", R"("spec":{"role":"r"})");
    EXPECT_EQ(world.carry_out(world.token({solo, org, source_of(R"(  - {name: PM}\n)"), secret})),
              "Secret keys created, OrgTemplate dev created, Org acme created, Workspace solo "
              "created");
}

// Three objects, a bond, and the mark that the token was applied.
std::vector<std::string> several_objects() {
    return {manifest("ConfigMap", "words", R"("data":{"A":"b"})"),
            source_of(R"(  - {name: PM, role: lead}\n)"),
            manifest("Org", "acme",
                     R"("spec":{"templateRef":{"name":"dev"},"defaults":{"model":"opus"}})")};
}

// The token of a plan for them, over an org that has settled.
std::string token_for_several(PlansWorld& world) {
    world.apply({org_text, source_of(R"(  - {name: PM}\n)")});
    world.settle();
    return world.token(several_objects());
}

TEST(Forecasts, AWriteThatFailsLeavesNothingWritten) {
    PlansWorld world;
    const std::string token = token_for_several(world);
    const Revision before = world.store.revision();
    world.store.fail_write(1, false);
    EXPECT_THAT(world.carry_out(token), HasSubstr("ERROR"));
    EXPECT_EQ(world.store.revision(), before);
    EXPECT_EQ(world.carry_out(token),
              "ConfigMap words created, OrgTemplate dev configured, Org acme configured")
        << "and the token stands";
    world.settle();
    EXPECT_EQ(world.read<crds::Workspace>("acme-pm").spec.role, "lead");
    EXPECT_EQ(world.read<crds::Workspace>("acme-pm").spec.model, "opus");
    EXPECT_EQ(world.bound(), "");
}

// The result of the database was lost, or the server was killed right after the transaction.
TEST(Forecasts, AnAnswerThatIsLostIsFoundByTheToken) {
    PlansWorld world;
    const std::string token = token_for_several(world);
    const Revision before = world.store.revision();
    world.store.fail_write(1, true);
    EXPECT_EQ(world.carry_out(token), "already");
    EXPECT_EQ(world.store.revision(), before + 4)
        << "ConfigMap, OrgTemplate, Org with its bond, and the plan's own Secret";
    world.settle();
    EXPECT_EQ(world.read<crds::Workspace>("acme-pm").spec.role, "lead");
}

// Somebody is quicker, in the moment between the last look and the transaction.
TEST(Forecasts, AnEditInTheLastMomentLeavesNothingWritten) {
    struct Case {
        const char* name;
        std::function<void(PlansWorld&)> edit;
        std::string told;
    };
    const std::vector<Case> cases = {
        {"an object of the plan",
         [](PlansWorld& world) {
             world.change<crds::Org>("acme",
                                     [](crds::Org& org) { org.spec.defaults.image = "other"; });
         },
         "orgs.atelier.dev default/acme was changed"},
        {"a label of one",
         [](PlansWorld& world) {
             world.change<crds::OrgTemplate>(
                 "dev", [](crds::OrgTemplate& one) { one.meta.labels["team"] = "a"; });
         },
         "orgtemplates.atelier.dev default/dev was changed"},
        {"a workspace that would change",
         [](PlansWorld& world) {
             world.change<crds::Workspace>("acme-pm", [](crds::Workspace& one) {
                 one.spec.desired_state = crds::DesiredState::paused;
             });
         },
         "workspaces.atelier.dev default/acme-pm was changed"},
        {"one that is made meanwhile",
         [](PlansWorld& world) {
             world.apply({manifest("ConfigMap", "words", R"("data":{"A":"theirs"})")});
         },
         "configmaps default/words was changed"},
        {"one that goes",
         [](PlansWorld& world) {
             const auto source = world.read<crds::OrgTemplate>("dev");
             ASSERT_TRUE(world.objects.remove(source, world.clock.now()));
         },
         "orgtemplates.atelier.dev default/dev was changed"}};
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        PlansWorld world;
        const std::string token = token_for_several(world);
        Revision after = 0;
        world.store.before_next_write_all([&] {
            one.edit(world);
            after = world.store.revision();
        });
        EXPECT_THAT(world.carry_out(token),
                    AllOf(HasSubstr("nothing was written"), HasSubstr(one.told)));
        EXPECT_EQ(world.store.revision(), after) << "only what somebody else wrote";
        EXPECT_EQ(world.bound(), "");
    }
}

TEST(Forecasts, AStatusThatMovesInTheLastMomentIsNoEdit) {
    PlansWorld world;
    const std::string token = token_for_several(world);
    world.store.before_next_write_all([&] { world.make_ready("acme-pm"); });
    EXPECT_THAT(world.carry_out(token), HasSubstr("Org acme configured"));
}

TEST(Forecasts, ATokenThatIsAppliedTwiceAtOnceIsAppliedOnce) {
    PlansWorld world;
    const std::string token = token_for_several(world);
    std::string other;
    world.store.before_next_write_all([&] { other = world.carry_out(token); });
    EXPECT_EQ(world.carry_out(token), "already");
    EXPECT_THAT(other, HasSubstr("Org acme configured"));
}

// A template with an org's .env, a role's .env and a persona.
class ValuesWorld : public PlansWorld {
  public:
    void push_values(const std::string& of_org, const std::string& of_role) {
        push(
            {{"org.yaml", "name: Dev\nworkspaces:\n  - {name: PM, files_dir: pm, persona: lead}\n"},
             {".env", "SHARED=" + of_org + "\n"},
             {"pm/.env", "OWN=" + of_role + "\n"}});
    }
    void give_persona(const std::string& value) {
        apply({manifest("Secret", "persona-lead", R"("stringData":{"BOT":")" + value + "\"}")});
    }
    std::string env(const std::string& name) {
        const auto secret = objects.secret("default", "acme-pm-env");
        CHECK(secret && *secret);
        return (*secret)->data.at(name);
    }
};

// A value that moves between the plan and its application, although no name does.
TEST(Forecasts, AValueThatMovesIsAMove) {
    struct Case {
        const char* name;
        std::function<void(ValuesWorld&)> edit;
        std::string told;
    };
    const std::vector<Case> cases = {
        {"the org's .env",
         [](ValuesWorld& world) { world.push_values("s3cret-new", "s3cret-own"); },
         "Org acme: the org's .env: SHARED changed ("},
        {"a role's .env", [](ValuesWorld& world) { world.push_values("s3cret-org", "s3cret-new"); },
         "Org acme: the .env of pm: OWN changed ("},
        {"a persona", [](ValuesWorld& world) { world.give_persona("s3cret-new"); },
         "Org acme: Secret persona-lead: BOT changed ("}};
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        ValuesWorld world;
        world.push_values("s3cret-org", "s3cret-own");
        world.give_persona("s3cret-bot");
        world.make_git_template();
        const std::string token = world.token({org_text});
        one.edit(world);
        const Revision before = world.store.revision();
        EXPECT_THAT(world.carry_out(token), AllOf(HasSubstr("has changed"), HasSubstr(one.told),
                                                  HasSubstr(" -> "), Not(HasSubstr("s3cret"))));
        EXPECT_EQ(world.store.revision(), before);
        EXPECT_EQ(world.carry_out(world.token({org_text})), "Org acme created");
        world.settle();
        EXPECT_EQ(world.workspaces(), "acme-pm");
        EXPECT_EQ(world.bound(), "");
    }
}

// The same of a workspace that somebody makes by hand.
TEST(Forecasts, AValueOfAWorkspaceMadeByHandIsPartOfItsPlan) {
    PlansWorld world;
    world.apply({manifest("Secret", "keys", R"("stringData":{"TOKEN":"s3cret-1"})")});
    const std::string solo =
        manifest("Workspace", "solo", R"("spec":{"envFrom":[{"secretRef":{"name":"keys"}}]})");
    const std::string token = world.token({solo});
    world.apply({manifest("Secret", "keys", R"("stringData":{"TOKEN":"s3cret-2"})")});
    EXPECT_THAT(
        world.carry_out(token),
        AllOf(HasSubstr("Workspace solo: Secret keys: TOKEN changed ("), Not(HasSubstr("s3cret"))));
}

// A value that moves after the plan was applied, before anybody has acted on it.
TEST(Forecasts, AValueThatMovesAfterwardsIsNotCarriedOut) {
    struct Case {
        const char* name;
        std::function<void(ValuesWorld&)> edit;
    };
    const std::vector<Case> cases = {
        {"the org's .env", [](ValuesWorld& world) { world.push_values("s3cret-new", "s3cret-2"); }},
        {"a role's .env", [](ValuesWorld& world) { world.push_values("s3cret-2", "s3cret-new"); }},
        {"a persona", [](ValuesWorld& world) { world.give_persona("s3cret-new"); }}};
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        ValuesWorld world;
        world.push_values("s3cret-1", "s3cret-1");
        world.give_persona("s3cret-1");
        world.make_git_template();
        world.make_org();
        world.settle();
        ASSERT_EQ(world.env("SHARED"), "s3cret-1");
        // The plan: other values, and nothing else.
        world.push_values("s3cret-2", "s3cret-2");
        EXPECT_EQ(world.carry_out(world.token({}, "acme")), "");
        ASSERT_EQ(world.bound().size(), 64u);
        one.edit(world);
        world.settle();
        EXPECT_EQ(world.env("SHARED"), "s3cret-1") << "that, or nothing";
        EXPECT_EQ(world.env("OWN"), "s3cret-1");
        const auto org = world.read<crds::Org>("acme");
        const auto* moved = org.status.find(crds::org::condition::plan_moved);
        ASSERT_NE(moved, nullptr);
        EXPECT_EQ(moved->reason, "EnvironmentChanged");
        EXPECT_THAT(moved->message,
                    AllOf(HasSubstr("atelier plan acme"), Not(HasSubstr("s3cret"))));
        // The next plan takes its place.
        EXPECT_EQ(world.carry_out(world.token({}, "acme")), "");
        world.settle();
        EXPECT_NE(world.env("SHARED"), "s3cret-1");
        EXPECT_EQ(world.bound(), "");
        EXPECT_EQ(world.read<crds::Org>("acme").meta.annotation(annotation::planned_environment),
                  "");
        EXPECT_EQ(world.read<crds::Org>("acme").status.find(crds::org::condition::plan_moved),
                  nullptr);
    }
}

TEST(Forecasts, ThePlannedValuesAreReachedWhenTheTemplateIsLookedAt) {
    ValuesWorld world;
    world.push_values("s3cret-1", "s3cret-1");
    world.give_persona("s3cret-1");
    world.make_git_template();
    world.make_org();
    world.settle();
    world.push_values("s3cret-2", "s3cret-2");
    EXPECT_EQ(world.carry_out(world.token({}, "acme")), "");
    // The Org looks before its template does.
    ASSERT_TRUE(world.reconcile_org());
    EXPECT_EQ(world.read<crds::Org>("acme").status.find("Ready")->reason, "WaitingForPlan");
    EXPECT_EQ(world.env("SHARED"), "s3cret-1");
    world.settle();
    EXPECT_EQ(world.env("SHARED"), "s3cret-2");
    EXPECT_EQ(world.bound(), "");
    EXPECT_EQ(world.token({}, "acme"), "");
}

TEST(Forecasts, QuestionsThatAreNoneAreRefused) {
    PlansWorld world;
    for (const char* spec : {"{}", "[]", R"({"objects":{}})", R"({"org":1})", R"({"x":1})"}) {
        const auto parsed = json::parse(spec);
        const auto made = world.plans.make("default", *parsed);
        ASSERT_FALSE(made) << spec;
        EXPECT_EQ(made.error().code, Code::invalid) << spec;
    }
    const auto parsed = json::parse(R"({"org":"acme"})");
    EXPECT_EQ(world.plans.make("nowhere", *parsed).error().code, Code::not_found);
    EXPECT_EQ(world.plans.of_org("default", "acme").error().code, Code::not_found);
}

}  // namespace
}  // namespace atelier::reconcilers
