#include "reconcilers/preview/preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "crds/core.h"
#include "crds/plugin_policy.h"
#include "crds/plugin_update.h"
#include "reconcilers/classify.h"
#include "reconcilers/fingerprint.h"
#include "reconcilers/org/environment.h"
#include "reconcilers/org/planned.h"
#include "reconcilers/org/reconciler.h"
#include "reconcilers/plugin_install/policy.h"
#include "reconcilers/preview/blockers.h"
#include "reconcilers/preview/listed_runtime.h"
#include "reconcilers/preview/overlay.h"
#include "reconcilers/preview/workspace_step.h"
#include "reconcilers/workspace/reconciler.h"

namespace atelier::reconcilers::preview {
namespace {

// A new org settles in three rounds, a change in two; more is a defect, not patience.
constexpr int most_rounds = 20;

using crds::Org;
using crds::OrgTemplate;
using crds::Workspace;

bool holds_values(std::string_view resource) {
    return resource == crds::Secret::resource || resource == crds::ConfigMap::resource;
}

// The values of a Secret or ConfigMap, by name; none when there is no such object.
std::map<std::string, std::string> values_of(const store::ObjectPtr& object) {
    if (!object) return {};
    if (object->key.resource == crds::Secret::resource) {
        const auto secret = crds::decode_secret(object->body);
        return secret ? secret->data : std::map<std::string, std::string>();
    }
    const auto map = crds::decode_config_map(object->body);
    return map ? map->data : std::map<std::string, std::string>();
}

class Preview {
  public:
    Preview(const Tools& tools, const Question& question, Instant now, const std::stop_token& stop)
        : tools_(tools),
          question_(question),
          now_(now),
          stop_(stop),
          overlay_(tools.store),
          before_store_(overlay_),
          after_(overlay_, tools.kinds, tools.random, Log()),
          before_(before_store_, tools.kinds, tools.random, Log()),
          templates_(after_, tools.git, tools.trees, tools.templates_root, tools.external),
          orgs_(after_, tools.trees, Log()),
          world_(listed(tools.world)),
          workspaces_before_(before_, world_, Log()),
          workspaces_after_(after_, world_, Log()) {}

    Result<Answer> answer() {
        answer_.ns = question_.ns;
        TRY(put_candidates());
        TRY(seed_asked());
        TRY(settle());
        TRY(compare());
        return std::move(answer_);
    }

  private:
    // --- the question

    Result<void> put_candidates() {
        if (!question_.ns.empty() && !overlay_.get({"namespaces", "", question_.ns})) {
            return Error{Code::not_found,
                         fmt::format("there is no namespace \"{}\"", question_.ns)};
        }
        answer_.candidates = TRY(candidates_of(question_.objects, question_.ns, tools_.kinds));
        for (const Candidate& candidate : answer_.candidates) {
            const auto old = overlay_.get(candidate.key);
            if (old && old->meta.deleted_at) {
                answer_.forecast.blockers.push_back(
                    {candidate.kind->kind + " " + candidate.key.name, "BeingDeleted",
                     "it is being deleted: what is applied to it goes with it", ""});
            }
            TRY(put(overlay_, candidate, old ? old->revision : 0, tools_.random, now_));
            note_base(candidate.key);
            add_item(candidate, old, overlay_.get(candidate.key));
            if (candidate.key.resource == crds::OrgSpec::resource ||
                candidate.key.resource == crds::OrgTemplateSpec::resource) {
                due_.insert(candidate.key);
            }
        }
        return {};
    }

    // An object that is no workspace, as it was and as it would be.
    void add_item(const Candidate& candidate, const store::ObjectPtr& old,
                  const store::ObjectPtr& next) {
        if (candidate.key.resource == crds::WorkspaceSpec::resource) return;
        if (!next || (old && essence(*old) == essence(*next))) return;
        Item item;
        item.kind = candidate.kind->kind;
        item.name = candidate.key.name;
        item.action = old ? Step::configure : Step::create;
        if (holds_values(candidate.key.resource)) {
            item.reasons = differences(values_of(old), values_of(next), tools_.fingerprint_key);
        } else if (old) {
            const auto was = json::parse(old->body);
            const auto is = json::parse(next->body);
            const json::Value none;
            const json::Value* a = was ? json::find(*was, {"spec"}) : nullptr;
            const json::Value* b = is ? json::find(*is, {"spec"}) : nullptr;
            for (const std::string& name : changed_members(a ? *a : none, b ? *b : none)) {
                item.reasons.push_back("spec." + name);
            }
            if (item.reasons.empty()) item.reasons.emplace_back("metadata");
        }
        answer_.forecast.items.push_back(std::move(item));
    }

