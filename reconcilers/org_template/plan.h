// What an OrgTemplate is about to do after one read of its source: trees and Secrets to store, the
// next history, and when to read the source again. Pure.
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

// One read of the source. Without `unreadable`, `compiled` is what it gave. Empty for a suspended
// template, whose source is not read.
struct Observed {
    std::optional<Error> unreadable;
    templates::Compilation compiled;
    std::string revision;  // the commit, or a digest of what was read
    // If it compiled: every tree that must be in the tree store, the artifact among them, and the
    // digests of those that are there already.
    std::map<std::string, drivers::Tree> trees;
    std::string artifact;
    std::set<std::string> kept;
    std::string author;  // of the commit; empty without one
    std::string subject;
    std::vector<crds::Secret> layers;  // existing Secrets with environment layers
    std::set<std::string> pins;        // revisions that Orgs of this template are pinned to
};

// The actions store everything that the artifact refers to. The status, which is written last, is
// where others learn of the artifact. The Secrets of a revision are removed once it has left the
// history.
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
    std::vector<crds::TemplateRevision> history;  // once the actions are done
    std::optional<Error> unpublishable;           // why the compiled template cannot be stored
    std::optional<Instant> wake_at;               // when to read the source again
    std::optional<Error> retry;                   // instead of wake_at: again soon, with backoff
};

Plan plan(const crds::OrgTemplate& object, const Observed& observed, Instant now);
// The plan for after an action failed: only when to try again.
Plan plan_after_failure(const crds::OrgTemplate& object, const Error& failure, Instant now);

std::string text_of(const Action& action);  // "keep tree 0a1b2c3", "put secret x"

}  // namespace atelier::reconcilers::org_template
