// Conditions and reasons of a DeletedWorkspace (docs/reference/conditions.md lists them for users).
#pragma once

#include <string_view>

namespace atelier::crds::deleted_workspace::reason {

// The volumes exist and are kept until spec.expiresAt.
inline constexpr std::string_view kept = "Kept";
// The Workspace is still being taken down.
inline constexpr std::string_view terminating = "Terminating";
// A runtime does not answer, so it is not known which volumes exist.
inline constexpr std::string_view runtime_unreachable = "RuntimeUnreachable";
// An action failed; the message says why. It is tried again.
inline constexpr std::string_view failed = "Failed";
// The volumes are being removed.
inline constexpr std::string_view purging = "Purging";
// None of the volumes exists any more.
inline constexpr std::string_view volumes_missing = "VolumesMissing";
// Another Workspace has the name to come back under.
inline constexpr std::string_view name_taken = "NameTaken";

}  // namespace atelier::crds::deleted_workspace::reason
