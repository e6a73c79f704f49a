// The plugins of a workspace as they lie on its disk, and the skills that they bring.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/folder.h"

namespace atelier::agent {

using Files = std::map<std::string, FolderFile>;  // by path relative to the skill

struct Plugin {
    std::string name;
    std::string digest;                   // computed from the files that were read
    std::map<std::string, Files> skills;  // by name of the folder below skills/
};

// Something that lies among the plugins and was not loaded, or a skill that was not copied.
struct Problem {
    std::string name;
    std::string message;
    bool operator==(const Problem&) const = default;
};

struct Loaded {
    std::vector<Plugin> plugins;  // by name
    std::vector<Problem> problems;
};

// Reads every complete plugin below `folder`: one whose marker `.complete` holds the digest of the
// files that are there. Entries that begin with a dot are not plugins. Each plugin is read through
// one open folder, so that one which is being exchanged is seen old or new, never mixed; one that
// changes while it is read is a problem, to be read again. Never fails: what is wrong is a problem.
Loaded load_plugins(const std::filesystem::path& folder);

// Changes when a plugin is put in, exchanged or taken away; cheap, for looking often.
std::string fingerprint(const std::filesystem::path& folder);

}  // namespace atelier::agent
