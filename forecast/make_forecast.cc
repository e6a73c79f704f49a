#include "forecast/make_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/fingerprint.h"
#include "forecast/affected_workspaces.h"
#include "forecast/listed_runtime.h"
#include "forecast/org_forecast.h"
#include "reconcilers/plugin_install/policy.h"
#include "reconcilers/workspace/reconciler.h"

namespace atelier::forecast {
namespace {

using crds::Workspace;

// Compares each affected workspace as it is with what it would be.
class Comparison {
  public:
    Comparison(ForecastContext& context, const AppliedRequest& applied, const OrgEffects& orgs,
               const AffectedWorkspaces& affected)
        : context_(context),
          applied_(applied),
          orgs_(orgs),
          affected_(affected),
          runtimes_(listed(context.dependencies.runtimes)),
          workspaces_before_(context.before, runtimes_, Log()),
          workspaces_after_(context.after, runtimes_, Log()) {}

    Result<void> compare() {
        std::vector<Item> workspaces;
        for (const Key& key : affected_.workspaces) {
            TRY(context_.check_stop());
            TRY(compare_workspace(key, workspaces));
        }
        hold_prunes(workspaces);
        finish(std::move(workspaces));
        return {};
    }

  private:
    Result<std::optional<WorkspaceState>> side_of(
        const reconcilers::Objects& objects, const reconcilers::WorkspaceReconciler& reconciler,
        const Key& key) {
        auto workspace = TRY(objects.find<Workspace>(key.ns, key.name));
        if (!workspace) return std::optional<WorkspaceState>();
        WorkspaceState side;
        side.workspace = *std::move(workspace);
        if (!side.workspace.being_deleted()) {
            side.observed = TRY(reconciler.observe(side.workspace));
            for (const std::string& plugin : side.workspace.spec.plugins) {
                auto policy = TRY(reconcilers::policy_that_denies(objects, key.ns, plugin,
                                                                  side.workspace.spec.org));
                if (!policy.empty()) side.denied[plugin] = std::move(policy);
            }
        }
        return std::optional<WorkspaceState>(std::move(side));
    }

    Result<void> compare_workspace(const Key& key, std::vector<Item>& items) {
        const auto before = TRY(side_of(context_.before, workspaces_before_, key));
        const auto after = TRY(side_of(context_.after, workspaces_after_, key));
        if (!before && !after) return {};
        const auto plugins = affected_.plugins.find(key);
        WorkspaceForecast forecast = forecast_workspace(
            before, after,
            plugins == affected_.plugins.end() ? std::vector<PluginChange>() : plugins->second,
            context_.dependencies.fingerprint_key, context_.now);
        for (Blocker& blocker : forecast.blockers) {
            context_.result.forecast.blockers.push_back(std::move(blocker));
        }
        Item& item = forecast.item;
        if (item.action == Step::nothing) return {};
        context_.require_unchanged(key);
        note_values(item, after);
        if (item.action == Step::remove) item.kept = kept_of(*before);
        if (item.action == Step::create && before) item.reasons.emplace_back("the old one goes");
        if (applied_.suspended.contains(item.org) && !affected_.direct.contains(key))
            item.held = true;
        items.push_back(std::move(item));
        return {};
    }

    // The values of an Org's workspaces are noted with the Org.
    void note_values(const Item& item, const std::optional<WorkspaceState>& after) {
        if (!item.org.empty() || !after) return;
        const crds::WorkspaceSpec& spec = after->workspace.spec;
        const auto note = [&](std::string_view resource, const std::string& name,
                              const std::string& only) {
            const std::string ns = after->workspace.meta.ns;
            const auto values = values_of(context_.overlay.get({std::string(resource), ns, name}));
            for (const auto& [key, value] : values) {
                if (!only.empty() && key != only) continue;
                context_.result.values[fmt::format(
                    "Workspace {}: {} {}: {}", item.name,
                    resource == crds::Secret::resource ? "Secret" : "ConfigMap", name, key)] =
                    fingerprint(context_.dependencies.fingerprint_key, value);
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

    std::string kept_of(const WorkspaceState& side) const {
        const auto grace = orgs_.grace.find(side.workspace.spec.org);
        if (grace == orgs_.grace.end() || grace->second <= Duration::zero()) {
            return "volumes go with it";
        }
        return "volumes kept " + short_duration(grace->second);
    }

    // Deletions that wait for a confirmation, or until something else is settled.
    void hold_prunes(std::vector<Item>& items) {
        for (const Key& key : orgs_.pending) {
            const auto workspace = context_.overlay.get(key);
            if (!workspace || workspace->meta.deleted_at) continue;
            const auto decoded = crds::decode<Workspace>(workspace->body);
            if (!decoded) continue;
            WorkspaceState side;
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
            context_.require_unchanged(key);
        }
    }

    void finish(std::vector<Item> workspaces) {
        Forecast& forecast = context_.result.forecast;
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
                  [](const OrgTarget& a, const OrgTarget& b) { return a.org < b.org; });
        std::stable_sort(forecast.blockers.begin(), forecast.blockers.end(),
                         [](const Blocker& a, const Blocker& b) { return a.blocks > b.blocks; });
        for (auto& [key, precondition] : context_.preconditions)
            context_.result.preconditions.push_back(std::move(precondition));
    }

    reconcilers::Runtimes listed(reconcilers::Runtimes runtimes) {
        for (auto& [name, runtime] : runtimes.by_backend) {
            listed_.push_back(
                std::make_unique<ListedRuntime>(*runtime, reconcilers::labels_of_server(runtimes)));
            runtime = listed_.back().get();
        }
        return runtimes;
    }

    ForecastContext& context_;
    const AppliedRequest& applied_;
    const OrgEffects& orgs_;
    const AffectedWorkspaces& affected_;
    std::vector<std::unique_ptr<ListedRuntime>> listed_;
    const reconcilers::Runtimes runtimes_;
    const reconcilers::WorkspaceReconciler workspaces_before_;
    const reconcilers::WorkspaceReconciler workspaces_after_;
};

}  // namespace

Result<ForecastResult> make_forecast(const Dependencies& dependencies, const Request& request,
                                     Instant now, const std::stop_token& stop) {
    ForecastContext context(dependencies, request, now, stop);
    const AppliedRequest applied = TRY(apply_request(context));
    Convergence convergence(context);
    TRY(convergence.settle(applied.due));
    const OrgEffects orgs = TRY(forecast_orgs(context, convergence, applied));
    const AffectedWorkspaces affected = TRY(find_affected_workspaces(context));
    TRY(Comparison(context, applied, orgs, affected).compare());
    return std::move(context.result);
}

}  // namespace atelier::forecast
