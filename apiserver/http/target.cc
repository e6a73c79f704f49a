#include "apiserver/http/target.h"

#include <algorithm>

#include "base/text.h"

namespace atelier::apiserver {
namespace {

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

Result<std::string> decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            const int high = i + 1 < text.size() ? digit_of(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? digit_of(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return Error{
                    Code::invalid,
                    "the request target has a '%' that two hexadecimal digits do not follow"};
            }
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    if (out.find('\0') != std::string::npos) {
        return Error{Code::invalid, "the request target has a NUL character"};
    }
    if (!is_valid_utf8(out)) {
        return Error{Code::invalid, "the request target is not UTF-8"};
    }
    return out;
}

Result<void> parse_path(std::string_view path, Request& request) {
    if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    request.path = path;
    if (path == "/") return {};
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('/', at + 1), path.size());
        std::string segment = TRY(decode(path.substr(at + 1, end - at - 1), false));
        if (segment.empty()) return Error{Code::invalid, "the request path has an empty segment"};
        if (segment == "." || segment == "..") {
            return Error{Code::invalid, "the request path has the segment \"" + segment + "\""};
        }
        if (segment.find('/') != std::string::npos) {
            return Error{Code::invalid, "the request path has an encoded '/'"};
        }
        request.segments.push_back(std::move(segment));
        at = end;
    }
    return {};
}

}  // namespace

Result<FormFields> parse_form(std::string_view text) {
    FormFields fields;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('&'), text.size());
        const std::string_view pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        std::string name = TRY(decode(pair.substr(0, equals), true));
        std::string value = TRY(decode(pair.substr(std::min(equals + 1, pair.size())), true));
        fields.emplace_back(std::move(name), std::move(value));
    }
    return fields;
}

Result<void> parse_target(std::string_view target, Request& request) {
    request.target = target;
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (lower(target.substr(0, scheme.size())) == scheme) {
            const std::size_t slash = target.find_first_of("/?", scheme.size());
            target = slash == target.npos ? std::string_view("/") : target.substr(slash);
            break;
        }
    }
    const std::size_t mark = std::min(target.find('?'), target.size());
    const std::string_view path = mark == 0 ? std::string_view("/") : target.substr(0, mark);
    if (path.empty() || path[0] != '/') {
        return Error{Code::invalid, "the request target must begin with '/'"};
    }
    TRY(parse_path(path, request));
    request.query = TRY(parse_form(target.substr(std::min(mark + 1, target.size()))));
    return {};
}

}  // namespace atelier::apiserver
