// What comes of OrgTemplates and Orgs, told once the reconcilers rest over the overlay.
#pragma once

#include <map>
#include <set>
#include <string>

#include "reconcilers/preview/asked.h"
#include "reconcilers/preview/rounds.h"

namespace atelier::reconcilers::preview {

// What the workspaces of those Orgs need to know.
struct OrgsTold {
    std::map<std::string, Duration> grace;  // of the volumes, by Org
    std::set<Key> pending;                  // workspaces whose deletion waits
    std::int64_t owned = 0;                 // workspaces
};

// Fills items of templates and Orgs, blockers, what each Org follows, and the values that it gives.
Result<OrgsTold> tell_orgs(Scene& scene, Rounds& rounds, const Asked& asked);

}  // namespace atelier::reconcilers::preview
