#include "templates/prompt.h"

#include <fmt/format.h>

#include "base/text.h"
#include "templates/env.h"

namespace atelier::templates {
namespace {

std::string tidied(std::string_view text) {
    std::string out;
    for (const std::string& line : split(text, '\n')) {
        std::string_view kept = line;
        while (!kept.empty() &&
               (kept.back() == ' ' || kept.back() == '\t' || kept.back() == '\r')) {
            kept.remove_suffix(1);
        }
        out += kept;
        out += '\n';
    }
    while (out.ends_with('\n')) out.pop_back();
    return out;
}

std::string_view reason_of_missing(const Error& error) {
    switch (error.code) {
        case Code::not_found:
            return "PromptMissing";
        case Code::forbidden:
            return "PromptEscape";
        case Code::too_large:
            return "FileTooLarge";
        case Code::unsupported:
            return "InlineTemplate";
        default:
            return "FileUnreadable";
    }
}

}  // namespace

std::string read_prompt(Mapping& at, const std::string& name, const std::string& folder) {
    Loader& loader = at.loader();
    const std::string file_field = name + "_file";
    std::string text = at.text(name);
    const std::string file = at.text(file_field);
    Place place = at.place_of(name);
    if (text.empty() && !file.empty()) {
        place = at.place_of(file_field);
        const auto path = resolve_path(folder, file);
        auto bytes =
            path ? read_visible(*at.mount().files, *path) : Result<std::string>(path.error());
        if (!bytes) {
            loader.findings().error(
                place, reason_of_missing(bytes.error()),
                fmt::format("{} {}: {}", file_field, file, bytes.error().message));
            return {};
        }
        text = without_byte_order_mark(*bytes);
        if (!is_valid_utf8(text) || text.find('\0') != std::string::npos) {
            loader.findings().error(place, "InvalidField",
                                    fmt::format("{} {} is not UTF-8 text", file_field, file));
            return {};
        }
    }
    if (static_cast<std::int64_t>(text.size()) > loader.limits().prompt_bytes) {
        loader.findings().error(
            place, "PromptTooLarge",
            fmt::format("{} has more than {} bytes", name, loader.limits().prompt_bytes));
        return {};
    }
    return tidied(text);
}

}  // namespace atelier::templates
