#include "forecast/orgs.h"

#include <fmt/format.h>

#include <algorithm>

#include "forecast/blockers.h"
#include "reconcilers/environment/planned_values.h"

namespace atelier::forecast {
namespace {

using crds::Org;
using crds::OrgTemplate;

class Teller {
  public:
    Teller(ForecastContext& context, Convergence& convergence, const Request& request)
        : context_(context), convergence_(convergence), request_(request) {}

    Result<OrgEffects> record_events() {
        TRY(forecast_orgs());
        return std::move(out_);
    }

  private:
    Result<void> forecast_orgs() {
        for (const Key& key : convergence_.looked_at()) {
            if (key.resource == crds::OrgTemplateSpec::resource) {
                TRY(add_template(key));
            } else {
                TRY(add_org(key));
            }
            const auto failed = convergence_.failures().find(key);
            if (failed == convergence_.failures().end()) continue;
            const bool told = std::any_of(
                context_.answer.forecast.blockers.begin(), context_.answer.forecast.blockers.end(),
                [&](const Blocker& one) { return one.message == failed->second.message; });
            if (told) continue;
            const bool org = key.resource == crds::OrgSpec::resource;
            context_.answer.forecast.blockers.push_back(
                {(org ? "Org " : "OrgTemplate ") + key.name, "Failed", failed->second.message, ""});
        }
        return {};
    }

    // Unless each Org that uses it is pinned to one of its revisions.
    Result<bool> is_needed(const Key& source) {
        bool pinned = false;
        for (const Key& key : convergence_.looked_at()) {
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
        add_blockers(*source, TRY(is_needed(key)), context_.answer.forecast.blockers);
        const auto old = TRY(context_.before.find<OrgTemplate>(key.ns, key.name));
        if (!old || old->status.artifact_digest == source->status.artifact_digest) return {};
        const auto shown = [](const std::string& text) {
            return text.empty() ? std::string("(none)") : text.substr(0, 12);
        };
        const std::string reason = fmt::format("revision {} -> {}", shown(old->status.revision),
                                               shown(source->status.revision));
        context_.note_base(key);
        for (Item& item : context_.answer.forecast.items) {
            if (item.kind != OrgTemplate::Spec::kind || item.name != key.name) continue;
            item.reasons.push_back(reason);
            return {};
        }
        Item item;
        item.kind = OrgTemplate::Spec::kind;
        item.name = key.name;
        item.action = Step::configure;
        item.reasons = {reason};
        context_.answer.forecast.items.push_back(std::move(item));
        return {};
    }

    Result<void> add_org(const Key& key) {
        const auto org = TRY(context_.after.find<Org>(key.ns, key.name));
        if (!org) return {};
        if (org->being_deleted()) {
            context_.answer.forecast.blockers.push_back(
                {"Org " + key.name, "BeingDeleted",
                 "it is being deleted, with the workspaces that it owns: nothing else will come of "
                 "it",
                 ""});
        } else if (org->spec.suspend) {
            context_.add_suspended(key.name);
        } else {
            add_blockers(*org, context_.answer.forecast.blockers);
        }
        out_.grace[key.name] = org->spec.prune.volume_grace;
        // Metadata are enough: decoding every workspace again would take longer than all the rest.
        const auto all = context_.overlay.list(crds::WorkspaceSpec::resource);
        for (const auto& object : all->objects) {
            const crds::OwnerReference* owner = object->meta.controller();
            if (owner && owner->uid == org->meta.uid) ++out_.owned;
        }
        for (const std::string& name : org->status.pending_prune) {
            out_.pending.insert({std::string(crds::WorkspaceSpec::resource), key.ns, name});
        }
        Followed followed{key.name, org->spec.template_ref.name, "", "", ""};
        const reconcilers::OrgObserved observed =
            TRY(convergence_.orgs().sources_of(*org, context_.after));
        if (observed.revision) {
            followed.revision = observed.revision->revision;
            followed.artifact_digest = observed.revision->artifact_digest;
        }
        if (!observed.layers_missing) {
            followed.environment =
                reconcilers::environment_digest(observed, context_.tools.fingerprint_key);
        }
        for (const auto& [name, value] :
             reconcilers::environment_fingerprints(observed, context_.tools.fingerprint_key)) {
            context_.answer.values["Org " + key.name + ": " + name] = value;
        }
        TRY(note_behind(*org, observed));
        const auto bound = request_.bound.find(key.name);
        if (bound != request_.bound.end() &&
            bound->second != reconcilers::Bond{followed.artifact_digest, followed.environment}) {
            give_up(key, bound->second.artifact);
        }
        context_.answer.forecast.orgs.push_back(std::move(followed));
        return {};
    }

    // Whether the template must look at its source for what was planned to come true.
    Result<void> note_behind(const Org& org, const reconcilers::OrgObserved& after) {
        if (!after.source) return {};
        const reconcilers::OrgObserved before =
            TRY(convergence_.orgs().sources_of(org, context_.before));
        if (!before.source) return {};
        const bool same =
            before.source->status.artifact_digest == after.source->status.artifact_digest &&
            before.layers.org == after.layers.org && before.layers.nodes == after.layers.nodes;
        if (!same) context_.answer.behind.insert(after.source->meta.name);
        return {};
    }

    // The plan that it waits for will not come true, and this one takes its place.
    void give_up(const Key& key, const std::string& artifact) {
        context_.note_base(key);
        const std::string reason = "gives up the plan of " + artifact.substr(0, 12);
        auto& items = context_.answer.forecast.items;
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
    const Request& request_;
    OrgEffects out_;
};

}  // namespace

Result<OrgEffects> forecast_orgs(ForecastContext& context, Convergence& convergence,
                                 const Request& request) {
    return Teller(context, convergence, request).record_events();
}

}  // namespace atelier::forecast
