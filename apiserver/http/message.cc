#include "apiserver/http/message.h"

#include <ctime>

#include "base/json.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

struct StatusText {
    int status;
    std::string_view phrase;
    std::string_view reason;  // of a Kubernetes Status
};

constexpr StatusText status_texts[] = {
    {200, "OK", ""},
    {201, "Created", ""},
    {202, "Accepted", ""},
    {204, "No Content", ""},
    {301, "Moved Permanently", ""},
    {302, "Found", ""},
    {304, "Not Modified", ""},
    {307, "Temporary Redirect", ""},
    {400, "Bad Request", "BadRequest"},
    {401, "Unauthorized", "Unauthorized"},
    {403, "Forbidden", "Forbidden"},
    {404, "Not Found", "NotFound"},
    {405, "Method Not Allowed", "MethodNotAllowed"},
    {406, "Not Acceptable", "NotAcceptable"},
    {408, "Request Timeout", "Timeout"},
    {409, "Conflict", "Conflict"},
    {410, "Gone", "Gone"},
    {413, "Content Too Large", "RequestEntityTooLarge"},
    {414, "URI Too Long", "RequestURITooLong"},
    {415, "Unsupported Media Type", "UnsupportedMediaType"},
    {417, "Expectation Failed", "ExpectationFailed"},
    {422, "Unprocessable Content", "Invalid"},
    {429, "Too Many Requests", "TooManyRequests"},
    {431, "Request Header Fields Too Large", "RequestHeaderFieldsTooLarge"},
    {500, "Internal Server Error", "InternalError"},
    {501, "Not Implemented", "NotImplemented"},
    {503, "Service Unavailable", "ServiceUnavailable"},
    {504, "Gateway Timeout", "Timeout"},
    {505, "HTTP Version Not Supported", "HTTPVersionNotSupported"},
    {507, "Insufficient Storage", "InsufficientStorage"},
};

const StatusText* find_status(int status) {
    for (const StatusText& text : status_texts) {
        if (text.status == status) return &text;
    }
    return nullptr;
}

bool equal_ignoring_case(std::string_view name, std::string_view lower_case) {
    return name.size() == lower_case.size() && lower(name) == lower_case;
}

bool is_framing(std::string_view name) {
    return equal_ignoring_case(name, "content-length") ||
           equal_ignoring_case(name, "transfer-encoding") ||
           equal_ignoring_case(name, "connection");
}

void append_clean(std::string& out, std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += (byte < 0x20 && c != '\t') || byte == 0x7f ? ' ' : c;
    }
}

}  // namespace

std::string_view reason_phrase(int status) {
    const StatusText* text = find_status(status);
    return text ? text->phrase : "Status";
}

std::string http_date(Instant at) {
    const std::time_t seconds =
        std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[64];
    const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text, size};
}

std::string head_text(int status, const Headers& headers, const HeadOptions& options) {
    std::string out;
    out.reserve(256);
    out += options.http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ";
    out += std::to_string(status);
    out += ' ';
    out += reason_phrase(status);
    out += "\r\n";
    for (const auto& [name, value] : headers) {
        if (is_framing(name)) continue;
        append_clean(out, name);
        out += ": ";
        append_clean(out, value);
        out += "\r\n";
    }
    if (options.content_length) {
        out += "Content-Length: ";
        out += std::to_string(*options.content_length);
        out += "\r\n";
    }
    if (options.chunked) out += "Transfer-Encoding: chunked\r\n";
    if (!options.keep_alive) {
        out += "Connection: close\r\n";
    } else if (options.http_1_0) {
        out += "Connection: keep-alive\r\n";
    }
    out += options.date;
    out += "\r\n";
    return out;
}

std::string status_json(int status, std::string_view message) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    const StatusText* text = find_status(status);
    json::set(out, "kind", "Status", allocator);
    json::set(out, "apiVersion", "v1", allocator);
    json::set(out, "metadata", json::Value(rapidjson::kObjectType), allocator);
    json::set(out, "status", "Failure", allocator);
    json::set(out, "message", message, allocator);
    json::set(out, "reason", text ? text->reason : "InternalError", allocator);
    json::set(out, "code", json::Value(status), allocator);
    return json::text(out);
}

Frame error_body(int status, std::string_view message) {
    return std::make_shared<const std::string>(status_json(status, message));
}

}  // namespace atelier::apiserver
