#include "cli/output/org_tree.h"

#include <algorithm>
#include <map>
#include <set>

namespace atelier::cli {
namespace {

std::string glyph_of(State state, bool unicode) {
    switch (state) {
        case State::ready:
            return unicode ? "✓" : "+";
        case State::reconciling:
            return unicode ? "●" : "*";
        case State::stalled:
            return unicode ? "✗" : "x";
        case State::suspended:
            return unicode ? "‖" : "=";
        case State::deleting:
            return unicode ? "−" : "-";
        case State::unknown:
            break;
    }
    return "?";
}

std::string state_cell(State state, bool unicode) {
    return glyph_of(state, unicode) + " " + std::string(json::name_of(state));
}

// "Reason: message" of the condition that explains a state other than Ready.
std::string why(const crds::StatusBase& status, State state) {
    if (state == State::ready) return {};
    for (const auto type : {crds::condition::stalled, crds::condition::ready,
                            crds::condition::reconciling, crds::condition::suspended}) {
        const crds::Condition* const condition = status.find(type);
        if (!condition || condition->message.empty()) continue;
        return condition->reason.empty() ? condition->message
                                         : condition->reason + ": " + condition->message;
    }
    return {};
}

std::string age_of(const crds::Meta& meta, Instant now) {
    return meta.created_at ? human_age(std::max(Duration::zero(), now - *meta.created_at)) : "-";
}

State state_of_workspace(const crds::Workspace& workspace) {
    return state_of(workspace.meta, workspace.status, workspace.spec.suspend);
}

// The Workspaces of one Org, or those without one.
class Branches {
  public:
    Branches(std::string org, std::vector<const crds::Workspace*> members, Instant now,
             bool unicode)
        : org_(std::move(org)), members_(std::move(members)), now_(now), unicode_(unicode) {
        std::sort(members_.begin(), members_.end(),
                  [](auto* a, auto* b) { return a->meta.name < b->meta.name; });
        std::set<std::string> names;
        for (const auto* member : members_) names.insert(member->meta.name);
        for (const auto* member : members_) {
            const std::string& parent = member->spec.parent;
            const bool is_root = !names.contains(parent) || parent == member->meta.name;
            children_[is_root ? std::string() : parent].push_back(member);
        }
    }

    void append(std::vector<TreeLine>& out) {
        append_below("", "", out);
        // A Workspace that no root leads to is in a cycle of parents: the first of the cycle
        // becomes a root.
        for (const auto* member : members_) {
            if (!seen_.contains(member->meta.name)) append_one(*member, "", true, out);
        }
    }

  private:
    void append_below(const std::string& parent, const std::string& prefix,
                      std::vector<TreeLine>& out) {
        const auto it = children_.find(parent);
        if (it == children_.end()) return;
        for (const auto* child : it->second) {
            if (!seen_.contains(child->meta.name)) {
                append_one(*child, prefix, child == it->second.back(), out);
            }
        }
    }
    void append_one(const crds::Workspace& workspace, const std::string& prefix, bool last,
                    std::vector<TreeLine>& out) {
        seen_.insert(workspace.meta.name);
        const std::string branch = unicode_ ? (last ? "└─ " : "├─ ") : (last ? "`- " : "|- ");
        const std::string below = last ? "   " : (unicode_ ? "│  " : "|  ");
        const State state = state_of_workspace(workspace);
        const std::string& plugins = workspace.status.plugins_summary;
        out.push_back({org_ + "/" + workspace.meta.name,
                       {prefix + branch + workspace.meta.name, state_cell(state, unicode_),
                        workspace.spec.update_tier, plugins.empty() ? "-" : plugins,
                        age_of(workspace.meta, now_), why(workspace.status, state)},
                       state});
        append_below(workspace.meta.name, prefix + below, out);
    }

