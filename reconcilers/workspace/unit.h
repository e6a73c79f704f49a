// A Workspace in the words of a runtime. Pure.
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
};

struct Desired {
    drivers::UnitSpec unit;                // without labels
    std::string spec_hash;                 // of everything that the unit was made from
    bool mounted = false;                  // its plugins folder is a folder of this machine
    std::vector<std::string> files;        // below /configs, sorted
    std::vector<std::string> not_granted;  // parts of the tier that the unit does not get
};

// Code::invalid: it cannot be run here whatever happens, and why; waits for another spec.
Result<Desired> translate(const crds::Workspace& workspace, const Values& env, const Place& place);

// "image", "files": the parts in which two spec hashes differ. Five short hashes stand in one.
std::vector<std::string> changed_parts(const std::string& old_hash, const std::string& new_hash);

// Over the restart digests of all installs of a workspace; a unit with another one must restart.
std::string restart_digest(const std::vector<crds::PluginInstall>& installs);

}  // namespace atelier::reconcilers::workspace
