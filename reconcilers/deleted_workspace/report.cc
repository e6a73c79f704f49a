#include <fmt/format.h>

#include "reconcilers/common/status.h"
#include "reconcilers/deleted_workspace/plan.h"

namespace atelier::reconcilers::deleted_workspace {
namespace {

using crds::ConditionStatus;
using crds::DeletedWorkspace;

struct Said {
    ConditionStatus ready;
    std::string_view reason;
    std::string message;
    bool stalled = false;
};

Said said(const DeletedWorkspace& object, const Observed& observed,
          const std::optional<Error>& failure) {
    const auto& spec = object.spec;
    if (observed.holder && observed.holder->being_deleted) {
        return {ConditionStatus::no, "Terminating",
                fmt::format("Workspace {} is being taken down", observed.holder->name)};
    }
    if (!observed.unreachable.empty()) {
        return {ConditionStatus::unknown, "RuntimeUnreachable", observed.unreachable};
    }
    if (failure) return {ConditionStatus::no, "Failed", failure->message};
    if (object.being_deleted()) {
        return {ConditionStatus::no, "Purging",
                fmt::format("{} volumes are to be removed", observed.volumes.size())};
    }
    if (observed.volumes.empty()) {
        return {ConditionStatus::no, "VolumesMissing",
                "none of its volumes is there any more; delete it, its spec says what it was",
                true};
    }
    if (spec.restore && observed.in_place) {
        return {ConditionStatus::no, "NameTaken",
                fmt::format("there is a Workspace {}{}: it comes back when that one is gone, or at "
                            "once under another name: atelier undelete {} --as NAME",
                            observed.in_place->name,
                            observed.in_place->being_deleted ? ", which is being deleted" : "",
                            object.meta.name),
                !observed.in_place->being_deleted};
    }
    const std::string until =
        spec.expires_at ? " until " + rfc3339(*spec.expires_at) : std::string();
    return {ConditionStatus::yes, "Kept",
            fmt::format("{} volumes are kept{}; to bring it back: atelier undelete {}",
                        observed.volumes.size(), until, object.meta.name)};
}

}  // namespace

crds::DeletedWorkspaceStatus report(const DeletedWorkspace& object, const Observed& observed,
                                    const std::optional<Error>& failure, Instant now) {
    auto status = begun(object);
    if (observed.unreachable.empty()) status.volumes = observed.volumes;
    const Said is = said(object, observed, failure);
    set_condition(status, crds::condition::ready, is.ready, is.reason, is.message, now);
    if (is.stalled) {
        set_condition(status, crds::condition::stalled, ConditionStatus::yes, is.reason, is.message,
                      now);
    } else {
        status.clear(crds::condition::stalled);
    }
    if (is.ready == ConditionStatus::yes || is.stalled) {
        status.clear(crds::condition::reconciling);
    } else {
        set_condition(status, crds::condition::reconciling, ConditionStatus::yes, is.reason,
                      is.message, now);
    }
    if (object.spec.suspend) {
        set_condition(status, crds::condition::suspended, ConditionStatus::yes, "Suspended",
                      "spec.suspend is true: it neither expires nor comes back", now);
    } else {
        status.clear(crds::condition::suspended);
    }
    return status;
}

}  // namespace atelier::reconcilers::deleted_workspace