    const std::string org_;
    std::vector<const crds::Workspace*> members_;
    const Instant now_;
    const bool unicode_;
    std::map<std::string, std::vector<const crds::Workspace*>> children_;
    std::set<std::string> seen_;
};

TreeLine org_line(const crds::Org& org, Instant now, bool unicode) {
    const State state = state_of(org.meta, org.status, org.spec.suspend);
    const auto& counts = org.status.counts;
    return {org.meta.name,
            {org.meta.name, state_cell(state, unicode), "-",
             std::to_string(counts.ready) + "/" + std::to_string(counts.desired) + " ready",
             age_of(org.meta, now), why(org.status, state)},
            state};
}

}  // namespace

State state_of(const crds::Meta& meta, const crds::StatusBase& status, bool suspend) {
    if (meta.deleted_at) return State::deleting;
    if (suspend) return State::suspended;
    if (status.observed_generation < meta.generation) {
        return status.observed_generation == 0 ? State::unknown : State::reconciling;
    }
    if (status.is_true(crds::condition::stalled)) return State::stalled;
    const crds::Condition* const ready = status.find(crds::condition::ready);
    if (!ready) return State::unknown;
    switch (ready->status) {
        case crds::ConditionStatus::yes:
            return State::ready;
        case crds::ConditionStatus::no:
            return State::reconciling;
        case crds::ConditionStatus::unknown:
            break;
    }
    return status.is_true(crds::condition::reconciling) ? State::reconciling : State::unknown;
}

std::vector<std::string> tree_header() {
    return {"NAME", "STATE", "TIER", "PLUGINS", "AGE", ""};
}

std::vector<TreeLine> tree_lines(const Fleet& fleet, Instant now, bool unicode) {
    std::vector<TreeLine> out;
    // By namespace and name: Orgs of two namespaces may have the same name.
    std::map<std::pair<std::string, std::string>, std::vector<const crds::Workspace*>> members;
    for (const auto& workspace : fleet.workspaces) {
        members[{workspace.meta.ns, workspace.spec.org}].push_back(&workspace);
    }
    std::vector<const crds::Org*> orgs;
    for (const auto& org : fleet.orgs) orgs.push_back(&org);
    std::sort(orgs.begin(), orgs.end(), [](auto* a, auto* b) {
        return std::tie(a->meta.ns, a->meta.name) < std::tie(b->meta.ns, b->meta.name);
    });
    for (const crds::Org* org : orgs) {
        out.push_back(org_line(*org, now, unicode));
        auto node = members.extract({org->meta.ns, org->meta.name});
        if (!node.empty()) {
            Branches(org->meta.name, std::move(node.mapped()), now, unicode).append(out);
        }
    }
    for (auto& [key, rest] : members) {
        const std::string title = key.second.empty() ? "(no org)" : key.second + " (no such org)";
        out.push_back({title, {title, "", "", "", "", ""}, State::ready});
        Branches(title, std::move(rest), now, unicode).append(out);
    }
    return out;
}

bool all_ready(const Fleet& fleet) {
    std::map<std::pair<std::string, std::string>, std::int64_t> members;
    for (const auto& workspace : fleet.workspaces) {
        if (state_of_workspace(workspace) != State::ready) return false;
        ++members[{workspace.meta.ns, workspace.spec.org}];
    }
    for (const auto& org : fleet.orgs) {
        if (state_of(org.meta, org.status, org.spec.suspend) != State::ready) return false;
        if (members[{org.meta.ns, org.meta.name}] < org.status.counts.desired) return false;
    }
    return !fleet.orgs.empty() || !fleet.workspaces.empty();
}

bool any_stalled(const Fleet& fleet) {
    return std::any_of(fleet.orgs.begin(), fleet.orgs.end(),
                       [](const crds::Org& org) {
                           return state_of(org.meta, org.status, org.spec.suspend) ==
                                  State::stalled;
                       }) ||
           std::any_of(fleet.workspaces.begin(), fleet.workspaces.end(),
                       [](const crds::Workspace& workspace) {
                           return state_of_workspace(workspace) == State::stalled;
                       });
}

std::vector<std::string> not_ready(const Fleet& fleet) {
    std::vector<std::string> out;
    const auto add = [&](const std::string& name, const crds::StatusBase& status, State state) {
        if (state == State::ready) return;
        const std::string reason = why(status, state);
        out.push_back(name + " is " + std::string(json::name_of(state)) +
                      (reason.empty() ? "" : ": " + reason));
    };
    for (const auto& org : fleet.orgs) {
        add(org.meta.name, org.status, state_of(org.meta, org.status, org.spec.suspend));
    }
    for (const auto& workspace : fleet.workspaces) {
        add(workspace.meta.name, workspace.status, state_of_workspace(workspace));
    }
    return out;
}

}  // namespace atelier::cli
