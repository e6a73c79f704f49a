#include "reconcilers/update_tier/reconciler.h"

#include <fmt/format.h>

#include "crds/update_tier_conditions.h"
#include "crds/workspace.h"
#include "reconcilers/common/status.h"

namespace atelier::reconcilers {
namespace {

std::string tier_of(const store::ObjectPtr& object) {
    const auto document = json::parse(object->body);
    return document ? json::string_at(*document, {"spec", "updateTier"}) : std::string();
}

}  // namespace

std::vector<Interest> UpdateTierReconciler::interests() const {
    return {{std::string(crds::WorkspaceSpec::resource),
             [](const store::Event& event, const store::Store&) {
                 // A write of status changes no membership.
                 const bool same_spec =
                     event.change == store::Change::modified && event.previous &&
                     event.previous->meta.generation == event.object->meta.generation;
                 std::vector<Key> keys;
                 if (same_spec) return keys;
                 for (const auto& object : {event.object, event.previous}) {
                     if (!object) continue;
                     const std::string tier = tier_of(object);
                     if (tier.empty()) continue;
                     keys.push_back({std::string(crds::UpdateTierSpec::resource), "", tier});
                 }
                 return keys;
             }}};
}

crds::UpdateTierStatus update_tier::status(const crds::UpdateTier& tier, std::int64_t members,
                                           Instant now) {
    auto next = begun(tier);
    next.members = members;
    set_condition(next, crds::condition::ready, crds::ConditionStatus::yes,
                  crds::update_tier::reason::counted,
                  fmt::format("{} workspaces take updates in this tier", members), now);
    return next;
}

Result<Outcome> UpdateTierReconciler::reconcile(const Key& key, Instant now) {
    const auto tier = TRY(objects_.find<crds::UpdateTier>("", key.name));
    if (!tier) return Outcome{};
    if (tier->being_deleted()) {
        TRY(objects_.report(*tier, terminating_status(*tier, now), now));
        return Outcome{};
    }
    std::int64_t members = 0;
    const auto workspaces = objects_.store().list(crds::WorkspaceSpec::resource);
    for (const auto& object : workspaces->objects) {
        if (!object->meta.deleted_at && tier_of(object) == key.name) ++members;
    }
    TRY(objects_.report(*tier, update_tier::status(*tier, members, now), now));
    return Outcome{};
}

}  // namespace atelier::reconcilers
