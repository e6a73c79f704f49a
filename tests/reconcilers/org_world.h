// A small world for OrgTemplate and Org: a store in memory whose writes may fail, remotes and trees
// in memory, and both reconcilers, run one after the other as controllers would.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>

#include "base/metrics.h"
#include "crds/kind.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/org/reconciler.h"
#include "reconcilers/org_template/reconciler.h"
#include "store/open.h"
#include "tests/fakes/fake_git.h"
#include "tests/fakes/faulty_store.h"
#include "tests/fakes/memory_tree_store.h"

namespace atelier::reconcilers {

class SteppedClock final : public Clock {
  public:
    Instant now() const override { return now_; }
    Instant now_ = Instant(std::chrono::hours(24 * 365 * 55));
};

// Made once: reading the definitions takes longer than most tests.
inline const crds::Kinds& org_world_kinds() {
    static const crds::Kinds kinds = [] {
        auto made = crds::atelier_kinds();
        CHECK(made);
        crds::add_core_kinds(*made);
        return std::move(*made);
    }();
    return kinds;
}

class OrgWorld {
  public:
    explicit OrgWorld(std::filesystem::path templates_root = {},
                      const std::string& revision_key = {})
        : opened(store::open({.url = "memory:", .encryption_key = "", .commit_inline = true}, clock,
                             random, metrics, Log())),
          store(**opened),
          objects(store, kinds, random, Log()),
          templates(objects, git, trees, std::move(templates_root), trusted(), revision_key),
          orgs(objects, trees, Log(), &metrics, key_of_plans) {}

    static constexpr const char* key_of_plans = "a key of this test";
    static constexpr const char* url = "http://git.example/acme/org";
    // The other repositories that templates may name here.
    static ExternalOptions trusted() {
        return {.policy = {.host = "git.moleculesai.app",
                           .allow = {"git.moleculesai.app/molecule-ai/"}},
                .token = ""};
    }

    // Commits files to the remote.
    std::string push(const std::map<std::string, std::string>& files) {
        drivers::Tree tree;
        for (const auto& [path, bytes] : files) tree[path].bytes = bytes;
        return git.commit(url, tree);
    }

    crds::OrgTemplate make_template(crds::OrgTemplateSpec spec) {
        crds::Meta meta;
        meta.name = "dev";
        meta.ns = "default";
        auto made = objects.create<crds::OrgTemplate>(meta, spec, clock.now());
        CHECK(made);
        return *made;
    }
    crds::OrgTemplate make_git_template() {
        crds::OrgTemplateSpec spec;
        spec.source.git = crds::GitSource{.url = url, .ref = "main", .path = "", .secret_ref = {}};
        return make_template(spec);
    }
    crds::OrgTemplate make_inline_template(const std::string& yaml) {
        crds::OrgTemplateSpec spec;
        spec.source.inline_yaml = yaml;
        return make_template(spec);
    }
    crds::Org make_org(const std::string& name = "acme") {
        crds::Meta meta;
        meta.name = name;
        meta.ns = "default";
        crds::OrgSpec spec;
        spec.template_ref.name = "dev";
        auto made = objects.create<crds::Org>(meta, spec, clock.now());
        CHECK(made);
        return *made;
    }

    template <class T>
    T read(const std::string& name) {
        const auto found = objects.find<T>("default", name);
        CHECK(found && *found);
        return **found;
    }
    template <class T>
    void change(const std::string& name, const std::function<void(T&)>& how) {
        T object = read<T>(name);
        how(object);
        const auto written = objects.update(object, clock.now());
        CHECK(written);
    }

    Result<Outcome> reconcile_template(const std::string& name = "dev") {
        return templates.reconcile({"orgtemplates.atelier.dev", "default", name}, clock.now());
    }
    Result<Outcome> reconcile_org(const std::string& name = "acme") {
        return orgs.reconcile({"orgs.atelier.dev", "default", name}, clock.now());
    }
    // One turn of every key; true when nothing failed.
    bool turn() {
        clock.now_ += std::chrono::seconds(10);
        bool fine = true;
        for (const Reconciler* reconciler :
             {static_cast<const Reconciler*>(&templates), static_cast<const Reconciler*>(&orgs)}) {
            const auto snapshot = store.list(reconciler->resource());
            for (const auto& object : snapshot->objects) {
                auto done =
                    const_cast<Reconciler*>(reconciler)->reconcile(object->key, clock.now());
                fine = static_cast<bool>(done) && fine;
            }
        }
        return fine;
    }
    // Turns until one changes nothing; the number of turns that did.
    int settle() {
        for (int turns = 0; turns < 20; ++turns) {
            const Revision before = store.revision();
            const int puts = trees.puts();
            if (turn() && store.revision() == before && trees.puts() == puts) return turns;
        }
        ADD_FAILURE() << "it does not come to rest";
        return 20;
    }

    void make_ready(const std::string& name) {
        auto workspace = read<crds::Workspace>(name);
        auto status = workspace.status;
        status.observed_generation = workspace.meta.generation;
        status.set({.type = "Ready",
                    .status = crds::ConditionStatus::yes,
                    .reason = "Running",
                    .message = ""},
                   clock.now());
        CHECK(objects.report(workspace, status, clock.now()));
    }

    // "acme-pm acme-be<acme-pm": names and parents, "!" behind one that is being deleted.
    std::string workspaces() {
        std::string text;
        const auto all = objects.list<crds::Workspace>("default");
        CHECK(all);
        for (const crds::Workspace& workspace : *all) {
            if (!text.empty()) text += " ";
            text += workspace.meta.name;
            if (!workspace.spec.parent.empty()) text += "<" + workspace.spec.parent;
            if (workspace.being_deleted()) text += "!";
        }
        return text;
    }
    std::string events() {
        std::string text;
        const auto snapshot = store.list("events");
        for (const auto& object : snapshot->objects) text += object->body + "\n";
        return text;
    }
    // Everything that is there but events and revisions, for comparing two worlds.
    std::string everything() {
        std::string text;
        for (const char* resource : {"orgtemplates.atelier.dev", "orgs.atelier.dev",
                                     "workspaces.atelier.dev", "secrets"}) {
            const auto snapshot = store.list(resource);
            for (const auto& object : snapshot->objects) {
                const auto document = json::parse(object->body);
                CHECK(document);
                const json::Value* spec = json::find(*document, {"spec"});
                const json::Value* data = json::find(*document, {"data"});
                text += object->key.text() + " " + (spec ? json::canonical(*spec) : "") +
                        (data ? json::canonical(*data) : "") + "\n";
            }
        }
        return text;
    }

    SteppedClock clock;
    SeededRandom random{7};
    Metrics metrics;
    const crds::Kinds& kinds = org_world_kinds();
    Result<std::unique_ptr<store::Store>> opened;
    fakes::FaultyStore store;
    fakes::FakeGit git;
    fakes::MemoryTreeStore trees;
    Objects objects;
    OrgTemplateReconciler templates;
    OrgReconciler orgs;
};

}  // namespace atelier::reconcilers
