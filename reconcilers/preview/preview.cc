#include "reconcilers/preview/preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "reconcilers/fingerprint.h"
#include "reconcilers/plugin_install/policy.h"
#include "reconcilers/preview/concerned.h"
#include "reconcilers/preview/listed_runtime.h"
#include "reconcilers/preview/orgs.h"
#include "reconcilers/workspace/reconciler.h"

namespace atelier::reconcilers::preview {
namespace {

using crds::Workspace;

// The workspaces, each as it is against as it would be.
class Comparison {
  public:
    Comparison(Scene& scene, const Asked& asked, const OrgsTold& orgs, const Concerned& concerned)
        : scene_(scene),
          asked_(asked),
          orgs_(orgs),
          concerned_(concerned),
          world_(listed(scene.tools.world)),
          workspaces_before_(scene.before, world_, Log()),
          workspaces_after_(scene.after, world_, Log()) {}

    Result<void> compare() {
        std::vector<Item> workspaces;
        for (const Key& key : concerned_.workspaces) {
            TRY(scene_.check_stop());
            TRY(compare_workspace(key, workspaces));
        }
        hold_prunes(workspaces);
        finish(std::move(workspaces));
        return {};
    }

  private:
    Result<std::optional<Side>> side_of(const Objects& objects,
                                        const WorkspaceReconciler& reconciler, const Key& key) {
        auto workspace = TRY(objects.find<Workspace>(key.ns, key.name));
        if (!workspace) return std::optional<Side>();
        Side side;
        side.workspace = *std::move(workspace);
        if (!side.workspace.being_deleted()) {
            side.seen = TRY(reconciler.observe(side.workspace));
            for (const std::string& plugin : side.workspace.spec.plugins) {
                auto policy =
                    TRY(policy_that_denies(objects, key.ns, plugin, side.workspace.spec.org));
                if (!policy.empty()) side.denied[plugin] = std::move(policy);
            }
        }
        return std::optional<Side>(std::move(side));
    }

    Result<void> compare_workspace(const Key& key, std::vector<Item>& items) {
        const auto before = TRY(side_of(scene_.before, workspaces_before_, key));
        const auto after = TRY(side_of(scene_.after, workspaces_after_, key));
        if (!before && !after) return {};
        const auto plugins = concerned_.plugins.find(key);
        Judged judged = judge(
            before, after,
            plugins == concerned_.plugins.end() ? std::vector<PluginChange>() : plugins->second,
            scene_.tools.fingerprint_key, scene_.now);
        for (Blocker& blocker : judged.blockers) {
            scene_.answer.forecast.blockers.push_back(std::move(blocker));
        }
        Item& item = judged.item;
        if (item.action == Step::nothing) return {};
        scene_.note_base(key);
        note_values(item, after);
        if (item.action == Step::remove) item.kept = kept_of(*before);
        if (item.action == Step::create && before) item.reasons.emplace_back("the old one goes");
        if (asked_.suspended.contains(item.org) && !concerned_.direct.contains(key))
            item.held = true;
        items.push_back(std::move(item));
        return {};
    }

    // Those of an Org are noted with it.
    void note_values(const Item& item, const std::optional<Side>& after) {
        if (!item.org.empty() || !after) return;
        const crds::WorkspaceSpec& spec = after->workspace.spec;
        const auto note = [&](std::string_view resource, const std::string& name,
                              const std::string& only) {
            const std::string ns = after->workspace.meta.ns;
            const auto values = values_of(scene_.overlay.get({std::string(resource), ns, name}));
            for (const auto& [key, value] : values) {
                if (!only.empty() && key != only) continue;
                scene_.answer.values[fmt::format(
                    "Workspace {}: {} {}: {}", item.name,
                    resource == crds::Secret::resource ? "Secret" : "ConfigMap", name, key)] =
                    fingerprint(scene_.tools.fingerprint_key, value);
            }
        };
        for (const crds::EnvFrom& from : spec.env_from) {
            if (from.secret_ref) note(crds::Secret::resource, from.secret_ref->name, "");
            if (from.config_map_ref) note(crds::ConfigMap::resource, from.config_map_ref->name, "");
        }
        for (const crds::EnvValue& one : spec.env) {
            if (const auto& ref = one.secret_key_ref) {
                note(crds::Secret::resource, ref->name, ref->key);
            }
            if (const auto& ref = one.config_map_key_ref) {
                note(crds::ConfigMap::resource, ref->name, ref->key);
            }
        }
    }

