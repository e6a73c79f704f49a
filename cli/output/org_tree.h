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

// What the conditions mean for the generation that is there now.
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

// Roots first, children under their spec.parent, by name; a parent that is absent, or a circle,
// makes a root. Workspaces of no org come last, under "(no org)".
std::vector<TreeLine> tree_lines(const Fleet& fleet, Instant now, bool unicode);
std::vector<std::string> tree_header();

// Every org and workspace Ready, and none missing that an org still wants.
bool all_ready(const Fleet& fleet);
// Somebody waits for a change, and will not become Ready by itself.
bool any_stalled(const Fleet& fleet);
// "acme-dev is Reconciling: Creating: …" for each that is not.
std::vector<std::string> not_ready(const Fleet& fleet);

}  // namespace atelier::cli
