// Translates a Workspace into the unit that a runtime is to run. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crds/plugin_install.h"
#include "crds/workspace.h"
#include "drivers/runtime.h"
#include "reconcilers/common/runtimes.h"
#include "reconcilers/environment/values.h"

namespace atelier::reconcilers::workspace {

// What a unit is made from, besides the Workspace.
struct Place {
    drivers::Capabilities can;
    std::vector<drivers::Mount> plugin_mounts;  // of the plugins folder; empty: carried by exec
    std::string network;
    std::string image;          // of the runtime, when the spec names none
    std::string agent_program;  // where the runtime has no images
    std::string hash_key;       // of the spec hash: without it nobody can try values out
};

struct Desired {
    drivers::UnitSpec unit;                // without labels
    std::string spec_hash;                 // of everything that the unit was made from
    bool mounted = false;                  // its plugins folder is a folder of this machine
    std::vector<std::string> files;        // below /configs, sorted
    std::vector<std::string> not_granted;  // parts of the tier that the unit does not get
};

// invalid: this spec cannot be run here, and the message says why. Only another spec helps.
Result<Desired> translate(const crds::Workspace& workspace, const Values& env, const Place& place);

// "image", "files": the parts in which two spec hashes differ. A spec hash is five short hashes,
// one a part, joined by "-".
std::vector<std::string> changed_parts(const std::string& old_hash, const std::string& new_hash);

// A digest over the restart digests of all installs of a workspace. A unit that was started with
// another one must restart.
std::string restart_digest(const std::vector<crds::PluginInstall>& installs);

}  // namespace atelier::reconcilers::workspace
