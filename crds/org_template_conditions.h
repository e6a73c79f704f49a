// Conditions and reasons of a OrgTemplate (docs/reference/conditions.md lists them for users).
#pragma once

#include <string_view>

namespace atelier::crds::org_template::condition {

// The source could be read at the last look.
inline constexpr std::string_view source_ready = "SourceReady";
// The template compiles, and its artifact is published.
inline constexpr std::string_view rendered = "Rendered";

}  // namespace atelier::crds::org_template::condition

namespace atelier::crds::org_template::reason {

// The template compiled, and its artifact is in the tree store.
inline constexpr std::string_view compiled = "Compiled";
// The artifact could not be written to the tree store or the store.
inline constexpr std::string_view publish_failed = "PublishFailed";
// The source could not be read for a reason that passes; it is tried again soon.
inline constexpr std::string_view retrying = "Retrying";
// Two workspaces of the template have one key.
inline constexpr std::string_view duplicate_key = "DuplicateKey";
// The repository of an !external refuses access.
inline constexpr std::string_view external_access_denied = "ExternalAccessDenied";
// An !external stands inside too many others.
inline constexpr std::string_view external_depth = "ExternalDepth";
// An !external asks for a path outside its repository.
inline constexpr std::string_view external_escape = "ExternalEscape";
// The repository of an !external cannot be reached; it is tried again.
inline constexpr std::string_view external_fetch_failed = "ExternalFetchFailed";
// An !external lacks repo, ref or path, or one of them is malformed.
inline constexpr std::string_view external_invalid = "ExternalInvalid";
// The host of an !external is not one that the server trusts.
inline constexpr std::string_view external_not_allowed = "ExternalNotAllowed";
// An !external cannot be fetched where the template is only checked.
inline constexpr std::string_view external_not_fetched = "ExternalNotFetched";
// The repository, ref or path of an !external does not exist.
inline constexpr std::string_view external_not_found = "ExternalNotFound";
// The repository of an !external is larger than the limit.
inline constexpr std::string_view external_too_large = "ExternalTooLarge";
// The repository of an !external needs something that this release does not do.
inline constexpr std::string_view external_unsupported = "ExternalUnsupported";
// A file is larger than the limit.
inline constexpr std::string_view file_too_large = "FileTooLarge";
// A file cannot be read.
inline constexpr std::string_view file_unreadable = "FileUnreadable";
// files_dir has no files.
inline constexpr std::string_view files_empty = "FilesEmpty";
// files_dir leads outside the template.
inline constexpr std::string_view files_escape = "FilesEscape";
// files_dir does not exist.
inline constexpr std::string_view files_missing = "FilesMissing";
// A file includes itself, directly or through others.
inline constexpr std::string_view include_cycle = "IncludeCycle";
// Includes are nested too deeply.
inline constexpr std::string_view include_depth = "IncludeDepth";
// An !include leads outside the template.
inline constexpr std::string_view include_escape = "IncludeEscape";
// An !include does not name the path of a file.
inline constexpr std::string_view include_invalid = "IncludeInvalid";
// The file of an !include does not exist.
inline constexpr std::string_view include_missing = "IncludeMissing";
// A template that is given inline names files, which it does not have.
inline constexpr std::string_view inline_template = "InlineTemplate";
// A quote in a .env file is never closed.
inline constexpr std::string_view invalid_env_file = "InvalidEnvFile";
// The name of a variable is malformed.
inline constexpr std::string_view invalid_env_name = "InvalidEnvName";
// A field has a value that is not allowed.
inline constexpr std::string_view invalid_field = "InvalidField";
// The name of a file is not allowed.
inline constexpr std::string_view invalid_file_name = "InvalidFileName";
// The key of a workspace is malformed.
inline constexpr std::string_view invalid_key = "InvalidKey";
// The entry of a plugin is malformed.
inline constexpr std::string_view invalid_plugin = "InvalidPlugin";
// A file is not YAML of one document.
inline constexpr std::string_view invalid_yaml = "InvalidYaml";
// A required field is missing.
inline constexpr std::string_view missing_field = "MissingField";
// The file of a prompt leads outside the template.
inline constexpr std::string_view prompt_escape = "PromptEscape";
// The file of a prompt does not exist.
inline constexpr std::string_view prompt_missing = "PromptMissing";
// A prompt is larger than the limit.
inline constexpr std::string_view prompt_too_large = "PromptTooLarge";
// The template has no org.yaml.
inline constexpr std::string_view template_missing = "TemplateMissing";
// The whole of the template is larger than the limit.
inline constexpr std::string_view template_too_large = "TemplateTooLarge";
// The template has too many includes.
inline constexpr std::string_view too_many_includes = "TooManyIncludes";
// The template has too many workspaces.
inline constexpr std::string_view too_many_workspaces = "TooManyWorkspaces";
// Workspaces are nested too deeply.
inline constexpr std::string_view tree_too_deep = "TreeTooDeep";
// A YAML tag is not known.
inline constexpr std::string_view unknown_tag = "UnknownTag";

}  // namespace atelier::crds::org_template::reason
