// What a plan says of restarts, against what then happens: one table of changes and circumstances,
// a fleet in memory with all the reconcilers that have a say in it, and a count of real starts.
#include <gmock/gmock.h>

#include "forecast/forecasts.h"
#include "reconcilers/deleted_workspace/reconciler.h"
#include "reconcilers/plugin_install/reconciler.h"
#include "reconcilers/plugin_update/reconciler.h"
#include "reconcilers/workspace/reconciler.h"
#include "tests/forecast/forecast_world.h"
#include "tests/reconcilers/workspace_world.h"

namespace atelier::reconcilers {
namespace {

std::string dev(const std::string& workspaces) {
    return manifest(
        "OrgTemplate", "dev",
        R"("spec":{"source":{"inline":"name: Dev\nworkspaces:\n)" + workspaces + R"("}})");
}
std::string org(const std::string& more = "") {
    return manifest(
        "Org", "acme",
        R"("spec":{"templateRef":{"name":"dev"},"envFrom":[{"secretRef":{"name":"keys"}}])" + more +
            "}");
}
std::string keys(const std::string& value) {
    return manifest("Secret", "keys", R"("stringData":{"TOKEN":")" + value + "\"}");
}
std::string solo(const std::string& spec = "") {
    return manifest("Workspace", "solo", R"("spec":{"role":"r")" + spec + "}");
}
std::string policy(const std::string& allowed) {
    return manifest("PluginPolicy", "few", R"("spec":{"allowed":[")" + allowed + "\"]}");
}
const char* const three = R"(  - {name: PM, children: [{name: BE}, {name: QA}]}\n)";

class Fleet : public ForecastWorld {
  public:
    Fleet()
        : world(dependencies().runtimes),
          of_workspaces(objects, world, Log()),
          of_installs(objects, world, Log()),
          of_deleted(objects, world, Log()),
          of_updates(objects, trees),
          plans(dependencies(), clock, stop.get_token()) {
        for (const char* image : {"agent:1", "agent:2"}) runtime.add_image(image);
        runtime.on_start([this](const drivers::UnitSpec& unit, const std::string&) {
            ++starts[unit.labels.at("atelier.dev/name")];
            load(unit.labels.at("atelier.dev/uid"));
        });
        folders.on_change([this](const std::string& uid) {
            const auto unit = runtime.unit(reconcilers::unit_name(uid));
            if (unit && unit->state == drivers::Unit::State::running) load(uid);
        });
        apply({keys("one"), dev(three), org(), solo()});
        live();
    }

    void load(const std::string& uid) { folders.report(uid, folders.report_of_live(uid)); }

    // Ten minutes: longer than any patience.
    void live() {
        for (int i = 0; i < 60; ++i) {
            turn();
            for (reconcilers::Reconciler* reconciler :
                 {static_cast<reconcilers::Reconciler*>(&of_workspaces),
                  static_cast<reconcilers::Reconciler*>(&of_installs),
                  static_cast<reconcilers::Reconciler*>(&of_deleted),
                  static_cast<reconcilers::Reconciler*>(&of_updates)}) {
                const auto all = store.list(reconciler->resource());
                for (const auto& object : all->objects) {
                    (void)reconciler->reconcile(object->key, clock.now());
                }
            }
        }
    }

    // A plugin whose approved version is that tree; its digest.
    std::string plugin(const std::string& name, const drivers::Tree& tree) {
        const auto digest = trees.put(tree);
        CHECK(digest);
        crds::Meta meta;
        meta.name = name;
        meta.ns = "default";
        crds::PluginSpec spec;
        spec.source = "local://" + name;
        const auto made = objects.create<crds::Plugin>(meta, spec, clock.now());
        CHECK(made);
        crds::PluginStatus status;
        status.approved = crds::PluginVersion{std::string(40, 'a'), *digest, "main"};
        CHECK(objects.report(*made, status, clock.now()));
        return *digest;
    }
    std::string install(const std::string& name, const std::string& digest) {
        auto object = read<crds::PluginInstall>(name);
        object.spec.version.digest = digest;
        return manifest("PluginInstall", name,
                        "\"spec\":" + json::text(json::document_of(object.spec)));
    }
    // Of the update of plugin p to that tree, which waits for a decision.
    std::string approval(const drivers::Tree& tree) {
        crds::PluginUpdateSpec spec;
        spec.plugin = "p";
        spec.from = *read<crds::Plugin>("p").status.approved;
        spec.to = {std::string(40, 'b'), *trees.put(tree), "main"};
        crds::Meta meta;
        meta.name = "p-bbbbbbb";
        meta.ns = "default";
        CHECK(objects.create<crds::PluginUpdate>(meta, spec, clock.now()));
        live();
        spec.decision = crds::Decision::approve;
        return manifest("PluginUpdate", meta.name,
                        "\"spec\":" + json::text(json::document_of(spec)));
    }
    void kill(const std::string& name) {
        EXPECT_TRUE(runtime.kill(reconcilers::unit_name(read<crds::Workspace>(name).meta.uid)));
    }
    void vanish(const std::string& name) {
        EXPECT_TRUE(runtime.vanish(reconcilers::unit_name(read<crds::Workspace>(name).meta.uid)));
    }
    // The ids of the units that there are, by workspace.
    std::map<std::string, std::string> units() {
        std::map<std::string, std::string> out;
        for (const drivers::Unit& unit : runtime.all_units()) {
            out[unit.labels.at("atelier.dev/name")] = unit.id;
        }
        return out;
    }

