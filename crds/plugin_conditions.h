// Conditions and reasons of a Plugin (docs/reference/conditions.md lists them for users).
#pragma once

#include <string_view>

namespace atelier::crds::plugin::condition {

// The source could be read at the last look.
inline constexpr std::string_view source_ready = "SourceReady";
// The content has safe names and no links, and agrees with the digests that it declares.
inline constexpr std::string_view verified = "Verified";
// Upstream has another version than the approved one.
inline constexpr std::string_view update_available = "UpdateAvailable";
// Present while the tag that is tracked by name leads to another commit than the approved one.
inline constexpr std::string_view tag_moved = "TagMoved";
// Present while plugin.yaml of the approved version is missing or malformed.
inline constexpr std::string_view manifest_invalid = "ManifestInvalid";

}  // namespace atelier::crds::plugin::condition

namespace atelier::crds::plugin::reason {

// There is a version that installs get: the first that was found, or the last that was approved.
inline constexpr std::string_view resolved = "Resolved";
// spec.source or spec.track cannot be understood.
inline constexpr std::string_view invalid_spec = "InvalidSpec";
// The content is not what its own manifest or spec.sha256 declares.
inline constexpr std::string_view integrity_mismatch = "IntegrityMismatch";
// The content has links, unsafe names or no files.
inline constexpr std::string_view unsafe_content = "UnsafeContent";
// Names, links and declared digests were checked.
inline constexpr std::string_view verified = "Verified";
// The approved version is what upstream has.
inline constexpr std::string_view up_to_date = "UpToDate";
// A PluginUpdate about the version exists.
inline constexpr std::string_view update_open = "UpdateOpen";
// The version was dismissed; nothing is asked until upstream moves.
inline constexpr std::string_view dismissed = "Dismissed";
// The rollout of the version failed; nothing is asked until upstream moves.
inline constexpr std::string_view update_failed = "UpdateFailed";
// Upstream has another version, and spec.suspend keeps an update from being opened.
inline constexpr std::string_view suspended = "Suspended";
// Somebody moved the tag.
inline constexpr std::string_view tag_moved = "TagMoved";
// plugin.yaml is missing, or the message says what is wrong with it.
inline constexpr std::string_view malformed_manifest = "MalformedManifest";

}  // namespace atelier::crds::plugin::reason
