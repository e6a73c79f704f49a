// The difference between two revisions of a template, workspace by workspace.
#pragma once

#include <string>

#include "base/json.h"
#include "crds/org_template.h"
#include "drivers/trees/tree.h"
#include "reconcilers/common/objects.h"
#include "templates/compiled.h"

namespace atelier::reconcilers::org {

// One side of the comparison.
struct RevisionContent {
    crds::TemplateRevision revision;
    templates::CompiledOrg compiled;
    templates::EnvLayers layers;  // empty: only the names of variables are compared
};

// Pure. Files are shown by the beginnings of their digests, variables by their names only:
//
//     {"kind": "RevisionDiff", "org": "acme", "since": {…}, "to": {…},
//      "fields": [{"name", "before", "after"}], "env": {"added", "removed", "changed"},
//      "workspaces": [{"key", "name", "change": "Added|Removed|Changed|NotSpawned",
//                      "parent": {"before", "after"}, "fields", "files", "env"}]}
//
// `parent` is there when the node moved; a node without a parent has the empty one.
json::Document diff_of(const std::string& org, const RevisionContent& since,
                       const RevisionContent& to);

// `since` empty: the revision that the Org runs; `to` empty: the newest of its template.
// Code::not_found: no such Org, OrgTemplate or revision, or the tree of a revision is gone.
Result<json::Document> revision_diff(const Objects& objects, drivers::TreeStore& trees,
                                     const std::string& ns, const std::string& org,
                                     const std::string& since, const std::string& to);

}  // namespace atelier::reconcilers::org