    Result<void> seed_asked() {
        if (!question_.org.empty()) {
            const Key key{std::string(crds::OrgSpec::resource), question_.ns, question_.org};
            if (!overlay_.get(key)) {
                return Error{Code::not_found, fmt::format("there is no Org \"{}\"", question_.org)};
            }
            due_.insert(key);
        }
        TRY(forget_plans());
        const std::set<Key> asked = due_;
        for (const Key& key : asked) {
            if (key.resource != crds::OrgSpec::resource) continue;
            auto org = TRY(after_.find<Org>(key.ns, key.name));
            if (!org) continue;
            note_base(key);
            due_.insert({std::string(crds::OrgTemplateSpec::resource), key.ns,
                         org->spec.template_ref.name});
            if (!org->spec.suspend) continue;
            // What would happen once it is resumed.
            org->spec.suspend = false;
            TRY(after_.update(*org, now_));
            suspended_.insert(key.name);
            tell_suspended(key.name);
        }
        return {};
    }

    void tell_suspended(const std::string& org) {
        answer_.forecast.blockers.push_back(
            {"Org " + org, "Suspended", "spec.suspend is true: nothing happens until it is resumed",
             "atelier resume org " + org});
    }

    // An Org that is bound to an earlier plan would stay as it is; a new one takes its place.
    Result<void> forget_plans() {
        const auto all = overlay_.list(crds::OrgSpec::resource);
        for (const auto& object : all->objects) {
            if (!is_bound(object->meta)) continue;
            auto org = TRY(after_.find<Org>(object->key.ns, object->key.name));
            if (!org) continue;
            if (object->key.ns == question_.ns) bound_[object->key.name] = bond_of(org->meta);
            release_bond(org->meta);
            TRY(after_.update(*org, now_));
        }
        return {};
    }

    // --- the reconcilers

    // As controllers do it, but one after the other: what is written wakes who is interested.
    Result<void> settle() {
        Revision seen = overlay_.revision();
        wake(overlay_.written_after(0));
        for (int round = 0; !due_.empty(); ++round) {
            if (stop_.stop_requested()) return Error{Code::cancelled, "the server is ending"};
            if (round == most_rounds) {
                return Error{Code::internal, "the reconcilers do not come to rest"};
            }
            const std::set<Key> now = std::exchange(due_, {});
            failures_.clear();
            TRY(reconcile(templates_, now));
            TRY(reconcile(orgs_, now));
            wake(overlay_.written_after(seen));
            seen = overlay_.revision();
        }
        return {};
    }

    void wake(const std::vector<store::EventPtr>& events) {
        for (Reconciler* reconciler :
             {static_cast<Reconciler*>(&templates_), static_cast<Reconciler*>(&orgs_)}) {
            const auto interests = reconciler->interests();
            for (const store::EventPtr& event : events) {
                const Key& key = event->object->key;
                if (key.resource == reconciler->resource() && reconciler->concerns(*event)) {
                    due_.insert(key);
                }
                for (const Interest& interest : interests) {
                    if (interest.resource != key.resource) continue;
                    for (const Key& one : interest.keys(*event, overlay_)) due_.insert(one);
                }
            }
        }
    }

    Result<void> reconcile(Reconciler& reconciler, const std::set<Key>& keys) {
        for (const Key& key : keys) {
            if (key.resource != reconciler.resource()) continue;
            looked_at_.insert(key);
            const auto done = reconciler.reconcile(key, now_);
            if (done) continue;
            if (done.error().code == Code::cancelled) return done.error();
            failures_.insert_or_assign(key, done.error());
        }
        return {};
    }

    // --- the comparison

    Result<void> compare() {
        const auto changed = overlay_.changed();
        TRY(tell_orgs());
        find_readers(changed);
        TRY(find_plugins());
        for (const auto& [key, change] : changed) {
            if (key.resource == crds::WorkspaceSpec::resource) concern(key, key);
        }
        std::vector<Item> workspaces;
        for (const Key& key : concerned_) {
            if (stop_.stop_requested()) return Error{Code::cancelled, "the server is ending"};
            TRY(compare_workspace(key, workspaces));
        }
        hold_prunes(workspaces);
        finish(std::move(workspaces));
        return {};
    }

