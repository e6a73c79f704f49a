// UpdateTier: a group of workspaces that take updates together, in order. Cluster-scoped.
#pragma once

#include <optional>
#include <string>

#include "crds/meta.h"

namespace atelier::crds {

struct UpdateTierSpec {
    static constexpr std::string_view kind = "UpdateTier";
    static constexpr std::string_view resource = "updatetiers.atelier.dev";
    std::int64_t order = 100;          // lower goes first
    std::int64_t max_unavailable = 1;  // workspaces restarting at the same time
    // How long a workspace must be Ready after its restart before it counts as updated. Absent: 30
    // in the tier "canary", 10 in others.
    std::optional<std::int64_t> min_ready_seconds = {};
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("order", self.order);
        v("maxUnavailable", self.max_unavailable);
        v("minReadySeconds", self.min_ready_seconds);
    }
};

struct UpdateTierStatus : StatusBase {
    std::int64_t members = 0;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        StatusBase::base_fields(self, v);
        v("members", self.members);
    }
};

using UpdateTier = Typed<UpdateTierSpec, UpdateTierStatus>;

}  // namespace atelier::crds
