// The Secret in which an Org hands a workspace its part of the template's environment.
//
// Spec and Secret are two objects. When both change, the Org writes the spec first and says with it
// which state of the Secret is too old for it; the workspace then waits for the newer one, and
// starts again once for both.
#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "crds/meta.h"

namespace atelier::reconcilers {

namespace annotation {
// A resourceVersion: the Secret must be newer than that.
inline constexpr std::string_view env_after = "atelier.dev/env-after";
}  // namespace annotation

inline std::string env_secret_name(const std::string& workspace) {
    return workspace + "-env";
}

// What env_after says; 0, which every Secret is newer than, when it says nothing.
inline Revision revision_in(std::string_view env_after) {
    Revision revision = 0;
    std::from_chars(env_after.data(), env_after.data() + env_after.size(), revision);
    return revision;
}

}  // namespace atelier::reconcilers
