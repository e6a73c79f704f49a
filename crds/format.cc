#include "crds/format.h"

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "base/digest.h"

namespace atelier::crds {
namespace {

bool is_uri(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (!letter(text.front())) return false;
    const std::string_view scheme = text.substr(0, colon);
    return std::all_of(scheme.begin(), scheme.end(),
                       [&](char c) {
                           return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
                                  c == '.';
                       }) &&
           std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const char c = text[i];
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !hex) return false;
    }
    return true;
}

bool is_base64(std::string_view text) {
    std::string bytes;
    return base64_decode(text, bytes);
}

bool text_has_format(std::string_view text, std::string_view format) {
    if (format == "date-time") return bool(parse_rfc3339(text));
    if (format == "duration") return bool(parse_duration(text));
    if (format == "byte") return is_base64(text);
    if (format == "uri") return is_uri(text);
    if (format == "uuid") return is_uuid(text);
    if (format == "date") {
        return text.size() == 10 && bool(parse_rfc3339(std::string(text) + "T00:00:00Z"));
    }
    return true;
}

}  // namespace

bool has_format(const json::Value& value, std::string_view format) {
    if (value.IsString()) return text_has_format(json::view(value), format);
    if (format == "int32" && value.IsNumber()) {
        return value.GetDouble() >= std::numeric_limits<std::int32_t>::min() &&
               value.GetDouble() <= std::numeric_limits<std::int32_t>::max();
    }
    if (format == "int64" && value.IsNumber()) return !value.IsUint64() || value.IsInt64();
    return true;
}

}  // namespace atelier::crds
