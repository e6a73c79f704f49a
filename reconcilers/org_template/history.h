// The history of an OrgTemplate: which compiled revisions Orgs can return to. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "crds/org_template.h"

namespace atelier::reconcilers {

struct HistoryRule {
    std::int64_t limit = 10;
    std::set<std::string> pins;  // spec.revision of pinned Orgs: these entries stay, over the limit
};

// `compiled` becomes the first entry. An entry with the same revision and artifact moves to the
// front instead. With `same_as_newest` (the newest entry has the same files and environment) the
// history gets no new entry: a commit that changes nothing in this template is no revision of it.
// The oldest entries over the limit are dropped.
std::vector<crds::TemplateRevision> next_history(const std::vector<crds::TemplateRevision>& before,
                                                 const crds::TemplateRevision& compiled,
                                                 bool same_as_newest, const HistoryRule& rule);

}  // namespace atelier::reconcilers
