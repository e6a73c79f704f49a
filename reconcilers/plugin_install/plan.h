// What a PluginInstall reconciler is about to do about one plugin in one workspace. Pure.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crds/plugin_install.h"
#include "reconcilers/plugin_install/observed.h"

namespace atelier::reconcilers::plugin_install {

// Nothing is live, as after a crash between two steps: the newest complete previous tree is.
struct Restore {};
// The tree of that digest is written beside the live one, and read back.
struct Stage {
    std::string digest;
};
struct Swap {};     // the staged tree becomes the live one
struct Remove {};   // nothing is live any more
struct Collect {};  // removes staged and previous trees
struct Release {};  // takes the finalizer off, and the object goes
using Action = std::variant<Restore, Stage, Swap, Remove, Collect, Release>;

struct Plan {
    std::vector<Action> actions;
    // What the delivery of spec.version.digest changes for the agent. Absent: nothing is delivered,
    // or the status records what was delivered already.
    std::optional<crds::ChangeClass> change;
};

Plan plan(const crds::PluginInstall& install, const Observed& observed);
std::string text(const Action& action);
std::string text(const Plan& plan);  // "restore, stage 1a2b3c4, swap, collect (cold)"

}  // namespace atelier::reconcilers::plugin_install
