// Reasons that several kinds share (docs/reference/conditions.md lists them for users).
#pragma once

#include <string_view>

namespace atelier::crds::reason {

// spec.suspend is true: the controller does not act on the object.
inline constexpr std::string_view suspended = "Suspended";
// The object is being deleted; the message says what it waits for.
inline constexpr std::string_view terminating = "Terminating";
// The source was read.
inline constexpr std::string_view fetched = "Fetched";
// spec.source, or what the source answered, cannot be understood.
inline constexpr std::string_view invalid_source = "InvalidSource";
// The source needs something that this release does not do.
inline constexpr std::string_view unsupported_source = "UnsupportedSource";
// The repository, ref or folder does not exist, or the Secret that it is read with does not.
inline constexpr std::string_view source_not_found = "SourceNotFound";
// The server of the source refused the credentials, or asked for some.
inline constexpr std::string_view source_access_denied = "SourceAccessDenied";
// The source is larger than the limit.
inline constexpr std::string_view source_too_large = "SourceTooLarge";
// The server has no space left to keep what was fetched.
inline constexpr std::string_view disk_full = "DiskFull";
// The source could not be reached or did not answer in time; the controller tries again.
inline constexpr std::string_view source_fetch_failed = "SourceFetchFailed";

}  // namespace atelier::crds::reason
