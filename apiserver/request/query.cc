#include "apiserver/request/query.h"

#include <fmt/format.h>

#include <charconv>

#include "apiserver/present/accept.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

Error invalid_option(std::string field, std::string reason, std::string message) {
    return {Code::invalid, message, {}, {{std::move(field), std::move(reason), message}}};
}

Error forbidden_option(std::string field, std::string why) {
    return invalid_option(std::move(field), "FieldValueForbidden", "Forbidden: " + std::move(why));
}

// https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
Result<void> check(const ListOptions& o) {
    const std::string& match = o.resource_version_match;
    if (!match.empty() && match != "Exact" && match != "NotOlderThan") {
        return invalid_option(
            "resourceVersionMatch", "FieldValueNotSupported",
            fmt::format("Unsupported value: \"{}\": supported values: \"Exact\", \"NotOlderThan\"",
                        match));
    }
    if (o.watch) {
        if (o.send_initial_events && match != "NotOlderThan") {
            return forbidden_option(
                "resourceVersionMatch",
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }
        if (!o.send_initial_events && !match.empty()) {
            return forbidden_option("resourceVersionMatch",
                                    "resourceVersionMatch is forbidden for watch unless "
                                    "sendInitialEvents is provided");
        }
        return {};
    }
    if (o.send_initial_events) {
        return forbidden_option("sendInitialEvents", "sendInitialEvents is forbidden for list");
    }
    if (!o.continue_token.empty() && !o.resource_version.empty() && o.resource_version != "0") {
        return Error{Code::invalid,
                     "specifying resource version is not allowed when using continue"};
    }
    if (match.empty()) return {};
    if (!o.continue_token.empty()) {
        return forbidden_option("resourceVersionMatch",
                                "resourceVersionMatch is forbidden when continue is provided");
    }
    if (o.resource_version.empty()) {
        return forbidden_option("resourceVersionMatch",
                                "resourceVersionMatch is forbidden unless resourceVersion is "
                                "provided");
    }
    if (match == "Exact" && o.resource_version == "0") {
        return forbidden_option("resourceVersionMatch",
                                "resourceVersionMatch \"exact\" is forbidden for resourceVersion "
                                "\"0\"");
    }
    return {};
}

}  // namespace

bool query_flag(const Request& request, std::string_view name) {
    const std::string* value = request.query_value(name);
    return value && *value != "0" && lower(*value) != "false";
}

std::string query_text(const Request& request, std::string_view name) {
    const std::string* value = request.query_value(name);
    return value ? *value : std::string();
}

Result<std::optional<std::int64_t>> query_integer(const Request& request, std::string_view name) {
    const std::string* value = request.query_value(name);
    if (!value || value->empty()) return std::optional<std::int64_t>();
    std::int64_t number = 0;
    const char* end = value->data() + value->size();
    const auto [stop, ec] = std::from_chars(value->data(), end, number);
    if (ec != std::errc{} || stop != end) {
        return Error{Code::invalid,
                     fmt::format("query parameter {}: \"{}\" is not a whole number", name, *value)};
    }
    return std::optional(number);
}

Result<Revision> parse_revision(std::string_view text) {
    Result<Revision> revision = crds::parse_revision(text);
    if (revision) return revision;
    return Error{Code::invalid, fmt::format("resourceVersion: {}", revision.error().message)};
}

Result<ListOptions> read_list_options(const Request& request, bool watch) {
    ListOptions o;
    o.label_selector = query_text(request, "labelSelector");
    o.field_selector = query_text(request, "fieldSelector");
    const std::optional<std::int64_t> limit = TRY(query_integer(request, "limit"));
    o.limit = std::max<std::int64_t>(limit.value_or(0), 0);
    o.continue_token = query_text(request, "continue");
    o.resource_version = query_text(request, "resourceVersion");
    o.resource_version_match = query_text(request, "resourceVersionMatch");
    o.watch = watch;
    o.bookmarks = query_flag(request, "allowWatchBookmarks");
    o.send_initial_events = query_flag(request, "sendInitialEvents");
    o.timeout_seconds = TRY(query_integer(request, "timeoutSeconds"));
    TRY(check(o));
    return o;
}

Result<WriteOptions> read_write_options(const Request& request) {
    WriteOptions o;
    if (const std::string* dry_run = request.query_value("dryRun"); dry_run && !dry_run->empty()) {
        if (*dry_run != "All") {
            return invalid_option(
                "dryRun", "FieldValueNotSupported",
                fmt::format("Unsupported value: \"{}\": supported values: \"All\"", *dry_run));
        }
        o.dry_run = true;
    }
    const std::string validation = query_text(request, "fieldValidation");
    if (validation == "Strict") {
        o.validation = FieldValidation::strict;
    } else if (validation == "Ignore") {
        o.validation = FieldValidation::ignore;
    } else if (!validation.empty() && validation != "Warn") {
        return invalid_option("fieldValidation", "FieldValueNotSupported",
                              fmt::format("Unsupported value: \"{}\": supported values: "
                                          "\"Ignore\", \"Strict\", \"Warn\"",
                                          validation));
    }
    o.field_manager = query_text(request, "fieldManager");
    if (o.field_manager.size() > 128) {
        return invalid_option("fieldManager", "FieldValueTooLong",
                              "Too long: may not be longer than 128 bytes");
    }
    const bool apply = media_type(request.header("content-type")) == "application/apply-patch+yaml";
    // Server-side apply is refused by its media type, forced or not.
    if (query_flag(request, "force") && !apply) {
        return forbidden_option("force", "may not be specified for non-apply patch");
    }
    return o;
}

}  // namespace atelier::apiserver
