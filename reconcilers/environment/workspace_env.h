// The Secret in which an Org hands a workspace its part of the template's environment.
//
// Spec and Secret are two objects. When both change, the Org writes the spec first, with an
// annotation that says which revision of the Secret is too old for it. The workspace then waits for
// a newer Secret, and restarts once for both.
#pragma once

#include <string>
#include <string_view>

#include "crds/meta.h"

namespace atelier::reconcilers {

namespace annotation {
// A resourceVersion: the Secret must be newer than it.
inline constexpr std::string_view env_after = "atelier.dev/env-after";
}  // namespace annotation

// The name of the Secret with the environment of that workspace.
std::string env_secret_name(const std::string& workspace);

// The revision in the annotation env_after; 0, which every Secret is newer than, when it holds
// none.
Revision revision_in(std::string_view env_after);

}  // namespace atelier::reconcilers
