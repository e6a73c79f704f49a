// What follows from an OrgTemplate and one look at its source. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "crds/core.h"
#include "crds/org_template.h"
#include "drivers/trees/tree.h"
#include "templates/compile.h"

namespace atelier::reconcilers::org_template {

// What was seen. Without `unreadable`, the source was read and `compiled` is what it gave.
struct Observed {
    std::optional<Error> unreadable;
    templates::Compilation compiled;
    std::string revision;  // the commit, or a digest of what was read
    // When it compiled: every tree to be kept, the artifact among them, and which of them are.
    std::map<std::string, drivers::Tree> trees;
    std::string artifact;
    std::set<std::string> kept;
    std::string author;  // of the commit, and its subject
    std::string subject;
    std::vector<crds::Secret> layers;  // the Secrets with environment layers that are there
    std::set<std::string> pins;        // revisions that Orgs of this template are pinned to
};

// Everything that the artifact refers to is there before anybody can learn of the artifact, which
// is told by the status. Layers go when their revision has left the history.
struct KeepTree {
    std::string digest;
};
struct PutLayers {
    crds::Secret secret;
};
struct RemoveLayers {
    crds::Secret secret;
};
using Action = std::variant<KeepTree, PutLayers, RemoveLayers>;

struct Plan {
    std::vector<Action> actions;
    crds::OrgTemplateStatus status;  // once the actions are done
    std::optional<Instant> wake_at;
    std::optional<Error> retry;  // what the controller tries again with backoff
};

Plan plan(const crds::OrgTemplate& object, const Observed& observed, Instant now);
// As `plan`, when an action failed with this.
Plan plan_after_failure(const crds::OrgTemplate& object, const Error& failure, Instant now);

std::string text(const Action& action);
std::string text(const Plan& plan);  // "keep tree 0a1b2c3, put secret x; True Compiled"

}  // namespace atelier::reconcilers::org_template