    std::map<std::string, int> starts;
    const reconcilers::Runtimes world;
    reconcilers::WorkspaceReconciler of_workspaces;
    reconcilers::PluginInstallReconciler of_installs;
    reconcilers::DeletedWorkspaceReconciler of_deleted;
    reconcilers::PluginUpdateReconciler of_updates;
    std::stop_source stop;
    forecast::Forecasts plans;
};

using Said = std::map<std::string, std::string>;  // workspace -> step; "(held)" behind it

struct Case {
    const char* name;
    std::function<std::vector<std::string>(Fleet&)> change;  // and what comes before it
    Said said;
    // Workspaces whose units start again all the same, whether anything is applied or not.
    std::set<std::string> anyway = {};
};

void PrintTo(const Case& one, std::ostream* out) {
    *out << one.name;
}

std::vector<std::string> pause_solo(Fleet& fleet, const std::string& state) {
    fleet.change<crds::Workspace>(
        "solo", [](crds::Workspace& one) { one.spec.desired_state = crds::DesiredState::paused; });
    fleet.live();
    return {solo(R"(,"desiredState":")" + state + "\"")};
}
void suspend_solo(Fleet& fleet, const std::string& image) {
    fleet.change<crds::Workspace>("solo", [&](crds::Workspace& one) {
        one.spec.suspend = true;
        one.spec.image = image;
    });
    fleet.live();
}

const Said all_of_acme = {{"acme-be", "restart"}, {"acme-pm", "restart"}, {"acme-qa", "restart"}};

