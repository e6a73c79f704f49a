// What an Org is reconciled against: its compiled template and the objects that exist. Observing
// reads the store and the tree store and writes nothing; everything after it is pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crds/core.h"
#include "crds/deleted_workspace.h"
#include "crds/org.h"
#include "crds/org_template.h"
#include "crds/workspace.h"
#include "drivers/trees/tree.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/org/compiled_cache.h"
#include "templates/compiled.h"

namespace atelier::reconcilers::org {

struct Observed {
    std::optional<crds::OrgTemplate> source;  // the OrgTemplate
    // The entry of the template's history that the Org is to run: the one it is pinned to, else the
    // newest.
    std::optional<crds::TemplateRevision> revision;
    std::optional<Error> unknown_revision;  // why a pinned Org has no `revision`
    bool pinned = false;
    std::optional<templates::CompiledOrg> compiled;  // the artifact of `revision`, if readable
    templates::EnvLayers layers;
    bool layers_missing = false;  // the artifact has environment, but its Secret is not there
    // Keyed digest of all values that workspaces would get; set only for an Org that is bound to a
    // forecast and only while the values are complete (binding.h).
    std::string environment;

    std::vector<crds::Workspace> owned;        // by owner reference; also those being deleted
    std::set<std::string> foreign;             // names of workspaces that this Org does not own
    std::vector<crds::Workspace> adoptable;    // of those, the ones annotated to be adopted by it
    std::set<std::string> released;            // names that it has released, or must release
    std::vector<crds::DeletedWorkspace> kept;  // volumes of workspaces that it owned
    std::map<std::string, crds::Secret> env;   // environment Secrets of this Org, by name
    // Environment Secrets that workspaces in adoption still own, by name.
    std::map<std::string, crds::Secret> brought_env;

    // For each persona Secret that exists, by name: the variables that it sets.
    std::map<std::string, std::set<std::string>> personas;
    std::set<std::string> env_from_names;  // variables that spec.envFrom sets
    // Values of spec.envFrom and of personas, by "Secret x" or "ConfigMap x". Secret.
    std::map<std::string, templates::EnvMap> given;
    std::vector<std::string> env_from_missing;  // "Secret x": named in spec.envFrom, not there

    // Whether a workspace that is missing in `compiled` is really gone from the template. False
    // while the template has a newer generation, or does not compile. A pinned Org runs a revision
    // that was compiled once and never changes, so the present state of the template does not
    // matter to it.
    bool template_is_current() const;
};

// The collaborators of observing. They outlive it; thread-safe as they are.
struct Sources {
    const Objects& objects;
    drivers::TreeStore& trees;
    CompiledCache& cache;
    std::string_view fingerprint_key;
};

// Which revision of observed.source the Org is to run: fills `pinned`, and `revision` or
// `unknown_revision`. Pure.
void choose_revision(const crds::Org& org, Observed& observed);

// The template and what sets environment; nothing that the Org owns. An artifact that is not in the
// tree store counts as not compiled. Errors: unavailable, when a store cannot be read.
Result<Observed> observe_sources(const crds::Org& org, const Sources& sources);
// observe_sources(), and everything that the Org owns or is asked to adopt. Empty for a suspended
// Org that is not being deleted: nothing is planned for it.
Result<Observed> observe(const crds::Org& org, const Sources& sources);

}  // namespace atelier::reconcilers::org