    std::string kept_of(const Side& side) const {
        const auto grace = orgs_.grace.find(side.workspace.spec.org);
        if (grace == orgs_.grace.end() || grace->second <= Duration::zero()) {
            return "volumes go with it";
        }
        return "volumes kept " + short_duration(grace->second);
    }

    // Deletions that wait for a confirmation, or for what is in the way.
    void hold_prunes(std::vector<Item>& items) {
        for (const Key& key : orgs_.pending) {
            const auto workspace = scene_.overlay.get(key);
            if (!workspace || workspace->meta.deleted_at) continue;
            const auto decoded = crds::decode<Workspace>(workspace->body);
            if (!decoded) continue;
            Side side;
            side.workspace = *decoded;
            Item item;
            item.kind = Workspace::Spec::kind;
            item.name = key.name;
            item.org = decoded->spec.org;
            item.action = Step::remove;
            item.kept = kept_of(side);
            item.held = true;
            std::erase_if(items, [&](const Item& other) { return other.name == item.name; });
            items.push_back(std::move(item));
            scene_.note_base(key);
        }
    }

    void finish(std::vector<Item> workspaces) {
        Forecast& forecast = scene_.answer.forecast;
        const auto by_name = [](const Item& a, const Item& b) {
            return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
        };
        std::sort(forecast.items.begin(), forecast.items.end(), by_name);
        std::sort(workspaces.begin(), workspaces.end(), by_name);
        std::int64_t of_orgs = 0;
        for (Item& item : workspaces) {
            ++forecast.counts[std::string(json::name_of(item.action))];
            if (!item.org.empty() && orgs_.grace.contains(item.org)) ++of_orgs;
            forecast.items.push_back(std::move(item));
        }
        forecast.unchanged = std::max<std::int64_t>(0, orgs_.owned - of_orgs);
        std::sort(forecast.orgs.begin(), forecast.orgs.end(),
                  [](const Followed& a, const Followed& b) { return a.org < b.org; });
        std::stable_sort(forecast.blockers.begin(), forecast.blockers.end(),
                         [](const Blocker& a, const Blocker& b) { return a.blocks > b.blocks; });
        for (auto& [key, base] : scene_.bases) scene_.answer.bases.push_back(std::move(base));
    }

    World listed(World world) {
        for (auto& [name, runtime] : world.runtimes) {
            runtimes_.push_back(std::make_unique<ListedRuntime>(*runtime, labels_of_server(world)));
            runtime = runtimes_.back().get();
        }
        return world;
    }

    Scene& scene_;
    const Asked& asked_;
    const OrgsTold& orgs_;
    const Concerned& concerned_;
    std::vector<std::unique_ptr<ListedRuntime>> runtimes_;
    const World world_;
    const WorkspaceReconciler workspaces_before_;
    const WorkspaceReconciler workspaces_after_;
};

}  // namespace

Result<Answer> preview(const Tools& tools, const Question& question, Instant now,
                       const std::stop_token& stop) {
    Scene scene(tools, question, now, stop);
    const Asked asked = TRY(put_question(scene));
    Rounds rounds(scene);
    TRY(rounds.settle(asked.due));
    const OrgsTold orgs = TRY(tell_orgs(scene, rounds, asked));
    const Concerned concerned = TRY(find_concerned(scene));
    TRY(Comparison(scene, asked, orgs, concerned).compare());
    return std::move(scene.answer);
}

}  // namespace atelier::reconcilers::preview
