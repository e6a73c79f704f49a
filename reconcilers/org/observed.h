// What an Org is reconciled against: its template as compiled, and the objects that are there. A
// value: everything after observing is pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crds/core.h"
#include "crds/deleted_workspace.h"
#include "crds/org.h"
#include "crds/org_template.h"
#include "crds/workspace.h"
#include "templates/compiled.h"

namespace atelier::reconcilers {

struct OrgObserved {
    std::optional<crds::OrgTemplate> source;  // the OrgTemplate
    // Of the template's history, what the Org is to run: what it is pinned to, else the newest.
    std::optional<crds::TemplateRevision> revision;
    std::optional<Error> unknown_revision;  // why there is none, of an Org that is pinned
    bool pinned = false;
    std::optional<templates::CompiledOrg> compiled;  // that one's artifact, when it can be read
    templates::EnvLayers layers;
    bool layers_missing = false;  // the artifact has environment, and its values are not there

    std::vector<crds::Workspace> owned;        // by owner reference; also those being deleted
    std::set<std::string> foreign;             // names of workspaces that are not ours
    std::vector<crds::Workspace> asked_for;    // those of them that this Org is asked to adopt
    std::set<std::string> released;            // those of them that it gave up, or is to
    std::vector<crds::DeletedWorkspace> kept;  // were ours: their volumes can be taken over
    std::map<std::string, crds::Secret> env;   // our Secrets of environment, by name
    std::map<std::string, crds::Secret> brought_env;  // of those we adopt, by name: theirs yet

    // By the name of a persona's Secret that is there: the variables that it gives.
    std::map<std::string, std::set<std::string>> personas;
    std::set<std::string> env_from_names;  // variables that spec.envFrom gives
    // What spec.envFrom and personas give, by "Secret x" or "ConfigMap x". Secret.
    std::map<std::string, templates::EnvMap> given;
    std::vector<std::string> env_from_missing;  // "Secret x": named in spec.envFrom, not there

    // The template is compiled as it is now, so that what is not in it is really gone from it. What
    // an Org is pinned to was compiled once and never changes: there it does not matter whether the
    // template compiles today.
    bool template_is_current() const;
};

}  // namespace atelier::reconcilers
