// What a template remembers of the revisions that were compiled. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "crds/org_template.h"

namespace atelier::reconcilers {

struct HistoryRule {
    std::int64_t limit = 10;
    std::set<std::string> pins;  // spec.revision of the Orgs that have one: theirs stay
};

// `compiled` becomes the first entry. One that is there already moves to the front as it is;
// `same_as_newest`: the newest entry gives exactly this, files and environment, so that a commit
// that changes nothing here is no revision. What is over the limit goes, the oldest first.
std::vector<crds::TemplateRevision> next_history(const std::vector<crds::TemplateRevision>& before,
                                                 const crds::TemplateRevision& compiled,
                                                 bool same_as_newest, const HistoryRule& rule);

}  // namespace atelier::reconcilers
