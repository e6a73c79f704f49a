// What a change of a plugin's tree means for the agents that have it loaded. Pure.
#pragma once

#include <string>
#include <vector>

#include "crds/plugin_install.h"
#include "drivers/trees/tree.h"

namespace atelier::reconcilers {

// One changed file: 'A' added, 'D' removed, 'M' content or mode differs.
struct FileChange {
    char kind = 'M';
    std::string path;
    bool mode = false;  // of an 'M': the executable bit differs
    std::string text() const { return std::string(1, kind) + " " + path; }
};

// Sorted by path. The marker `.complete` is written by the server and never counts.
std::vector<FileChange> changes(const drivers::Manifest& live, const drivers::Manifest& next);

// none: no difference. hot: only the content of files named SKILL.md differs, which agents read
// again at each use. cold: anything else, because hooks, rules and settings load when the agent
// starts; and always when `live` is empty, as it is for a tree that could not be read.
crds::ChangeClass classify(const drivers::Manifest& live, const drivers::Manifest& next);

}  // namespace atelier::reconcilers
