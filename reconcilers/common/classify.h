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

// In path order. The marker `.complete` is ours and never counts.
std::vector<FileChange> changes(const drivers::Manifest& live, const drivers::Manifest& next);

// hot: only the content of files named SKILL.md differs: skills are read again at each use. none:
// no difference. cold: anything else, and whenever there is no live tree to compare with (`live`
// empty, as it also is for one that could not be read): hooks, rules and settings load when the
// agent starts.
crds::ChangeClass classify(const drivers::Manifest& live, const drivers::Manifest& next);

}  // namespace atelier::reconcilers
