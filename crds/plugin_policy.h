// PluginPolicy: which plugins an org may use.
#pragma once

#include <string>
#include <vector>

#include "crds/meta.h"

namespace atelier::crds {

struct PluginPolicySpec {
    static constexpr std::string_view kind = "PluginPolicy";
    static constexpr std::string_view resource = "pluginpolicies.atelier.dev";
    std::string org;                   // name of an Org; empty: every org of the namespace
    std::vector<std::string> allowed;  // names of Plugins; empty allows all
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("org", self.org);
        v("allowed", self.allowed);
    }
};

struct PluginPolicyStatus : StatusBase {
    std::int64_t denied = 0;  // installs that this policy refuses now
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        StatusBase::base_fields(self, v);
        v("denied", self.denied);
    }
};

using PluginPolicy = Typed<PluginPolicySpec, PluginPolicyStatus>;

}  // namespace atelier::crds
