#include "reconcilers/org/observe.h"

#include "crds/template_revision.h"
#include "reconcilers/environment/persona.h"
#include "reconcilers/environment/planned_values.h"
#include "reconcilers/environment/workspace_env.h"
#include "reconcilers/org/binding.h"
#include "templates/layers.h"

namespace atelier::reconcilers::org {
namespace {

bool is_owned_by(const crds::Meta& meta, const crds::Org& org) {
    const crds::OwnerReference* owner = meta.controller();
    return owner && owner->uid == org.meta.uid;
}

bool has_env(const templates::CompiledOrg& compiled) {
    if (!compiled.env_names.empty()) return true;
    for (const templates::Node& node : compiled.nodes) {
        if (!node.env_names.empty()) return true;
    }
    return false;
}

Result<void> observe_template(const crds::Org& org, const Sources& sources, Observed& observed) {
    const Objects& objects = sources.objects;
    const std::string& name = org.spec.template_ref.name;
    observed.source = TRY(objects.find<crds::OrgTemplate>(org.meta.ns, name));
    if (!observed.source) return {};
    choose_revision(org, observed);
    if (!observed.revision) return {};
    const auto compiled = TRY(sources.cache.get(observed.revision->artifact_digest, sources.trees));
    if (!compiled) return {};
    observed.compiled = *compiled;
    if (!has_env(*compiled)) return {};
    const auto secret =
        TRY(objects.secret(org.meta.ns, templates::layers_secret_name(name, *observed.revision)));
    const crds::OwnerReference* owner = secret ? secret->meta.controller() : nullptr;
    const bool ours = owner && owner->uid == observed.source->meta.uid;
    if (ours && templates::are_layers_of(*secret, *observed.revision)) {
        observed.layers = TRY(templates::layers_of_secret(*secret));
    } else {
        observed.layers_missing = true;
    }
    return {};
}

// Only the names are kept of workspaces that the Org neither owns nor is to adopt: decoding all of
// a namespace would cost more than the rest of observing.
Result<void> observe_workspaces(const crds::Org& org, const Objects& objects, Observed& observed) {
    const auto adopts = [&](const crds::Meta& meta) {
        return meta.annotation(crds::annotation::adopt_by) == org.meta.name;
    };
    auto found = TRY(objects.list<crds::Workspace>(org.meta.ns, [&](const crds::Meta& meta) {
        if (meta.annotation(crds::annotation::released_from) == org.meta.name) {
            observed.released.insert(meta.name);
        }
        if (is_owned_by(meta, org)) return true;
        observed.foreign.insert(meta.name);
        return adopts(meta);
    }));
    for (crds::Workspace& workspace : found) {
        auto& into = is_owned_by(workspace.meta, org) ? observed.owned : observed.adoptable;
        into.push_back(std::move(workspace));
    }
    return {};
}

Result<void> observe_kept(const crds::Org& org, const Objects& objects, Observed& observed) {
    observed.kept = TRY(objects.list<crds::DeletedWorkspace>(
        org.meta.ns, [](const crds::Meta& meta) { return !meta.deleted_at; }));
    std::erase_if(observed.kept, [&](const crds::DeletedWorkspace& kept) {
        return kept.spec.org_uid != org.meta.uid;
    });
    return {};
}

// The environment Secret of a workspace in adoption is still owned by that workspace: before the
// adoption, and after it for as long as the workspace waits for its new values.
Result<void> observe_brought_env(const crds::Org& org, const Objects& objects, Observed& observed) {
    for (const auto* workspaces : {&observed.adoptable, &observed.owned}) {
        for (const crds::Workspace& one : *workspaces) {
            const bool waits = !one.meta.annotation(annotation::env_after).empty();
            if (workspaces == &observed.owned && !waits) continue;
            auto secret = TRY(objects.secret(org.meta.ns, env_secret_name(one.meta.name)));
            const crds::OwnerReference* owner = secret ? secret->meta.controller() : nullptr;
            if (!owner || owner->uid != one.meta.uid) continue;
            const std::string name = secret->meta.name;
            observed.brought_env.emplace(name, *std::move(secret));
        }
    }
    return {};
}

std::set<std::string> names_with_values(const std::map<std::string, std::string>& data) {
    std::set<std::string> names;
    for (const auto& [name, value] : data) {
        if (!value.empty()) names.insert(name);
    }
    return names;
}

Result<void> observe_personas(const crds::Org& org, const Objects& objects, Observed& observed) {
    if (!observed.compiled) return {};
    std::set<std::string> names;
    for (const templates::Node& node : observed.compiled->nodes) {
        const auto persona = persona_of(node, org.spec);
        if (persona && !persona->secret.empty()) names.insert(persona->secret);
    }
    for (const std::string& name : names) {
        const auto secret = TRY(objects.secret(org.meta.ns, name));
        if (!secret) continue;
        observed.personas[name] = names_with_values(secret->data);
        observed.given["Secret " + name] = secret->data;
    }
    return {};
}

Result<void> observe_env_from(const crds::Org& org, const Objects& objects, Observed& observed) {
    const auto add = [&](const std::string& from, const std::map<std::string, std::string>& data) {
        observed.env_from_names.merge(names_with_values(data));
        observed.given[from] = data;
    };
    for (const crds::EnvFrom& from : org.spec.env_from) {
        if (from.secret_ref) {
            const auto secret = TRY(objects.secret(org.meta.ns, from.secret_ref->name));
            const std::string what = "Secret " + from.secret_ref->name;
            if (secret) add(what, secret->data);
            if (!secret) observed.env_from_missing.push_back(what);
        }
        if (from.config_map_ref) {
            const auto map = TRY(objects.config_map(org.meta.ns, from.config_map_ref->name));
            const std::string what = "ConfigMap " + from.config_map_ref->name;
            if (map) add(what, map->data);
            if (!map) observed.env_from_missing.push_back(what);
        }
    }
    return {};
}

}  // namespace

void choose_revision(const crds::Org& org, Observed& observed) {
    observed.pinned = !org.spec.revision.empty();
    const crds::OrgTemplateStatus& status = observed.source->status;
    if (observed.pinned) {
        auto found =
            crds::find_revision(status.history, org.spec.revision, org.status.artifact_digest);
        if (found) {
            observed.revision = *std::move(found);
        } else {
            observed.unknown_revision = found.error();
        }
        return;
    }
    if (status.artifact_digest.empty()) return;
    if (!status.history.empty() &&
        status.history.front().artifact_digest == status.artifact_digest) {
        observed.revision = status.history.front();
    } else {
        observed.revision.emplace();
        observed.revision->revision = status.revision;
        observed.revision->artifact_digest = status.artifact_digest;
    }
}

bool Observed::template_is_current() const {
    if (!compiled || !source || source->being_deleted()) return false;
    if (pinned) return revision.has_value();
    return source->status.observed_generation == source->meta.generation &&
           source->status.is_true(crds::condition::ready);
}

Result<Observed> observe_sources(const crds::Org& org, const Sources& sources) {
    Observed observed;
    TRY(observe_template(org, sources, observed));
    TRY(observe_env_from(org, sources.objects, observed));
    TRY(observe_personas(org, sources.objects, observed));
    if (is_bound(org.meta) && !observed.layers_missing) {
        observed.environment = environment_digest(observed, sources.fingerprint_key);
    }
    return observed;
}

Result<Observed> observe(const crds::Org& org, const Sources& sources) {
    if (org.spec.suspend && !org.being_deleted()) return Observed();
    const Objects& objects = sources.objects;
    Observed observed = TRY(observe_sources(org, sources));
    TRY(observe_workspaces(org, objects, observed));
    TRY(observe_kept(org, objects, observed));
    for (crds::Secret& secret : TRY(objects.secrets_of(org.meta.ns, org.meta.uid))) {
        observed.env.emplace(secret.meta.name, std::move(secret));
    }
    TRY(observe_brought_env(org, objects, observed));
    return observed;
}

}  // namespace atelier::reconcilers::org