    Result<void> tell_orgs() {
        for (const Key& key : looked_at_) {
            if (key.resource == crds::OrgTemplateSpec::resource) {
                TRY(tell_template(key));
            } else {
                TRY(tell_org(key));
            }
            const auto failed = failures_.find(key);
            if (failed == failures_.end()) continue;
            const bool told = std::any_of(
                answer_.forecast.blockers.begin(), answer_.forecast.blockers.end(),
                [&](const Blocker& one) { return one.message == failed->second.message; });
            if (told) continue;
            const bool org = key.resource == crds::OrgSpec::resource;
            answer_.forecast.blockers.push_back(
                {(org ? "Org " : "OrgTemplate ") + key.name, "Failed", failed->second.message, ""});
        }
        return {};
    }

    Result<void> tell_template(const Key& key) {
        const auto source = TRY(after_.find<OrgTemplate>(key.ns, key.name));
        if (!source) return {};
        add_blockers(*source, answer_.forecast.blockers);
        const auto old = TRY(before_.find<OrgTemplate>(key.ns, key.name));
        if (!old || old->status.artifact_digest == source->status.artifact_digest) return {};
        const auto shown = [](const std::string& text) {
            return text.empty() ? std::string("(none)") : text.substr(0, 12);
        };
        const std::string reason = fmt::format("revision {} -> {}", shown(old->status.revision),
                                               shown(source->status.revision));
        note_base(key);
        for (Item& item : answer_.forecast.items) {
            if (item.kind != OrgTemplate::Spec::kind || item.name != key.name) continue;
            item.reasons.push_back(reason);
            return {};
        }
        Item item;
        item.kind = OrgTemplate::Spec::kind;
        item.name = key.name;
        item.action = Step::configure;
        item.reasons = {reason};
        answer_.forecast.items.push_back(std::move(item));
        return {};
    }

    Result<void> tell_org(const Key& key) {
        const auto org = TRY(after_.find<Org>(key.ns, key.name));
        if (!org) return {};
        if (org->being_deleted()) {
            answer_.forecast.blockers.push_back(
                {"Org " + key.name, "BeingDeleted",
                 "it is being deleted, with the workspaces that it owns: nothing else will come of "
                 "it",
                 ""});
        } else if (org->spec.suspend) {
            tell_suspended(key.name);
        } else {
            add_blockers(*org, answer_.forecast.blockers);
        }
        grace_[key.name] = org->spec.prune.volume_grace;
        // Metadata are enough: decoding every workspace again would take longer than all the rest.
        const auto all = overlay_.list(crds::WorkspaceSpec::resource);
        for (const auto& object : all->objects) {
            const crds::OwnerReference* owner = object->meta.controller();
            if (owner && owner->uid == org->meta.uid) ++owned_;
        }
        for (const std::string& name : org->status.pending_prune) {
            pending_.insert({std::string(crds::WorkspaceSpec::resource), key.ns, name});
        }
        Followed followed{key.name, org->spec.template_ref.name, "", "", ""};
        const OrgObserved observed = TRY(orgs_.sources_of(*org, after_));
        if (observed.revision) {
            followed.revision = observed.revision->revision;
            followed.artifact_digest = observed.revision->artifact_digest;
        }
        if (!observed.layers_missing) {
            followed.environment = environment_digest(observed, tools_.fingerprint_key);
        }
        for (const auto& [name, value] :
             environment_fingerprints(observed, tools_.fingerprint_key)) {
            answer_.values["Org " + key.name + ": " + name] = value;
        }
        TRY(note_behind(*org, observed));
        const auto bound = bound_.find(key.name);
        if (bound != bound_.end() &&
            bound->second != Bond{followed.artifact_digest, followed.environment}) {
            give_up(key, bound->second.artifact);
        }
        answer_.forecast.orgs.push_back(std::move(followed));
        return {};
    }

    // Whether the template must look at its source for what was planned to come true.
    Result<void> note_behind(const Org& org, const OrgObserved& after) {
        if (!after.source) return {};
        const OrgObserved before = TRY(orgs_.sources_of(org, before_));
        if (!before.source) return {};
        const bool same =
            before.source->status.artifact_digest == after.source->status.artifact_digest &&
            before.layers.org == after.layers.org && before.layers.nodes == after.layers.nodes;
        if (!same) answer_.behind.insert(after.source->meta.name);
        return {};
    }

