// The tree of an org's workspaces as lines. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "crds/org.h"
#include "crds/workspace.h"

namespace atelier::cli {

enum class State { ready, reconciling, stalled, suspended, deleting, unknown };
constexpr std::array<std::pair<State, std::string_view>, 6> names_of(State) {
    return {{{State::ready, "Ready"},
             {State::reconciling, "Reconciling"},
             {State::stalled, "Stalled"},
             {State::suspended, "Suspended"},
             {State::deleting, "Deleting"},
             {State::unknown, "Unknown"}}};
}

// The state that the conditions give for the current generation.
State state_of(const crds::Meta& meta, const crds::StatusBase& status, bool suspend);

struct TreeLine {
    std::string key;  // "acme" of an Org, "acme/acme-pm" of a Workspace of it
    std::vector<std::string> cells;
    State state = State::unknown;
};

struct Fleet {
    std::vector<crds::Org> orgs;
    std::vector<crds::Workspace> workspaces;
};

// The Orgs by name, the Workspaces of each as a tree by spec.parent, siblings by name. A Workspace
// whose parent does not exist, and the first one of a cycle, is a root. Workspaces without an Org
// come last, under "(no org)".
std::vector<TreeLine> tree_lines(const Fleet& fleet, Instant now, bool unicode);
std::vector<std::string> tree_header();

// Every Org and Workspace is Ready, and every Org has as many Workspaces as it wants.
bool all_ready(const Fleet& fleet);
// An Org or Workspace is Stalled: it does not become Ready without a change.
bool any_stalled(const Fleet& fleet);
// A line such as "acme-dev is Reconciling: Creating: …" for each object that is not Ready.
std::vector<std::string> not_ready(const Fleet& fleet);

}  // namespace atelier::cli
