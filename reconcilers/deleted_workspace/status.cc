#include "reconcilers/deleted_workspace/status.h"

#include <fmt/format.h>

#include "crds/conditions.h"
#include "crds/deleted_workspace_conditions.h"
#include "reconcilers/common/status.h"

namespace atelier::reconcilers::deleted_workspace {
namespace {

namespace reason = crds::deleted_workspace::reason;

using crds::ConditionStatus;
using crds::DeletedWorkspace;

// What Ready says, and whether it stays so until somebody changes something.
struct Answer {
    Verdict ready;
    bool stalled = false;
};

Answer answer(const DeletedWorkspace& object, const Observed& observed,
              const std::optional<Error>& failure) {
    const auto& spec = object.spec;
    if (observed.holder && observed.holder->being_deleted) {
        return {no(reason::terminating,
                   fmt::format("Workspace {} is being taken down", observed.holder->name))};
    }
    if (!observed.unreachable.empty()) {
        return {unknown(reason::runtime_unreachable, observed.unreachable)};
    }
    if (failure) return {no(reason::failed, failure->message)};
    if (object.being_deleted()) {
        return {no(reason::purging,
                   fmt::format("{} volumes are to be removed", observed.volumes.size()))};
    }
    if (observed.volumes.empty()) {
        return {
            no(reason::volumes_missing,
               "none of the volumes exists any more; delete this object, whose spec says what the "
               "workspace was"),
            true};
    }
    if (spec.restore && observed.in_place) {
        return {
            no(reason::name_taken,
               fmt::format(
                   "there is a Workspace {}{}: this one comes back when that one is gone, or at "
                   "once under another name: atelier undelete {} --as NAME",
                   observed.in_place->name,
                   observed.in_place->being_deleted ? ", which is being deleted" : "",
                   object.meta.name)),
            !observed.in_place->being_deleted};
    }
    const std::string until =
        spec.expires_at ? " until " + rfc3339(*spec.expires_at) : std::string();
    return {yes(reason::kept,
                fmt::format("{} volumes are kept{}; to bring it back: atelier undelete {}",
                            observed.volumes.size(), until, object.meta.name))};
}

}  // namespace

crds::DeletedWorkspaceStatus status(const DeletedWorkspace& object, const Observed& observed,
                                    const std::optional<Error>& failure, Instant now) {
    auto next = begun(object);
    if (observed.unreachable.empty()) next.volumes = observed.volumes;
    const auto [is, stalled] = answer(object, observed, failure);
    set_condition(next, crds::condition::ready, is, now);
    const bool at_rest = is.status == ConditionStatus::yes || stalled;
    set_condition_if(stalled, next, crds::condition::stalled, is.reason, is.message, now);
    set_condition_if(!at_rest, next, crds::condition::reconciling, is.reason, is.message, now);
    set_condition_if(object.spec.suspend, next, crds::condition::suspended, crds::reason::suspended,
                     "spec.suspend is true: the object neither expires nor is restored", now);
    return next;
}

}  // namespace atelier::reconcilers::deleted_workspace
