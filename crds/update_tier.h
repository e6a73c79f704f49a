// UpdateTier: a group of workspaces that take updates together, in order. Cluster-scoped.
#pragma once

#include <string>

#include "crds/meta.h"

namespace atelier::crds {

struct UpdateTierSpec {
    static constexpr std::string_view kind = "UpdateTier";
    static constexpr std::string_view resource = "updatetiers.atelier.dev";
    std::int64_t order = 100;          // lower goes first
    std::int64_t max_unavailable = 1;  // workspaces restarting at the same time
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("order", self.order);
        v("maxUnavailable", self.max_unavailable);
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
