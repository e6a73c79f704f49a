// Volumes that outlive their workspace, from the template to the runtime: pruned, expired, taken
// over, brought back; whichever write or call fails or is the last before a crash. And adoption and
// release, which keep volumes and unit.
#include "crds/deleted_workspace.h"

#include <gtest/gtest.h>

#include "reconcilers/deleted_workspace/reconciler.h"
#include "reconcilers/plugin_install/reconciler.h"
#include "reconcilers/workspace/reconciler.h"
#include "tests/fakes/fake_plugin_folder.h"
#include "tests/fakes/fake_runtime.h"
#include "tests/reconcilers/org_world.h"

namespace atelier::reconcilers {
namespace {

using crds::DeletedWorkspace;
using crds::Org;
using crds::Workspace;

struct Crash {};  // thrown to stand for the end of the process

constexpr const char* both = "name: Dev\nworkspaces:\n- {name: pm}\n- {name: qa}\n";
constexpr const char* one = "name: Dev\nworkspaces:\n- {name: pm}\n";
constexpr const char* both_with_env =
    "name: Dev\nworkspaces:\n- {name: pm}\n- {name: qa, files_dir: qa}\n";
constexpr const char* work = "a day's work";
constexpr Duration grace = std::chrono::hours(48);

class KeepWorld : public OrgWorld {
  public:
    // With its template inline, or in git with a file of environment for qa.
    explicit KeepWorld(bool in_git = false) : runtime(clock) {
        runtime.add_image("agent:1");
        if (in_git) {
            push_template(both_with_env);
            make_git_template();
        } else {
            make_inline_template(both);
        }
        make_org();
        change<Org>("acme", [](Org& org) {
            org.spec.defaults.image = "agent:1";
            org.spec.prune.max_percent = 100;
            org.spec.prune.volume_grace = grace;
        });
        settle_all();
        runtime.write_file(unit_of("acme-qa"), "/workspace/notes", work);
        uid = read<Workspace>("acme-qa").meta.uid;
    }

    void push_template(const char* yaml) {
        push({{"org.yaml", yaml}, {"qa/.env", "TOKEN=t0p\n"}, {"qa/a.md", "a"}});
        clock.now_ += std::chrono::hours(1);
    }
    void set_template(const char* yaml) {
        change<crds::OrgTemplate>("dev",
                                  [&](crds::OrgTemplate& t) { t.spec.source.inline_yaml = yaml; });
    }
    bool turn_all() {
        bool fine = turn();
        Reconciler* const others[] = {&workspaces, &installs, &deleted};
        for (Reconciler* reconciler : others) {
            const auto snapshot = store.list(reconciler->resource());
            for (const auto& object : snapshot->objects) {
                try {
                    const auto done = reconciler->reconcile(object->key, clock.now());
                    if (!done) last_error = done.error().message;
                    fine = static_cast<bool>(done) && fine;
                } catch (const Crash&) {
                    fine = false;
                }
            }
        }
        check();
        return fine;
    }
    void settle_all() {
        for (int turns = 0; turns < 60; ++turns) {
            const Revision before = store.revision();
            if (turn_all() && store.revision() == before) return;
        }
        ADD_FAILURE() << "it does not come to rest: " << last_error;
    }
    void pass(Duration time) {
        clock.now_ += time;
        settle_all();
    }
    // The law that holds at any moment: what qa worked on is there for as long as it is promised.
    void check() {
        if (!promised) return;
        const auto files = runtime.volume_files(files_volume(uid));
        ASSERT_TRUE(files && files->contains("notes")) << "the work is lost";
        EXPECT_EQ(files->at("notes").bytes, work);
    }