    // The plan that it waits for will not come true, and this one takes its place.
    void give_up(const Key& key, const std::string& artifact) {
        note_base(key);
        const std::string reason = "gives up the plan of " + artifact.substr(0, 12);
        auto& items = answer_.forecast.items;
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

    // Workspaces whose environment comes from a Secret or ConfigMap that changes. Those that an Org
    // makes for one workspace carry its name.
    void find_readers(const std::map<Key, Overlay::Changed>& changed) {
        std::set<Key> names;
        for (const auto& [key, change] : changed) {
            if (!holds_values(key.resource) || values_of(change.before) == values_of(change.after))
                continue;
            const store::Object& one = change.after ? *change.after : *change.before;
            if (const std::string name = one.meta.label(crds::label::workspace); !name.empty()) {
                concern({std::string(crds::WorkspaceSpec::resource), key.ns, name}, key);
            } else {
                names.insert(key);
            }
        }
        if (names.empty()) return;
        const auto all = overlay_.list(crds::WorkspaceSpec::resource);
        for (const auto& object : all->objects) {
            if (object->key.ns != question_.ns) continue;
            for (const Key& key : names) {
                const bool reads = object->body.find("\"" + key.name + "\"") != std::string::npos;
                if (reads) concern(object->key, key);
            }
        }
    }

    // What is given is written whether the Org of the workspace is suspended or not.
    void concern(const Key& workspace, const Key& source) {
        concerned_.insert(workspace);
        const bool given = std::any_of(answer_.candidates.begin(), answer_.candidates.end(),
                                       [&](const Candidate& one) { return one.key == source; });
        if (given) direct_.insert(workspace);
    }

    // Plugins that get another version in workspaces that do not change themselves: by an update
    // that is approved, or an install that is given one.
    Result<void> find_plugins() {
        std::map<std::string, std::string> approved;  // plugin -> digest
        for (const Candidate& candidate : answer_.candidates) {
            if (candidate.key.resource != crds::PluginUpdate::Spec::resource) continue;
            const auto update =
                TRY(after_.find<crds::PluginUpdate>(candidate.key.ns, candidate.key.name));
            const auto old =
                TRY(before_.find<crds::PluginUpdate>(candidate.key.ns, candidate.key.name));
            const bool decides = update && update->spec.decision == crds::Decision::approve &&
                                 (!old || old->spec.decision == crds::Decision::none);
            if (decides) approved[update->spec.plugin] = update->spec.to.digest;
        }
        const auto gives = [&](std::string_view resource) {
            return std::any_of(answer_.candidates.begin(), answer_.candidates.end(),
                               [&](const Candidate& one) { return one.key.resource == resource; });
        };
        if (gives(crds::PluginPolicySpec::resource)) TRY(find_denied());
        if (approved.empty() && !gives(crds::PluginInstallSpec::resource)) return {};
        for (const auto& install : TRY(after_.list<crds::PluginInstall>(question_.ns))) {
            const auto old =
                TRY(before_.find<crds::PluginInstall>(install.meta.ns, install.meta.name));
            const auto update = approved.find(install.spec.plugin);
            const std::string was = old ? old->spec.version.digest : std::string();
            const std::string is =
                update == approved.end() ? install.spec.version.digest : update->second;
            if (was == is) continue;
            const Key key{std::string(crds::WorkspaceSpec::resource), install.meta.ns,
                          install.spec.workspace};
            plugins_[key].push_back({install.spec.plugin, class_of(was, is)});
            concerned_.insert(key);
            direct_.insert(key);
        }
        return {};
    }

    // Workspaces that lose a plugin, or get one, by what PluginPolicies say.
    Result<void> find_denied() {
        for (const auto& install : TRY(after_.list<crds::PluginInstall>(question_.ns))) {
            const auto workspace =
                TRY(after_.find<Workspace>(install.meta.ns, install.spec.workspace));
            if (!workspace) continue;
            const std::string& org = workspace->spec.org;
            const std::string& plugin = install.spec.plugin;
            const auto was = TRY(policy_that_denies(before_, question_.ns, plugin, org));
            const auto is = TRY(policy_that_denies(after_, question_.ns, plugin, org));
            if (was.empty() == is.empty()) continue;
            concerned_.insert(workspace->key());
            direct_.insert(workspace->key());
        }
        return {};
    }

    crds::ChangeClass class_of(const std::string& was, const std::string& is) const {
        const auto before = tools_.trees.manifest(was);
        const auto after = tools_.trees.manifest(is);
        if (!before || !after) return crds::ChangeClass::cold;
        return classify(*before, *after);
    }

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
        const auto before = TRY(side_of(before_, workspaces_before_, key));
        const auto after = TRY(side_of(after_, workspaces_after_, key));
        if (!before && !after) return {};
        const auto plugins = plugins_.find(key);
        Judged judged =
            judge(before, after,
                  plugins == plugins_.end() ? std::vector<PluginChange>() : plugins->second,
                  tools_.fingerprint_key, now_);
        for (Blocker& blocker : judged.blockers) {
            answer_.forecast.blockers.push_back(std::move(blocker));
        }
        Item& item = judged.item;
        if (item.action == Step::nothing) return {};
        note_base(key);
        note_values(item, after);
        if (item.action == Step::remove) item.kept = kept_of(*before);
        if (item.action == Step::create && before) item.reasons.emplace_back("the old one goes");
        if (suspended_.contains(item.org) && !direct_.contains(key)) item.held = true;
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
            const auto values = values_of(overlay_.get({std::string(resource), ns, name}));
            for (const auto& [key, value] : values) {
                if (!only.empty() && key != only) continue;
                answer_.values[fmt::format(
                    "Workspace {}: {} {}: {}", item.name,
                    resource == crds::Secret::resource ? "Secret" : "ConfigMap", name, key)] =
                    fingerprint(tools_.fingerprint_key, value);
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
        const auto grace = grace_.find(side.workspace.spec.org);
        if (grace == grace_.end() || grace->second <= Duration::zero()) {
            return "volumes go with it";
        }
        return "volumes kept " + short_duration(grace->second);
    }

    // Deletions that wait for a confirmation, or for what is in the way.
    void hold_prunes(std::vector<Item>& items) {
        for (const Key& key : pending_) {
            const auto workspace = overlay_.get(key);
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
            note_base(key);
        }
    }

    void finish(std::vector<Item> workspaces) {
        Forecast& forecast = answer_.forecast;
        const auto by_name = [](const Item& a, const Item& b) {
            return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
        };
        std::sort(forecast.items.begin(), forecast.items.end(), by_name);
        std::sort(workspaces.begin(), workspaces.end(), by_name);
        std::int64_t of_orgs = 0;
        for (Item& item : workspaces) {
            ++forecast.counts[std::string(json::name_of(item.action))];
            if (!item.org.empty() && grace_.contains(item.org)) ++of_orgs;
            forecast.items.push_back(std::move(item));
        }
        forecast.unchanged = std::max<std::int64_t>(0, owned_ - of_orgs);
        std::sort(forecast.orgs.begin(), forecast.orgs.end(),
                  [](const Followed& a, const Followed& b) { return a.org < b.org; });
        std::stable_sort(forecast.blockers.begin(), forecast.blockers.end(),
                         [](const Blocker& a, const Blocker& b) { return a.blocks > b.blocks; });
        for (auto& [key, base] : bases_) answer_.bases.push_back(std::move(base));
    }

    void note_base(const Key& key) {
        if (bases_.contains(key)) return;
        Base base{key, 0, "", ""};
        if (const auto object = overlay_.before(key)) {
            base.revision = object->revision;
            base.uid = object->meta.uid;
            base.digest = keyed_digest(tools_.fingerprint_key, essence(*object));
        }
        bases_.emplace(key, std::move(base));
    }

    World listed(World world) {
        for (auto& [name, runtime] : world.runtimes) {
            runtimes_.push_back(std::make_unique<ListedRuntime>(*runtime, labels_of_server(world)));
            runtime = runtimes_.back().get();
        }
        return world;
    }

    const Tools& tools_;
    const Question& question_;
    const Instant now_;
    const std::stop_token& stop_;
    std::vector<std::unique_ptr<ListedRuntime>> runtimes_;
    Overlay overlay_;
    Before before_store_;
    Objects after_;
    Objects before_;
    OrgTemplateReconciler templates_;
    OrgReconciler orgs_;
    const World world_;
    const WorkspaceReconciler workspaces_before_;
    const WorkspaceReconciler workspaces_after_;

    std::set<Key> due_;
    std::set<Key> looked_at_;
    std::map<Key, Error> failures_;      // of the last round
    std::map<std::string, Bond> bound_;  // Org -> what an earlier plan promised
    std::set<std::string> suspended_;    // names of Orgs
    std::set<Key> concerned_;            // workspaces
    std::set<Key> direct_;               // those of them that need no Org for it
    std::map<Key, std::vector<PluginChange>> plugins_;
    std::map<std::string, Duration> grace_;  // of the volumes, by Org
    std::set<Key> pending_;                  // workspaces whose deletion waits
    std::int64_t owned_ = 0;
    std::map<Key, Base> bases_;
    Answer answer_;
};

}  // namespace

Result<Answer> preview(const Tools& tools, const Question& question, Instant now,
                       const std::stop_token& stop) {
    return Preview(tools, question, now, stop).answer();
}

}  // namespace atelier::reconcilers::preview
