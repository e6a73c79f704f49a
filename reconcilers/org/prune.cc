#include "reconcilers/org/prune.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/digest.h"
#include "base/text.h"
#include "crds/org_conditions.h"

namespace atelier::reconcilers::org {
namespace {

namespace reason = crds::org::reason;

constexpr std::size_t digest_length = 16;
constexpr int most_levels = 1000;  // bounds a cycle of parents, which people can write

bool is_protected(const crds::Workspace& workspace) {
    return workspace.meta.annotation(crds::annotation::protect) == "true";
}

// Over uids: a workspace that was created again under the same name needs a new confirmation.
std::string digest_of_set(const crds::Org& org, const std::vector<const crds::Workspace*>& set) {
    std::vector<std::string> lines;
    for (const crds::Workspace* workspace : set) {
        lines.push_back(workspace->meta.name + " " + workspace->meta.uid);
    }
    std::sort(lines.begin(), lines.end());
    return sha256_hex(org.meta.uid + "\n" + join(lines, "\n")).substr(0, digest_length);
}

std::int64_t limit_of(std::int64_t owned, std::int64_t max_percent) {
    if (max_percent <= 0) return 0;
    return std::max<std::int64_t>(1, owned * max_percent / 100);
}

// When the Org last had another artifact than the present one fully applied. Workspaces that are
// younger were created for the present one. nullopt: there was no other.
std::optional<Instant> settled_before(const crds::Org& org, const Observed& observed) {
    const std::string artifact = observed.revision ? observed.revision->artifact_digest : "";
    for (const crds::AppliedRevision& applied : org.status.history) {
        if (applied.artifact_digest != artifact) return applied.applied_at;
    }
    // The history names this artifact alone, so nothing shows that a workspace came with it.
    if (!org.status.history.empty()) return Instant::max();
    return std::nullopt;
}

bool came_after(const crds::Workspace& workspace, const std::optional<Instant>& settled) {
    const auto& made = workspace.meta.created_at;
    return made && (!settled || *made > *settled);
}

// The digest that confirms deleting the candidates; empty: they are not confirmed. When the
// deletion of a confirmed set was interrupted, the status still names the set, and the rest of it
// is confirmed, too.
std::string confirmation_of(const crds::Org& org, const std::string& digest,
                            const std::vector<std::string>& candidates) {
    const std::string given = org.meta.annotation(crds::annotation::confirm_prune);
    if (given.empty()) return {};
    if (given == digest) return given;
    const auto& pending = org.status.pending_prune;
    const bool rest =
        given == org.status.pending_prune_digest &&
        std::includes(pending.begin(), pending.end(), candidates.begin(), candidates.end());
    return rest ? given : std::string();
}

std::vector<std::string> names_of(const std::vector<const crds::Workspace*>& set) {
    std::vector<std::string> names;
    for (const crds::Workspace* workspace : set) names.push_back(workspace->meta.name);
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

std::vector<std::string> children_first(const std::vector<const crds::Workspace*>& workspaces) {
    std::map<std::string, std::string> parents;
    for (const crds::Workspace* w : workspaces) parents[w->meta.name] = w->spec.parent;
    std::vector<std::pair<int, std::string>> order;
    for (const auto& [name, parent] : parents) {
        int depth = 0;
        auto up = parents.find(parent);
        while (up != parents.end() && depth < most_levels) {
            ++depth;
            up = parents.find(up->second);
        }
        order.emplace_back(-depth, name);
    }
    std::sort(order.begin(), order.end());
    std::vector<std::string> names;
    for (auto& [depth, name] : order) names.push_back(std::move(name));
    return names;
}

PruneDecision decide_prune(const crds::Org& org, const Observed& observed, const Desired& desired) {
    PruneDecision decision;
    std::set<std::string> wanted = desired.kept;
    for (const DesiredWorkspace& workspace : desired.workspaces) wanted.insert(workspace.name);
    std::vector<const crds::Workspace*> candidates;
    std::vector<std::string> protected_names;
    const auto settled = settled_before(org, observed);
    std::int64_t owned = 0;
    std::int64_t fresh = 0;
    for (const crds::Workspace& workspace : observed.owned) {
        if (workspace.being_deleted()) continue;
        if (observed.released.contains(workspace.meta.name)) continue;
        if (wanted.contains(workspace.meta.name)) {
            ++(came_after(workspace, settled) ? fresh : owned);
            continue;
        }
        ++owned;
        if (is_protected(workspace)) {
            protected_names.push_back(workspace.meta.name);
        } else {
            candidates.push_back(&workspace);
        }
    }
    if (!observed.template_is_current()) return decision;
    if (org.spec.prune.policy == crds::PrunePolicy::retain) return decision;
    if (!protected_names.empty()) {
        decision.pending = protected_names;
        decision.reason = reason::is_protected;
        decision.message = fmt::format("protected by annotation: {}", join(protected_names, ", "));
    }
    if (candidates.empty()) return decision;

    const auto count = static_cast<std::int64_t>(candidates.size());
    const auto wait = [&](std::string_view reason, std::string message) {
        for (std::string& name : names_of(candidates)) decision.pending.push_back(std::move(name));
        std::sort(decision.pending.begin(), decision.pending.end());
        decision.reason = reason;
        decision.message = std::move(message);
        return decision;
    };
    if (desired.workspaces.empty()) {
        return wait(
            reason::empty_desired_set,
            fmt::format("the template has no workspaces: nothing is deleted, {} stay", count));
    }
    if (count > limit_of(owned, org.spec.prune.max_percent)) {
        const std::string digest = digest_of_set(org, candidates);
        decision.confirmed = confirmation_of(org, digest, names_of(candidates));
        if (decision.confirmed.empty()) {
            decision.digest = digest;
            return wait(
                reason::max_percent_exceeded,
                fmt::format("{} of {} workspaces{} would be deleted, more than {}%: to confirm, "
                            "annotate the Org with {}={}",
                            count, owned,
                            fresh > 0 ? fmt::format(" ({} new ones do not count)", fresh) : "",
                            org.spec.prune.max_percent, crds::annotation::confirm_prune, digest));
        }
    }
    decision.remove = children_first(candidates);
    return decision;
}

}  // namespace atelier::reconcilers::org
