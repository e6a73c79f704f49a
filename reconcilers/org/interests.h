// Which objects besides Orgs make an Org due: its workspaces, its template, and the Secrets and
// ConfigMaps that it reads.
#pragma once

#include <vector>

#include "reconcilers/reconciler.h"

namespace atelier::reconcilers::org {

std::vector<Interest> interests();

}  // namespace atelier::reconcilers::org
