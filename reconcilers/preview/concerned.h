// Which workspaces a plan may concern.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "reconcilers/preview/scene.h"
#include "reconcilers/preview/workspace_step.h"

namespace atelier::reconcilers::preview {

struct Concerned {
    std::set<Key> workspaces;
    std::set<Key> direct;  // those of them that need no Org for it: whether it is suspended or not
    std::map<Key, std::vector<PluginChange>> plugins;
};

// Those that were written over the overlay, those that read values that change, and those whose
// plugins change.
Result<Concerned> find_concerned(Scene& scene);

}  // namespace atelier::reconcilers::preview
