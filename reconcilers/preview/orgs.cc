#include "reconcilers/preview/orgs.h"

#include <fmt/format.h>

#include <algorithm>

#include "reconcilers/org/environment.h"
#include "reconcilers/preview/blockers.h"

namespace atelier::reconcilers::preview {
namespace {

using crds::Org;
using crds::OrgTemplate;

class Teller {
  public:
    Teller(Scene& scene, Rounds& rounds, const Asked& asked)
        : scene_(scene), rounds_(rounds), asked_(asked) {}

    Result<OrgsTold> tell() {
        TRY(tell_orgs());
        return std::move(out_);
    }

  private:
    Result<void> tell_orgs() {
        for (const Key& key : rounds_.looked_at()) {
            if (key.resource == crds::OrgTemplateSpec::resource) {
                TRY(tell_template(key));
            } else {
                TRY(tell_org(key));
            }
            const auto failed = rounds_.failures().find(key);
            if (failed == rounds_.failures().end()) continue;
            const bool told = std::any_of(
                scene_.answer.forecast.blockers.begin(), scene_.answer.forecast.blockers.end(),
                [&](const Blocker& one) { return one.message == failed->second.message; });
            if (told) continue;
            const bool org = key.resource == crds::OrgSpec::resource;
            scene_.answer.forecast.blockers.push_back(
                {(org ? "Org " : "OrgTemplate ") + key.name, "Failed", failed->second.message, ""});
        }
        return {};
    }

    // Unless each Org that uses it is pinned to one of its revisions.
    Result<bool> is_needed(const Key& source) {
        bool pinned = false;
        for (const Key& key : rounds_.looked_at()) {
            if (key.resource != crds::OrgSpec::resource || key.ns != source.ns) continue;
            const auto org = TRY(scene_.after.find<Org>(key.ns, key.name));
            if (!org || org->spec.template_ref.name != source.name) continue;
            if (org->spec.revision.empty()) return true;
            pinned = true;
        }
        return !pinned;
    }

    Result<void> tell_template(const Key& key) {
        const auto source = TRY(scene_.after.find<OrgTemplate>(key.ns, key.name));
        if (!source) return {};
        add_blockers(*source, TRY(is_needed(key)), scene_.answer.forecast.blockers);
        const auto old = TRY(scene_.before.find<OrgTemplate>(key.ns, key.name));
        if (!old || old->status.artifact_digest == source->status.artifact_digest) return {};
        const auto shown = [](const std::string& text) {
            return text.empty() ? std::string("(none)") : text.substr(0, 12);
        };
        const std::string reason = fmt::format("revision {} -> {}", shown(old->status.revision),
                                               shown(source->status.revision));
        scene_.note_base(key);
        for (Item& item : scene_.answer.forecast.items) {
            if (item.kind != OrgTemplate::Spec::kind || item.name != key.name) continue;
            item.reasons.push_back(reason);
            return {};
        }
        Item item;
        item.kind = OrgTemplate::Spec::kind;
        item.name = key.name;
        item.action = Step::configure;
        item.reasons = {reason};
        scene_.answer.forecast.items.push_back(std::move(item));
        return {};
    }

    Result<void> tell_org(const Key& key) {
        const auto org = TRY(scene_.after.find<Org>(key.ns, key.name));
        if (!org) return {};
        if (org->being_deleted()) {
            scene_.answer.forecast.blockers.push_back(
                {"Org " + key.name, "BeingDeleted",
                 "it is being deleted, with the workspaces that it owns: nothing else will come of "
                 "it",
                 ""});
        } else if (org->spec.suspend) {
            scene_.tell_suspended(key.name);
        } else {
            add_blockers(*org, scene_.answer.forecast.blockers);
        }
        out_.grace[key.name] = org->spec.prune.volume_grace;
        // Metadata are enough: decoding every workspace again would take longer than all the rest.
        const auto all = scene_.overlay.list(crds::WorkspaceSpec::resource);
        for (const auto& object : all->objects) {
            const crds::OwnerReference* owner = object->meta.controller();
            if (owner && owner->uid == org->meta.uid) ++out_.owned;
        }
        for (const std::string& name : org->status.pending_prune) {
            out_.pending.insert({std::string(crds::WorkspaceSpec::resource), key.ns, name});
        }
        Followed followed{key.name, org->spec.template_ref.name, "", "", ""};
        const OrgObserved observed = TRY(rounds_.orgs().sources_of(*org, scene_.after));
        if (observed.revision) {
            followed.revision = observed.revision->revision;
            followed.artifact_digest = observed.revision->artifact_digest;
        }
        if (!observed.layers_missing) {
            followed.environment = environment_digest(observed, scene_.tools.fingerprint_key);
        }
        for (const auto& [name, value] :
             environment_fingerprints(observed, scene_.tools.fingerprint_key)) {
            scene_.answer.values["Org " + key.name + ": " + name] = value;
        }
        TRY(note_behind(*org, observed));
        const auto bound = asked_.bound.find(key.name);
        if (bound != asked_.bound.end() &&
            bound->second != Bond{followed.artifact_digest, followed.environment}) {
            give_up(key, bound->second.artifact);
        }
        scene_.answer.forecast.orgs.push_back(std::move(followed));
        return {};
    }

    // Whether the template must look at its source for what was planned to come true.
    Result<void> note_behind(const Org& org, const OrgObserved& after) {
        if (!after.source) return {};
        const OrgObserved before = TRY(rounds_.orgs().sources_of(org, scene_.before));
        if (!before.source) return {};
        const bool same =
            before.source->status.artifact_digest == after.source->status.artifact_digest &&
            before.layers.org == after.layers.org && before.layers.nodes == after.layers.nodes;
        if (!same) scene_.answer.behind.insert(after.source->meta.name);
        return {};
    }

    // The plan that it waits for will not come true, and this one takes its place.
    void give_up(const Key& key, const std::string& artifact) {
        scene_.note_base(key);
        const std::string reason = "gives up the plan of " + artifact.substr(0, 12);
        auto& items = scene_.answer.forecast.items;
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

    Scene& scene_;
    Rounds& rounds_;
    const Asked& asked_;
    OrgsTold out_;
};

}  // namespace

Result<OrgsTold> tell_orgs(Scene& scene, Rounds& rounds, const Asked& asked) {
    return Teller(scene, rounds, asked).tell();
}

}  // namespace atelier::reconcilers::preview
