// The options that clients put behind the '?'.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apiserver/http/http.h"
#include "base/clock.h"
#include "base/result.h"
#include "crds/lifecycle.h"

namespace atelier::apiserver {

// Absent, "0" and any spelling of "false" are false; everything else, the empty value too, is true.
bool query_flag(const Request& request, std::string_view name);
// Empty when absent.
std::string query_text(const Request& request, std::string_view name);
Result<std::optional<std::int64_t>> query_integer(const Request& request, std::string_view name);
// A "resourceVersion" as a number; empty is 0. Code::invalid when it is none that this server gave.
Result<Revision> parse_revision(std::string_view text);

struct ListOptions {
    std::string label_selector;
    std::string field_selector;
    std::int64_t limit = 0;  // 0: no limit
    std::string continue_token;
    std::string resource_version;  // as sent
    std::string resource_version_match;
    bool watch = false;
    bool bookmarks = false;
    bool send_initial_events = false;
    std::optional<std::int64_t> timeout_seconds;
};
// Refuses combinations that Kubernetes refuses, in its words.
Result<ListOptions> read_list_options(const Request& request, bool watch);

enum class FieldValidation { ignore, warn, strict };

struct WriteOptions {
    bool dry_run = false;
    FieldValidation validation = FieldValidation::warn;
    std::string field_manager;
};
Result<WriteOptions> read_write_options(const Request& request);

}  // namespace atelier::apiserver