    std::string unit_of(const std::string& workspace) {
        return unit_name(read<Workspace>(workspace).meta.uid);
    }
    std::string notes_of(const std::string& workspace) {
        return runtime.file(unit_of(workspace), "/workspace/notes").value_or("");
    }
    template <class T>
    std::vector<std::string> names() {
        std::vector<std::string> out;
        const auto snapshot = store.list(T::Spec::resource);
        for (const auto& object : snapshot->objects) out.push_back(object->key.name);
        return out;
    }
    std::string kept_name() const { return deleted_workspace_name("acme-qa", uid); }
    bool has_event(std::string_view reason) {
        return events().find("\"reason\":\"" + std::string(reason) + "\"") != std::string::npos;
    }
    template <class T>
    std::string ready(const std::string& name) {
        const auto object = read<T>(name);
        const crds::Condition* c = object.status.find("Ready");
        return c ? std::string(json::name_of(c->status)) + " " + c->reason : "";
    }
    std::string message_of(const std::string& workspace_or_org, std::string_view type) {
        const auto org = read<Org>(workspace_or_org);
        const crds::Condition* c = org.status.find(type);
        return c ? c->message : "";
    }
    template <class T>
    void remove(const std::string& name) {
        ASSERT_TRUE(objects.remove(read<T>(name), clock.now()));
    }
    template <class T>
    void annotate(const std::string& name, std::string_view annotation, const std::string& value) {
        change<T>(name,
                  [&](T& object) { object.meta.annotations[std::string(annotation)] = value; });
    }
    void restore(const std::string& as = "") {
        change<DeletedWorkspace>(kept_name(), [&](DeletedWorkspace& kept) {
            kept.spec.restore = true;
            kept.spec.restore_as = as;
        });
    }
    // Everything that matters, as text.
    std::string picture() {
        std::string out;
        for (const std::string& name : names<Workspace>()) {
            const auto w = read<Workspace>(name);
            out += name + (w.meta.controller() ? " owned" : " free") + " " +
                   (w.status.is_true("Ready") ? "ready" : "not ready") +
                   " notes=" + notes_of(name) + "\n";
        }
        for (const std::string& name : names<DeletedWorkspace>()) {
            out += name + " " + ready<DeletedWorkspace>(name) + "\n";
        }
        const auto secrets = store.list("secrets");
        out += std::to_string(runtime.all_units().size()) + " units, " +
               std::to_string(runtime.volume_names().size()) + " volumes, " +
               std::to_string(secrets->objects.size()) + " secrets\n";
        return out;
    }

