#include "forecast/org_forecast.h"

#include <fmt/format.h>

#include <algorithm>

#include "forecast/blockers.h"
#include "reconcilers/environment/planned_values.h"

namespace atelier::forecast {
namespace {

using crds::Org;
using crds::OrgTemplate;

class OrgForecaster {
  public:
    OrgForecaster(ForecastContext& context, Convergence& convergence, const AppliedRequest& applied)
        : context_(context), convergence_(convergence), applied_(applied) {}

    Result<OrgEffects> forecast() {
        TRY(add_all());
        return std::move(out_);
    }

  private:
    Result<void> add_all() {
        for (const Key& key : convergence_.reconciled()) {
            if (key.resource == crds::OrgTemplateSpec::resource) {
                TRY(add_template(key));
            } else {
                TRY(add_org(key));
            }
            const auto failed = convergence_.failures().find(key);
            if (failed == convergence_.failures().end()) continue;
            const bool reported = std::any_of(
                context_.result.forecast.blockers.begin(), context_.result.forecast.blockers.end(),
                [&](const Blocker& one) { return one.message == failed->second.message; });
            if (reported) continue;
            const bool org = key.resource == crds::OrgSpec::resource;
            context_.result.forecast.blockers.push_back(
                {(org ? "Org " : "OrgTemplate ") + key.name, "Failed", failed->second.message, ""});
        }
        return {};
    }

    // False when every Org that uses the template is pinned to one of its revisions.
    Result<bool> is_needed(const Key& source) {
        bool pinned = false;
        for (const Key& key : convergence_.reconciled()) {
            if (key.resource != crds::OrgSpec::resource || key.ns != source.ns) continue;
            const auto org = TRY(context_.after.find<Org>(key.ns, key.name));
            if (!org || org->spec.template_ref.name != source.name) continue;
            if (org->spec.revision.empty()) return true;
            pinned = true;
        }
        return !pinned;
    }

    Result<void> add_template(const Key& key) {
        const auto source = TRY(context_.after.find<OrgTemplate>(key.ns, key.name));
        if (!source) return {};
        add_blockers(*source, TRY(is_needed(key)), context_.result.forecast.blockers);
        const auto old = TRY(context_.before.find<OrgTemplate>(key.ns, key.name));
        if (!old || old->status.artifact_digest == source->status.artifact_digest) return {};
        const auto shown = [](const std::string& text) {
            return text.empty() ? std::string("(none)") : text.substr(0, 12);
        };
        const std::string reason = fmt::format("revision {} -> {}", shown(old->status.revision),
                                               shown(source->status.revision));
        context_.require_unchanged(key);
        for (Item& item : context_.result.forecast.items) {
            if (item.kind != OrgTemplate::Spec::kind || item.name != key.name) continue;
            item.reasons.push_back(reason);
            return {};
        }
        Item item;
        item.kind = OrgTemplate::Spec::kind;
        item.name = key.name;
        item.action = Step::configure;
        item.reasons = {reason};
        context_.result.forecast.items.push_back(std::move(item));
        return {};
    }

    Result<void> add_org(const Key& key) {
        const auto org = TRY(context_.after.find<Org>(key.ns, key.name));
        if (!org) return {};
        if (org->being_deleted()) {
            context_.result.forecast.blockers.push_back(
                {"Org " + key.name, "BeingDeleted",
                 "it is being deleted, with the workspaces that it owns: nothing else will come of "
                 "it",
                 ""});
        } else if (org->spec.suspend) {
            context_.block_suspended(key.name);
        } else {
            add_blockers(*org, context_.result.forecast.blockers);
        }
        out_.grace[key.name] = org->spec.prune.volume_grace;
        // Counted by metadata: decoding every workspace would take longer than the rest.
        const auto all = context_.overlay.list(crds::WorkspaceSpec::resource);
        for (const auto& object : all->objects) {
            const crds::OwnerReference* owner = object->meta.controller();
            if (owner && owner->uid == org->meta.uid) ++out_.owned;
        }
        for (const std::string& name : org->status.pending_prune) {
            out_.pending.insert({std::string(crds::WorkspaceSpec::resource), key.ns, name});
        }
        OrgTarget followed{key.name, org->spec.template_ref.name, "", "", ""};
        const reconcilers::org::Observed observed =
            TRY(convergence_.orgs().sources_of(*org, context_.after));
        if (observed.revision) {
            followed.revision = observed.revision->revision;
            followed.artifact_digest = observed.revision->artifact_digest;
        }
        if (!observed.layers_missing) {
            followed.environment =
                reconcilers::environment_digest(observed, context_.dependencies.fingerprint_key);
        }
        for (const auto& [name, value] : reconcilers::environment_fingerprints(
                 observed, context_.dependencies.fingerprint_key)) {
            context_.result.values["Org " + key.name + ": " + name] = value;
        }
        TRY(note_behind(*org, observed));
        const auto bound = applied_.bound.find(key.name);
        if (bound != applied_.bound.end() &&
            bound->second !=
                reconcilers::org::Binding{followed.artifact_digest, followed.environment}) {
            add_replaced_binding(key, bound->second.artifact);
        }
        context_.result.forecast.orgs.push_back(std::move(followed));
        return {};
    }

    // The template must read its source again for the forecast to come true.
    Result<void> note_behind(const Org& org, const reconcilers::org::Observed& after) {
        if (!after.source) return {};
        const reconcilers::org::Observed before =
            TRY(convergence_.orgs().sources_of(org, context_.before));
        if (!before.source) return {};
        const bool same =
            before.source->status.artifact_digest == after.source->status.artifact_digest &&
            before.layers.org == after.layers.org && before.layers.nodes == after.layers.nodes;
        if (!same) context_.result.behind.insert(after.source->meta.name);
        return {};
    }

    // The forecast that the Org is bound to will not come true; this one replaces it.
    void add_replaced_binding(const Key& key, const std::string& artifact) {
        context_.require_unchanged(key);
        const std::string reason = "gives up the plan of " + artifact.substr(0, 12);
        auto& items = context_.result.forecast.items;
        const auto item = std::find_if(items.begin(), items.end(), [&](const Item& one) {
            return one.kind == Org::Spec::kind && one.name == key.name;
        });
        if (item != items.end()) {
            item->reasons.push_back(reason);
            return;
        }
        Item fresh;
        fresh.kind = Org::Spec::kind;
        fresh.name = key.name;
        fresh.action = Step::configure;
        fresh.reasons = {reason};
        items.push_back(std::move(fresh));
    }

    ForecastContext& context_;
    Convergence& convergence_;
    const AppliedRequest& applied_;
    OrgEffects out_;
};

}  // namespace

Result<OrgEffects> forecast_orgs(ForecastContext& context, Convergence& convergence,
                                 const AppliedRequest& applied) {
    return OrgForecaster(context, convergence, applied).forecast();
}

}  // namespace atelier::forecast