const std::vector<Case>& cases() {
    static const std::vector<Case> all = {
        // What changes.
        {"nothing",
         [](Fleet&) {
             return std::vector{keys("one"), dev(three), org()};
         },
         {}},
        {"env_only", [](Fleet&) { return std::vector{keys("two")}; }, all_of_acme},
        {"files_only",
         [](Fleet&) {
             return std::vector{dev(
                 R"(  - {name: PM, initial_prompt: Hi., children: [{name: BE}, {name: QA}]}\n)")};
         },
         {{"acme-pm", "restart"}}},
        {"image_only",
         [](Fleet&) { return std::vector{org(R"(,"defaults":{"image":"agent:2"})")}; },
         all_of_acme},
        {"command_only",
         [](Fleet&) { return std::vector{org(R"(,"defaults":{"command":["sleep","9"]})")}; },
         all_of_acme},
        {"model_only",
         [](Fleet&) {
             return std::vector{
                 dev(R"(  - {name: PM, model: opus, children: [{name: BE}, {name: QA}]}\n)")};
         },
         {{"acme-pm", "restart"}}},
        {"tier_only",
         [](Fleet&) {
             return std::vector{
                 dev(R"(  - {name: PM, tier: 3, children: [{name: BE}, {name: QA}]}\n)")};
         },
         {{"acme-pm", "restart"}}},
        {"tier_without_a_volume",
         [](Fleet&) {
             return std::vector{
                 dev(R"(  - {name: PM, tier: 1, children: [{name: BE}, {name: QA}]}\n)")};
         },
         {{"acme-pm", "recreate"}}},
        {"many_at_once",
         [](Fleet&) {
             return std::vector{
                 keys("two"), org(R"(,"defaults":{"image":"agent:2"})"),
                 dev(R"(  - {name: PM, tier: 3, model: opus, children: [{name: BE}, {name: QA}]}\n)")};
         },
         all_of_acme},
        {"moved_node",
         [](Fleet&) {
             return std::vector{
                 dev(R"(  - {name: PM, children: [{name: BE, children: [{name: QA}]}]}\n)")};
         },
         {{"acme-qa", "reparent"}}},
        {"renamed_node",
         [](Fleet&) {
             return std::vector{dev(R"(  - {name: PM, children: [{name: BE}, {name: Tester}]}\n)")};
         },
         {{"acme-qa", "delete"}, {"acme-tester", "create"}}},
        {"renamed_node_with_its_key",
         [](Fleet&) {
             return std::vector{
                 dev(R"(  - {name: PM, children: [{name: BE}, {name: Tester, key: qa}]}\n)")};
         },
         {{"acme-qa", "restart"}}},
        {"what_no_unit_notices",
         [](Fleet&) { return std::vector{org(R"(,"defaults":{"updateTier":"canary"})")}; },
         {{"acme-be", "update"}, {"acme-pm", "update"}, {"acme-qa", "update"}}},
        {"made_by_hand",
         [](Fleet&) { return std::vector{solo(R"(,"image":"agent:2")")}; },
         {{"solo", "restart"}}},

        // Plugins.
        {"plugin_added",
         [](Fleet& fleet) {
             fleet.plugin("p", plugin_tree("r"));
             return std::vector{
                 dev(R"(  - {name: PM, plugins: [p], children: [{name: BE}, {name: QA}]}\n)")};
         },
         {{"acme-pm", "restart"}}},
        {"plugin_added_by_hand",
         [](Fleet& fleet) {
             fleet.plugin("p", plugin_tree("r"));
             return std::vector{solo(R"(,"plugins":["p"])")};
         },
         {{"solo", "restart"}}},
        {"plugin_that_is_not_there",
         [](Fleet&) { return std::vector{solo(R"(,"plugins":["nope"])")}; },
         {{"solo", "update"}}},
        {"plugin_that_a_policy_denies",
         [](Fleet& fleet) {
             fleet.plugin("p", plugin_tree("r"));
             fleet.apply({policy("other")});
             return std::vector{solo(R"(,"plugins":["p"])")};
         },
         {{"solo", "update"}}},
        {"plugin_removed",
         [](Fleet& fleet) {
             fleet.plugin("p", plugin_tree("r"));
             fleet.apply({solo(R"(,"plugins":["p"])")});
             fleet.live();
             return std::vector{solo()};
         },
         {{"solo", "restart"}}},
        {"policy_takes_a_plugin_away",
         [](Fleet& fleet) {
             fleet.plugin("p", plugin_tree("r"));
             fleet.apply({solo(R"(,"plugins":["p"])")});
             fleet.live();
             return std::vector{policy("other")};
         },
         {{"solo", "restart"}}},
        {"only_its_skills",
         [](Fleet& fleet) {
             fleet.plugin("p", plugin_tree("r", "old"));
             fleet.apply({solo(R"(,"plugins":["p"])")});
             fleet.live();
             const auto next = fleet.trees.put(plugin_tree("r", "new"));
             return std::vector{fleet.install("solo.p", *next)};
         },
         {{"solo", "hotReload"}}},
        {"its_rules",
         [](Fleet& fleet) {
             fleet.plugin("p", plugin_tree("r"));
             fleet.apply({solo(R"(,"plugins":["p"])")});
             fleet.live();
             const auto next = fleet.trees.put(plugin_tree("other"));
             return std::vector{fleet.install("solo.p", *next)};
         },
         {{"solo", "restart"}}},

        {"approved_update_of_its_skills",
         [](Fleet& fleet) {
             fleet.plugin("p", plugin_tree("r", "old"));
             fleet.apply({solo(R"(,"plugins":["p"])")});
             fleet.live();
             return std::vector{fleet.approval(plugin_tree("r", "new"))};
         },
         {{"solo", "hotReload"}}},
        {"approved_update_of_its_rules",
         [](Fleet& fleet) {
             fleet.plugin("p", plugin_tree("r"));
             fleet.apply({solo(R"(,"plugins":["p"])")});
             fleet.live();
             return std::vector{fleet.approval(plugin_tree("other"))};
         },
         {{"solo", "restart"}}},
        {"approved_update_of_a_suspended_workspace",
         [](Fleet& fleet) {
             fleet.plugin("p", plugin_tree("r"));
             fleet.apply({solo(R"(,"plugins":["p"])")});
             fleet.live();
             fleet.change<crds::Workspace>("solo",
                                           [](crds::Workspace& one) { one.spec.suspend = true; });
             return std::vector{fleet.approval(plugin_tree("other"))};
         },
         {{"solo", "restart (held)"}}},

        // Circumstances.
        {"crash_loop",
         [](Fleet& fleet) {
             fleet.runtime.crash_on_start("agent:1", 1);
             fleet.kill("solo");
             fleet.live();
             return std::vector{solo(R"(,"image":"agent:2")")};
         },
         {{"solo", "restart"}}},
        {"dead_unit",
         [](Fleet& fleet) {
             fleet.kill("acme-pm");
             return std::vector{keys("two")};
         },
         all_of_acme},
        {"unit_that_is_gone",
         [](Fleet& fleet) {
             fleet.vanish("acme-pm");
             return std::vector{keys("two")};
         },
         all_of_acme},
        {"dead_unit_of_a_workspace_that_stays",
         [](Fleet& fleet) {
             fleet.kill("acme-pm");
             return std::vector{solo(R"(,"image":"agent:2")")};
         },
         {{"solo", "restart"}},
         {"acme-pm"}},
        {"suspended_workspace",
         [](Fleet& fleet) {
             fleet.change<crds::Workspace>("acme-pm",
                                           [](crds::Workspace& one) { one.spec.suspend = true; });
             return std::vector{keys("two")};
         },
         {{"acme-be", "restart"}, {"acme-pm", "restart (held)"}, {"acme-qa", "restart"}}},
        {"resumed_with_nothing_to_do",
         [](Fleet& fleet) {
             suspend_solo(fleet, "");
             return std::vector{solo(R"(,"suspend":false)")};
         },
         {{"solo", "update"}}},
        {"resumed_with_something_to_do",
         [](Fleet& fleet) {
             suspend_solo(fleet, "agent:2");
             return std::vector{solo(R"(,"suspend":false,"image":"agent:2")")};
         },
         {{"solo", "restart"}}},
        {"taken_back_before_it_was_done",
         [](Fleet& fleet) {
             suspend_solo(fleet, "agent:2");
             return std::vector{solo(R"(,"suspend":false)")};
         },
         {{"solo", "update"}}},
        {"resumed_without_a_unit",
         [](Fleet& fleet) {
             suspend_solo(fleet, "");
             fleet.vanish("solo");
             return std::vector{solo(R"(,"suspend":false)")};
         },
         {{"solo", "start"}}},
        {"resumed_with_a_dead_unit",
         [](Fleet& fleet) {
             suspend_solo(fleet, "");
             fleet.kill("solo");
             return std::vector{solo(R"(,"suspend":false)")};
         },
         {{"solo", "start"}}},
        {"paused_workspace",
         [](Fleet& fleet) {
             fleet.change<crds::Workspace>("acme-pm", [](crds::Workspace& one) {
                 one.spec.desired_state = crds::DesiredState::paused;
             });
             fleet.live();
             return std::vector{keys("two")};
         },
         {{"acme-be", "restart"}, {"acme-qa", "restart"}}},
        {"paused_and_to_run",
         [](Fleet& fleet) { return pause_solo(fleet, "Running"); },
         {{"solo", "start"}}},
        {"paused_and_hibernated",
         [](Fleet& fleet) { return pause_solo(fleet, "Hibernated"); },
         {{"solo", "update"}}},
        {"to_be_paused",
         [](Fleet&) { return std::vector{solo(R"(,"desiredState":"Paused")")}; },
         {{"solo", "stop"}}},
        {"suspended_org",
         [](Fleet& fleet) {
             fleet.change<crds::Org>("acme", [](crds::Org& one) { one.spec.suspend = true; });
             return std::vector{dev(R"(  - {name: PM, children: [{name: BE}]}\n)")};
         },
         {}},
        {"suspended_org_that_is_given",
         [](Fleet& fleet) {
             fleet.change<crds::Org>("acme", [](crds::Org& one) { one.spec.suspend = true; });
             return std::vector{dev(R"(  - {name: PM, children: [{name: BE}]}\n)"),
                                org(R"(,"suspend":true)")};
         },
         {{"acme-qa", "delete (held)"}}},
        {"secret_of_a_suspended_org",
         [](Fleet& fleet) {
             fleet.change<crds::Org>("acme", [](crds::Org& one) { one.spec.suspend = true; });
             return std::vector{keys("two")};
         },
         all_of_acme},
        {"secret_and_its_suspended_org",
         [](Fleet& fleet) {
             fleet.change<crds::Org>("acme", [](crds::Org& one) { one.spec.suspend = true; });
             return std::vector{keys("two"), org(R"(,"suspend":true)")};
         },
         all_of_acme},
        {"external_workspace",
         [](Fleet& fleet) {
             fleet.apply({solo(R"(,"backend":"external","url":"http://a.example/")")});
             fleet.live();
             return std::vector{
                 solo(R"(,"backend":"external","url":"http://b.example/","image":"agent:2")")};
         },
         {{"solo", "update"}}},
        {"secret_that_is_not_there",
         [](Fleet&) {
             return std::vector{solo(R"(,"envFrom":[{"secretRef":{"name":"absent"}}])")};
         },
         {{"solo", "update"}}},
        {"image_and_a_secret_that_is_not_there",
         [](Fleet&) {
             return std::vector{
                 solo(R"(,"image":"agent:2","envFrom":[{"secretRef":{"name":"absent"}}])")};
         },
         {{"solo", "restart (held)"}}},
        {"backend_that_is_not_there",
         [](Fleet&) { return std::vector{solo(R"(,"backend":"process")")}; },
         {{"solo", "recreate (held)"}}},
        {"runtime_without_an_image",
         [](Fleet&) { return std::vector{solo(R"(,"runtime":"other")")}; },
         {{"solo", "update"}}},
        {"prune_over_the_cap",
         [](Fleet&) { return std::vector{dev(R"(  - {name: PM}\n)")}; },
         {{"acme-be", "delete (held)"}, {"acme-qa", "delete (held)"}}},
        {"protected_workspace",
         [](Fleet& fleet) {
             fleet.change<crds::Workspace>("acme-qa", [](crds::Workspace& one) {
                 one.meta.annotations[std::string(crds::annotation::protect)] = "true";
             });
             return std::vector{dev(R"(  - {name: PM, children: [{name: BE}]}\n)")};
         },
         {{"acme-qa", "delete (held)"}}}};
    return all;
}

class Truth : public testing::TestWithParam<Case> {};

Result<json::Document> plan_of(Fleet& fleet, const std::vector<std::string>& texts) {
    std::string spec;
    for (const std::string& text : texts) spec += (spec.empty() ? "" : ",") + text;
    const auto parsed = json::parse("{\"objects\":[" + spec + "]}");
    CHECK(parsed);
    return fleet.plans.make("default", *parsed);
}

Said said_by(const json::Document& plan) {
    Said said;
    const json::Value* const items = json::find(plan, {"status", "items"});
    for (rapidjson::SizeType i = 0; items && i < items->Size(); ++i) {
        const json::Value& item = (*items)[i];
        if (json::string_at(item, {"kind"}) != "Workspace") continue;
        const json::Value* held = json::find(item, {"held"});
        said[json::string_at(item, {"name"})] =
            json::string_at(item, {"action"}) + (held && held->GetBool() ? " (held)" : "");
    }
    return said;
}

// How often a unit starts when that is said.
int starts_of(const std::string& said) {
    return said == "create" || said == "start" || said == "restart" || said == "recreate" ? 1 : 0;
}

TEST_P(Truth, WhatIsSaidIsWhatHappens) {
    Fleet fleet;
    const auto texts = GetParam().change(fleet);
    const auto plan = plan_of(fleet, texts);
    ASSERT_TRUE(plan) << plan.error().message;
    const Said said = said_by(*plan);
    EXPECT_EQ(said, GetParam().said) << json::text(*plan);

    const auto units = fleet.units();
    fleet.starts.clear();
    const std::string token = json::string_at(*plan, {"status", "token"});
    if (!token.empty()) {
        const auto done = fleet.plans.apply("default", token);
        ASSERT_TRUE(done) << done.error().message
                          << (done.error().causes.empty() ? ""
                                                          : done.error().causes.front().message);
    }
    fleet.live();
    std::set<std::string> names;
    for (const auto& [name, id] : units) names.insert(name);
    for (const auto& [name, count] : fleet.starts) names.insert(name);
    for (const auto& [name, step] : said) names.insert(name);
    const auto after = fleet.units();
    for (const std::string& name : names) {
        SCOPED_TRACE(name);
        const auto step = said.find(name);
        const std::string word = step == said.end() ? "nothing" : step->second;
        const int anyway = GetParam().anyway.contains(name) ? 1 : 0;
        EXPECT_EQ(fleet.starts[name], starts_of(word) + anyway) << "it was said: " << word;
        const bool goes = word == "delete" || word == "stop";
        if (goes) {
            EXPECT_FALSE(after.contains(name));
        }
        const bool same =
            units.contains(name) && after.contains(name) && units.at(name) == after.at(name);
        if (!goes && starts_of(word) + anyway == 0 && units.contains(name)) {
            EXPECT_TRUE(same) << "nothing was to happen to its unit";
        }
    }
}

std::string name_of_case(const testing::TestParamInfo<Case>& of) {
    return of.param.name;
}

INSTANTIATE_TEST_SUITE_P(Plan, Truth, testing::ValuesIn(cases()), name_of_case);

}  // namespace
}  // namespace atelier::reconcilers