    fakes::FakeRuntime runtime;
    fakes::FakePluginFolders folders;
    Runtimes runtimes{.by_backend = {{"docker", &runtime}},
                      .default_backend = "docker",
                      .folders = folders,
                      .trees = trees,
                      .random = random,
                      .metrics = metrics,
                      .instance = "i1",
                      .network = "net",
                      .images = {}};
    WorkspaceReconciler workspaces{objects, runtimes, Log()};
    PluginInstallReconciler installs{objects, runtimes, Log()};
    DeletedWorkspaceReconciler deleted{objects, runtimes, Log()};
    std::string uid;        // of acme-qa, as it was first
    bool promised = false;  // its volumes must be there
    std::string last_error;
};

const std::vector<std::string> two = {"acme-pm", "acme-qa"};
const std::vector<std::string> none;

TEST(KeptVolumes, WhatIsPrunedIsKeptForTheGracePeriodAndThenRemoved) {
    KeepWorld w;
    w.promised = true;
    w.set_template(one);
    w.settle_all();
    EXPECT_EQ(w.names<Workspace>(), std::vector<std::string>{"acme-pm"});
    EXPECT_EQ(w.names<DeletedWorkspace>(), std::vector<std::string>{w.kept_name()});
    EXPECT_EQ(w.runtime.all_units().size(), 1u);
    EXPECT_EQ(w.runtime.volume_names().size(), 4u);
    const auto kept = w.read<DeletedWorkspace>(w.kept_name());
    EXPECT_EQ(kept.spec.org, "acme");
    EXPECT_EQ(kept.spec.spec.workspace_key, "qa");
    EXPECT_EQ(kept.status.volumes, kept.spec.volumes);
    EXPECT_EQ(w.ready<DeletedWorkspace>(w.kept_name()), "True Kept");
    EXPECT_TRUE(w.has_event("Deleted"));
    EXPECT_EQ(w.ready<Org>("acme"), "True AllReady");

    w.pass(grace - std::chrono::hours(1));
    EXPECT_EQ(w.runtime.volume_names().size(), 4u);
    w.promised = false;
    w.pass(std::chrono::hours(2));
    EXPECT_EQ(w.runtime.volume_names().size(), 2u);
    EXPECT_EQ(w.names<DeletedWorkspace>(), none);
    EXPECT_TRUE(w.has_event("Expired"));
}

TEST(KeptVolumes, WithoutAGracePeriodTheyGoAtOnce) {
    KeepWorld w;
    w.change<Org>("acme", [](Org& org) { org.spec.prune.volume_grace = {}; });
    w.set_template(one);
    w.settle_all();
    EXPECT_EQ(w.names<DeletedWorkspace>(), none);
    EXPECT_EQ(w.runtime.volume_names().size(), 2u);
}

TEST(KeptVolumes, TheSameKeyGetsThemAgain) {
    KeepWorld w;
    w.promised = true;
    for (int time = 0; time < 2; ++time) {
        w.set_template(one);
        w.settle_all();
        EXPECT_EQ(w.names<DeletedWorkspace>(), std::vector<std::string>{w.kept_name()});
        w.set_template(both);
        w.settle_all();
        EXPECT_EQ(w.names<Workspace>(), two);
        EXPECT_EQ(w.notes_of("acme-qa"), work);
        EXPECT_NE(w.read<Workspace>("acme-qa").meta.uid, w.uid);
        EXPECT_EQ(w.names<DeletedWorkspace>(), none);
        EXPECT_TRUE(w.has_event("VolumesRestored"));
        EXPECT_EQ(w.ready<Workspace>("acme-qa"), "True Running");
    }
    // Taken over, they are its own: they go with it when it is deleted for good.
    w.pass(grace * 2);
    w.promised = false;
    w.remove<Org>("acme");
    w.settle_all();
    EXPECT_TRUE(w.runtime.volume_names().empty());
}

TEST(KeptVolumes, AnotherOrgOfThatNameDoesNotGetThem) {
    KeepWorld w;
    w.promised = true;
    w.set_template(one);
    w.settle_all();
    w.remove<Org>("acme");
    w.settle_all();
    EXPECT_EQ(w.names<DeletedWorkspace>(), std::vector<std::string>{w.kept_name()});
    w.set_template(both);
    w.make_org();
    w.change<Org>("acme", [](Org& org) { org.spec.defaults.image = "agent:1"; });
    w.settle_all();
    EXPECT_EQ(w.names<Workspace>(), two);
    EXPECT_EQ(w.notes_of("acme-qa"), "");
    EXPECT_EQ(w.names<DeletedWorkspace>(), std::vector<std::string>{w.kept_name()});
}

TEST(KeptVolumes, TheEndOfAnOrgKeepsThemOnlyWhenAsked) {
    KeepWorld w;
    w.annotate<Org>("acme", crds::annotation::keep_volumes_until,
                    rfc3339(w.clock.now() + std::chrono::hours(100)));
    w.promised = true;
    w.remove<Org>("acme");
    w.settle_all();
    EXPECT_EQ(w.names<Workspace>(), none);
    EXPECT_EQ(w.names<DeletedWorkspace>().size(), 2u);
    EXPECT_EQ(w.runtime.volume_names().size(), 4u);
}

TEST(KeptVolumes, PurgedAtOnceWhenTheRecordIsDeleted) {
    KeepWorld w;
    w.set_template(one);
    w.settle_all();
    w.remove<DeletedWorkspace>(w.kept_name());
    // A daemon that does not answer is no answer: it waits.
    w.runtime.set_weather(fakes::FakeRuntime::Weather::away);
    EXPECT_FALSE(w.turn_all());
    EXPECT_EQ(w.ready<DeletedWorkspace>(w.kept_name()), "Unknown RuntimeUnreachable");
    w.runtime.set_weather(fakes::FakeRuntime::Weather::fair);
    w.settle_all();
    EXPECT_EQ(w.names<DeletedWorkspace>(), none);
    EXPECT_EQ(w.runtime.volume_names().size(), 2u);
}

TEST(Undelete, BringsItBackFreeStandingAndNoOrgPrunesIt) {
    KeepWorld w;
    w.promised = true;
    w.set_template(one);
    w.settle_all();
    w.restore();
    w.settle_all();
    EXPECT_EQ(w.names<Workspace>(), two);
    EXPECT_EQ(w.read<Workspace>("acme-qa").meta.controller(), nullptr);
    EXPECT_EQ(w.notes_of("acme-qa"), work);
    EXPECT_EQ(w.names<DeletedWorkspace>(), none);
    w.pass(grace * 2);
    EXPECT_EQ(w.names<Workspace>(), two);
    // A template that has that name again does not touch it, and says what to do.
    w.set_template(both);
    w.settle_all();
    EXPECT_EQ(w.ready<Org>("acme"), "False NameConflict");
    EXPECT_NE(w.message_of("acme", "Ready").find("atelier adopt acme-qa --org acme"),
              std::string::npos);
}

TEST(Undelete, WaitsForItsNameOrTakesAnother) {
    KeepWorld w;
    w.promised = true;
    w.annotate<Workspace>("acme-qa", crds::annotation::keep_volumes_until,
                          rfc3339(w.clock.now() + std::chrono::hours(1000)));
    w.change<Org>("acme", [](Org& org) { org.spec.suspend = true; });
    w.remove<Workspace>("acme-qa");
    w.settle_all();
    crds::Meta meta;
    meta.name = "acme-qa";
    meta.ns = "default";
    crds::WorkspaceSpec spec;
    spec.image = "agent:1";
    ASSERT_TRUE(w.objects.create<Workspace>(meta, spec, w.clock.now()));
    w.restore();
    w.settle_all();
    EXPECT_EQ(w.ready<DeletedWorkspace>(w.kept_name()), "False NameTaken");
    EXPECT_EQ(w.notes_of("acme-qa"), "");
    w.restore("spare");
    w.settle_all();
    EXPECT_EQ(w.notes_of("spare"), work);
    EXPECT_EQ(w.names<DeletedWorkspace>(), none);
    // Kept once more, it is kept under its new name, and the old record does not come back.
    w.annotate<Workspace>("spare", crds::annotation::keep_volumes_until,
                          rfc3339(w.clock.now() + std::chrono::hours(1000)));
    w.remove<Workspace>("spare");
    w.settle_all();
    EXPECT_EQ(w.names<DeletedWorkspace>(),
              std::vector<std::string>{deleted_workspace_name("spare", w.uid)});
    EXPECT_EQ(w.names<Workspace>(), two);
}

TEST(Undelete, BringsTheEnvironmentOfTheTemplateBackToo) {
    KeepWorld w(true);
    w.promised = true;
    const auto token = [&](const std::string& workspace) -> std::string {
        const auto spec = w.runtime.spec(w.unit_of(workspace));
        return spec && spec->env.contains("TOKEN") ? spec->env.at("TOKEN") : "";
    };
    ASSERT_EQ(token("acme-qa"), "t0p");
    w.push_template(one);
    w.settle_all();
    EXPECT_FALSE(*w.objects.secret("default", "acme-qa-env"));  // the Org has removed its own
    ASSERT_TRUE(*w.objects.secret("default", w.kept_name() + "-env"));
    w.restore("spare");
    w.settle_all();
    EXPECT_EQ(w.ready<Workspace>("spare"), "True Running");
    EXPECT_EQ(token("spare"), "t0p");
    EXPECT_EQ((*w.objects.secret("default", "spare-env"))->meta.controller()->name, "spare");
}

TEST(Adoption, TheEnvironmentGoesWhereTheWorkspaceGoes) {
    KeepWorld w(true);
    w.promised = true;
    w.annotate<Workspace>("acme-qa", crds::annotation::released_from, "acme");
    w.settle_all();
    const auto owner = [&] {
        return (*w.objects.secret("default", "acme-qa-env"))->meta.controller()->kind;
    };
    EXPECT_EQ(owner(), "Workspace");
    w.runtime.clear_calls();
    w.annotate<Workspace>("acme-qa", crds::annotation::adopt_by, "acme");
    w.settle_all();
    EXPECT_EQ(owner(), "Org");
    EXPECT_EQ(w.runtime.count("create"), 0u);
    EXPECT_EQ(w.ready<Org>("acme"), "True AllReady");
}

// Deleted again before its record has noticed that it was back.
TEST(Undelete, WhatIsDeletedAgainAtOnceStaysDeleted) {
    KeepWorld w;
    w.promised = true;
    w.set_template(one);
    w.settle_all();
    w.restore();
    w.clock.now_ += std::chrono::seconds(5);
    // Up to the creation of the workspace, and then the server ends.
    w.store.fail_write(1, true);
    (void)w.deleted.reconcile(w.read<DeletedWorkspace>(w.kept_name()).key(), w.clock.now());
    ASSERT_EQ(w.names<Workspace>(), two);
    (void)w.workspaces.reconcile(w.read<Workspace>("acme-qa").key(), w.clock.now());
    w.annotate<Workspace>("acme-qa", crds::annotation::keep_volumes_until,
                          rfc3339(w.clock.now() + std::chrono::hours(1000)));
    w.remove<Workspace>("acme-qa");
    w.settle_all();
    EXPECT_EQ(w.names<Workspace>(), std::vector<std::string>{"acme-pm"});
    EXPECT_EQ(w.names<DeletedWorkspace>(), std::vector<std::string>{w.kept_name()});
    EXPECT_FALSE(w.read<DeletedWorkspace>(w.kept_name()).spec.restore);
    EXPECT_EQ(w.runtime.all_units().size(), 1u);
}

TEST(Undelete, TwoWorkspacesNeverWriteIntoTheSameVolumes) {
    KeepWorld w;
    w.promised = true;
    crds::Meta meta;
    meta.name = "copy";
    meta.ns = "default";
    meta.annotations[std::string(crds::annotation::volumes_of)] = w.uid;
    crds::WorkspaceSpec spec;
    spec.image = "agent:1";
    ASSERT_TRUE(w.objects.create<Workspace>(meta, spec, w.clock.now()));
    w.settle_all();
    EXPECT_EQ(w.ready<Workspace>("copy"), "False Invalid");
    EXPECT_EQ(w.runtime.all_units().size(), 2u);
    w.remove<Workspace>("copy");
    w.settle_all();
    EXPECT_EQ(w.notes_of("acme-qa"), work);
}

// --- whichever write or call is the last before a crash

struct Story {
    const char* name;
    std::function<void(KeepWorld&)> before;
    std::function<void(KeepWorld&)> change;
    bool promised;
};

const std::vector<Story> stories = {
    {"pruned", [](KeepWorld&) {}, [](KeepWorld& w) { w.set_template(one); }, true},
    {"taken over", [](KeepWorld& w) { w.set_template(one); },
     [](KeepWorld& w) { w.set_template(both); }, true},
    {"brought back", [](KeepWorld& w) { w.set_template(one); }, [](KeepWorld& w) { w.restore(); },
     true},
    {"expired", [](KeepWorld& w) { w.set_template(one); },
     [](KeepWorld& w) { w.clock.now_ += grace; }, false},
    {"adopted",
     [](KeepWorld& w) {
         w.set_template(one);
         w.settle_all();
         w.restore();
         w.settle_all();
         w.set_template(both);
     },
     [](KeepWorld& w) { w.annotate<Workspace>("acme-qa", crds::annotation::adopt_by, "acme"); },
     true},
    {"released", [](KeepWorld&) {},
     [](KeepWorld& w) {
         w.annotate<Workspace>("acme-qa", crds::annotation::released_from, "acme");
     },
     true},
};

std::string undisturbed(const Story& story, int& writes, int& calls) {
    KeepWorld w;
    story.before(w);
    w.settle_all();
    w.promised = story.promised;
    const int before = w.store.writes();
    calls = 0;
    w.runtime.on_call([&](std::string_view, fakes::When) { ++calls; });
    story.change(w);
    w.settle_all();
    writes = w.store.writes() - before;
    return w.picture();
}

TEST(KeptVolumes, EveryStoryEndsTheSameWhicheverWriteFails) {
    for (const Story& story : stories) {
        int writes = 0;
        int calls = 0;
        const std::string expected = undisturbed(story, writes, calls);
        ASSERT_GT(writes, 1);
        for (int nth = 1; nth <= writes; ++nth) {
            for (const bool after : {false, true}) {
                SCOPED_TRACE(std::string(story.name) + ": write " + std::to_string(nth) +
                             (after ? " after" : " before"));
                KeepWorld w;
                story.before(w);
                w.settle_all();
                w.promised = story.promised;
                story.change(w);
                w.store.fail_write(nth, after);
                w.settle_all();
                EXPECT_EQ(w.picture(), expected);
                if (testing::Test::HasFailure()) return;
            }
        }
    }
}

TEST(KeptVolumes, EveryStoryEndsTheSameWhicheverCallIsTheLastBeforeACrash) {
    for (const Story& story : stories) {
        int writes = 0;
        int calls = 0;
        const std::string expected = undisturbed(story, writes, calls);
        for (int nth = 1; nth <= calls; ++nth) {
            SCOPED_TRACE(std::string(story.name) + ": crash at point " + std::to_string(nth));
            KeepWorld w;
            story.before(w);
            w.settle_all();
            w.promised = story.promised;
            int point = 0;
            w.runtime.on_call([&](std::string_view, fakes::When) {
                if (++point == nth) throw Crash();
            });
            story.change(w);
            w.settle_all();
            w.runtime.on_call({});
            EXPECT_EQ(w.picture(), expected);
            if (testing::Test::HasFailure()) return;
        }
    }
}

// --- deletion racing with life, also when the volumes are kept

TEST(Scenario37, AKeptWorkspaceDoesNotComeBackByItself) {
    KeepWorld w;
    w.promised = true;
    const std::string unit = w.unit_of("acme-qa");
    w.set_template(one);
    ASSERT_TRUE(w.turn());  // the Org has marked it, and nobody else has looked
    ASSERT_TRUE(w.read<Workspace>("acme-qa").being_deleted());
    w.runtime.kill(unit);
    w.runtime.clear_calls();
    w.settle_all();
    EXPECT_EQ(w.runtime.count("create"), 0u);
    EXPECT_EQ(w.runtime.count("start"), 0u);
    EXPECT_EQ(w.names<Workspace>(), std::vector<std::string>{"acme-pm"});
}

TEST(Scenario38, WhenStoppingFailsNothingIsRecordedAsKeptYet) {
    KeepWorld w;
    w.promised = true;
    w.set_template(one);
    w.runtime.plan({.call = "stop", .nth = 1, .when = fakes::When::before, .code = Code::internal});
    EXPECT_FALSE(w.turn_all());
    EXPECT_EQ(w.names<DeletedWorkspace>(), none);
    EXPECT_EQ(w.runtime.volume_names().size(), 4u);
    w.settle_all();
    EXPECT_EQ(w.names<DeletedWorkspace>(), std::vector<std::string>{w.kept_name()});
    EXPECT_EQ(w.names<Workspace>(), std::vector<std::string>{"acme-pm"});
}

// --- adoption and release

TEST(Adoption, KeepsVolumesAndRestartsOnlyForAnotherSpec) {
    KeepWorld w;
    w.promised = true;
    w.annotate<Workspace>("acme-qa", crds::annotation::released_from, "acme");
    w.settle_all();
    const auto released = w.read<Workspace>("acme-qa");
    EXPECT_EQ(released.meta.controller(), nullptr);
    EXPECT_EQ(released.meta.label(crds::label::org), "");
    EXPECT_EQ(w.ready<Org>("acme"), "True AllReady");
    EXPECT_EQ(w.message_of("acme", "WorkspacesReleased"), "acme-qa");
    EXPECT_EQ(w.read<Org>("acme").status.counts.desired, 1);
    w.set_template(one);
    w.settle_all();
    EXPECT_EQ(w.names<Workspace>(), two);  // nor pruned

    w.set_template(both);
    w.annotate<Workspace>("acme-qa", crds::annotation::adopt_by, "acme");
    w.runtime.clear_calls();
    w.settle_all();
    const auto adopted = w.read<Workspace>("acme-qa");
    ASSERT_NE(adopted.meta.controller(), nullptr);
    EXPECT_EQ(adopted.meta.uid, w.uid);
    EXPECT_EQ(adopted.meta.annotation(crds::annotation::released_from), "");
    EXPECT_EQ(w.runtime.count("create"), 0u);
    EXPECT_EQ(w.ready<Org>("acme"), "True AllReady");
    EXPECT_EQ(w.read<Org>("acme").status.counts.desired, 2);
}

// Wherever the Org is cut off between its writes, the workspace does not start with half of it.
TEST(Adoption, NewValuesAndANewSpecAreOneRestart) {
    for (int cut = 1; cut <= 6; ++cut) {
        SCOPED_TRACE(cut);
        KeepWorld w(true);
        w.promised = true;
        w.annotate<Workspace>("acme-qa", crds::annotation::released_from, "acme");
        w.settle_all();
        w.push({{"org.yaml",
                 "name: Dev\nworkspaces:\n- {name: pm}\n- {name: qa, files_dir: qa, model: new}\n"},
                {"qa/.env", "TOKEN=n3w\n"},
                {"qa/a.md", "a"}});
        w.clock.now_ += std::chrono::hours(1);
        w.settle_all();
        w.annotate<Workspace>("acme-qa", crds::annotation::adopt_by, "acme");
        w.runtime.clear_calls();
        w.store.fail_write(cut, true);
        w.settle_all();
        EXPECT_EQ(w.runtime.count("start"), 1u);
        const auto spec = w.runtime.spec(w.unit_of("acme-qa"));
        ASSERT_TRUE(spec);
        EXPECT_EQ(spec->env.at("TOKEN"), "n3w");
        EXPECT_EQ(spec->env.at("MODEL"), "new");
        EXPECT_EQ(w.read<Workspace>("acme-qa").meta.controller()->kind, "Org");
        EXPECT_EQ((*w.objects.secret("default", "acme-qa-env"))->meta.controller()->kind, "Org");
    }
}

TEST(Release, AParentThatGoesIsNobodysParentAnyMore) {
    KeepWorld w;
    w.promised = true;
    w.set_template("name: Dev\nworkspaces:\n- {name: pm, children: [{name: qa}, {name: be}]}\n");
    w.settle_all();
    ASSERT_EQ(w.read<Workspace>("acme-qa").spec.parent, "acme-pm");
    w.annotate<Workspace>("acme-qa", crds::annotation::released_from, "acme");
    w.settle_all();
    EXPECT_EQ(w.read<Workspace>("acme-qa").spec.parent, "acme-pm") << "where it was, it stays";
    w.runtime.clear_calls();
    w.set_template("name: Dev\nworkspaces:\n- {name: be}\n");
    w.settle_all();
    EXPECT_EQ(w.names<Workspace>(), (std::vector<std::string>{"acme-be", "acme-qa"}));
    EXPECT_EQ(w.read<Workspace>("acme-qa").spec.parent, "");
    EXPECT_TRUE(w.has_event("ParentGone"));
    EXPECT_EQ(w.runtime.count("create"), 0u) << "and it runs on";
}

TEST(Adoption, OfOneThatTheTemplateDoesNotHaveIsRefusedAndTold) {
    KeepWorld w;
    w.promised = true;
    w.annotate<Workspace>("acme-qa", crds::annotation::released_from, "acme");
    w.set_template(one);
    w.settle_all();
    w.annotate<Workspace>("acme-qa", crds::annotation::adopt_by, "acme");
    w.settle_all();
    EXPECT_EQ(w.read<Workspace>("acme-qa").meta.controller(), nullptr);
    EXPECT_NE(w.message_of("acme", "AdoptionRefused").find("has no workspace of that name"),
              std::string::npos);
    EXPECT_TRUE(w.has_event("AdoptionRefused"));
    EXPECT_EQ(w.ready<Org>("acme"), "True AllReady");
}

}  // namespace
}  // namespace atelier::reconcilers
