// Revisions of an org's template, and the verbs about them.
#pragma once

#include <string>

#include "cli/session.h"
#include "crds/org.h"
#include "crds/org_template.h"

namespace atelier::cli {

// An Org and its OrgTemplate.
struct OrgRevisions {
    crds::Org org;
    crds::OrgTemplate source;

    bool runs(const crds::TemplateRevision& entry) const;
    // The one of the history that a person means. not_found tells what there is.
    Result<crds::TemplateRevision> find(const std::string& text) const;
    // What to call it, for a server: the revision or the artifact, as the person did.
    Result<std::string> name_of(const std::string& text) const;
};
Result<OrgRevisions> org_revisions(Session& session, std::string name);  // "acme" or "org/acme"

// The lines of a RevisionDiff (reconcilers/org/revision_diff.h). Pure.
std::string diff_text(const json::Value& diff);
bool has_changes(const json::Value& diff);

// What `apply` of the files would change: 0 nothing, 1 something.
Result<int> diff_files(Session& session);

int run_history(Session& session);
int run_diff(Session& session);
int run_revert(Session& session);
int run_follow(Session& session);

}  // namespace atelier::cli
