#include "apiserver/present/failure.h"

#include <fmt/format.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "crds/causes.h"

namespace atelier::apiserver {
namespace {

void member(std::string& out, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (out.back() != '{') out += ',';
    append_quoted(out, name);
    out += ':';
    append_quoted(out, value);
}

std::string details_json(const Failure& failure) {
    std::string out = "{";
    member(out, "name", failure.name);
    member(out, "group", failure.group);
    member(out, "kind", failure.kind);
    if (!failure.causes.empty()) {
        out += out.size() > 1 ? ",\"causes\":[" : "\"causes\":[";
        for (const Cause& cause : failure.causes) {
            if (out.back() != '[') out += ',';
            out += '{';
            member(out, "reason", cause.reason);
            member(out, "message", cause.message);
            member(out, "field", cause.field);
            out += '}';
        }
        out += ']';
    }
    if (failure.retry_after > 0) {
        if (out.size() > 1) out += ',';
        out += fmt::format("\"retryAfterSeconds\":{}", failure.retry_after);
    }
    return out + "}";
}

Failure about(const crds::Kind& kind, std::string_view name, int status, std::string reason,
              std::string message) {
    return {status,     std::move(reason), std::move(message), std::string(name),
            kind.group, kind.plural};
}

Failure invalid(const Error& error, const crds::Kind* kind, std::string_view name) {
    Failure out{422, "Invalid", crds::text_of(error.causes), std::string(name)};
    out.causes = error.causes;
    if (kind) {
        out.message = crds::invalid_object(*kind, name, error.causes).message;
        out.group = kind->group;
        out.kind = kind->kind;
    }
    return out;
}

}  // namespace

std::string status_json(const Failure& failure) {
    std::string out = R"({"kind":"Status","apiVersion":"v1","metadata":{)";
    member(out, "continue", failure.continue_token);
    out += R"(},"status":"Failure","message":)";
    append_quoted(out, failure.message);
    member(out, "reason", failure.reason);
    const std::string details = details_json(failure);
    if (details != "{}" || failure.status == 404) out += ",\"details\":" + details;
    out += fmt::format(",\"code\":{}}}\n", failure.status);
    return as_utf8(out);  // a message may quote what was cut to a length
}

std::string deleted_status_json(const crds::Kind& kind, std::string_view name,
                                std::string_view uid) {
    std::string out =
        R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Success","details":{)";
    member(out, "name", name);
    member(out, "group", kind.group);
    member(out, "kind", kind.plural);
    member(out, "uid", uid);
    return out + "}}\n";
}

Failure failure_of(const Error& error, const crds::Kind* kind, std::string_view name) {
    const std::string& message = error.message;
    switch (error.code) {
        case Code::invalid:
            return error.causes.empty() ? bad_request(message) : invalid(error, kind, name);
        case Code::not_found:
            return kind ? not_found(*kind, name) : Failure{404, "NotFound", message};
        case Code::already_exists:
            if (!kind) return {409, "AlreadyExists", message};
            return about(*kind, name, 409, "AlreadyExists",
                         fmt::format("{} \"{}\" already exists", kind->resource(), name));
        case Code::conflict:
            if (!kind) return {409, "Conflict", message};
            return about(*kind, name, 409, "Conflict",
                         fmt::format("Operation cannot be fulfilled on {} \"{}\": {}",
                                     kind->resource(), name, message));
        case Code::gone:
            return expired(message);
        case Code::unauthenticated:
            return {401, "Unauthorized", "Unauthorized"};
        case Code::forbidden:
            if (!kind) return {403, "Forbidden", message};
            return about(
                *kind, name, 403, "Forbidden",
                fmt::format("{} \"{}\" is forbidden: {}", kind->resource(), name, message));
        case Code::unsupported:
            return {415, "UnsupportedMediaType", message};
        case Code::too_large:
            return {413, "RequestEntityTooLarge", message};
        case Code::timeout: {
            Failure out{504, "Timeout", message};
            out.retry_after = 1;
            return out;
        }
        case Code::unavailable: {
            Failure out{503, "ServiceUnavailable", message};
            out.retry_after = 1;
            return out;
        }
        case Code::exhausted:
        case Code::cancelled:
            return {503, "ServiceUnavailable", message};
        case Code::internal:
            break;
    }
    return {500, "InternalError", "Internal error occurred: " + message};
}

Failure bad_request(std::string message) {
    return {400, "BadRequest", std::move(message)};
}

Failure unknown_path() {
    return {404, "NotFound", "the server could not find the requested resource"};
}

Failure not_found(const crds::Kind& kind, std::string_view name) {
    return about(kind, name, 404, "NotFound",
                 fmt::format("{} \"{}\" not found", kind.resource(), name));
}

Failure method_not_allowed(std::string_view method) {
    return {
        405, "MethodNotAllowed",
        fmt::format("the server does not allow this method on the requested resource: {}", method)};
}

Failure not_acceptable(std::string_view accepted) {
    return {406, "NotAcceptable",
            fmt::format("only the following media types are accepted: {}", accepted)};
}

Failure unsupported_media_type(std::string_view accepted) {
    return {415, "UnsupportedMediaType",
            fmt::format("the body of the request was in an unknown format - accepted media types "
                        "include: {}",
                        accepted)};
}

Failure too_many_requests(std::string message) {
    Failure failure{429, "TooManyRequests", std::move(message)};
    failure.retry_after = 1;
    return failure;
}

Failure modified(const crds::Kind& kind, std::string_view name) {
    return failure_of({Code::conflict,
                       "the object has been modified; please apply your changes to the latest "
                       "version and try again"},
                      &kind, name);
}

Failure expired(std::string message) {
    return {410, "Expired", std::move(message)};
}

}  // namespace atelier::apiserver
