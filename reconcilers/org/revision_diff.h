// What a template changed between two of its revisions, workspace by workspace.
#pragma once

#include <string>

#include "base/json.h"
#include "crds/org_template.h"
#include "drivers/trees/tree.h"
#include "reconcilers/common/objects.h"
#include "templates/compiled.h"

namespace atelier::reconcilers {

// One side of the comparison.
struct RevisionContent {
    crds::TemplateRevision revision;
    templates::CompiledOrg compiled;
    templates::EnvLayers layers;  // without values, only names are compared
};

// Pure. Of files the beginnings of digests, of variables the names alone:
//
//     {"kind": "RevisionDiff", "org": "acme", "since": {…}, "to": {…},
//      "fields": [{"name", "before", "after"}], "env": {"added", "removed", "changed"},
//      "workspaces": [{"key", "name", "change": "Added|Removed|Changed|NotSpawned",
//                      "parent": {"before", "after"}, "fields", "files", "env"}]}
//
// `parent` is there when the node moved; a node without a parent has the empty one.
json::Document diff_of(const std::string& org, const RevisionContent& since,
                       const RevisionContent& to);

// Of an Org that is there. `since` empty: what it runs; `to` empty: the newest of its template.
// not_found: no such Org, or no such revision in the history, which is told.
Result<json::Document> revision_diff(const Objects& objects, drivers::TreeStore& trees,
                                     const std::string& ns, const std::string& org,
                                     const std::string& since, const std::string& to);

}  // namespace atelier::reconcilers
