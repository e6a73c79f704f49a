#include "crds/causes.h"

#include <fmt/format.h>

#include <charconv>

namespace atelier::crds {
namespace {

constexpr std::string_view counted = "and ";
constexpr std::string_view uncounted = "and more";
constexpr std::size_t most_paths = 100;

std::size_t count_in(const Cause& last) {
    std::size_t count = 0;
    const std::string& text = last.message;
    std::from_chars(text.data() + counted.size(), text.data() + text.size(), count);
    return count;
}

}  // namespace

void add_cause(std::vector<Cause>& causes, Cause cause) {
    if (causes.size() < most_causes) {
        causes.push_back(std::move(cause));
        return;
    }
    if (causes.size() == most_causes) causes.push_back({"", "FieldValueInvalid", "and 0"});
    Cause& last = causes.back();
    if (last.message == uncounted) return;
    last.message = fmt::format("{}{} more", counted, count_in(last) + 1);
}

void add_more(std::vector<Cause>& causes) {
    if (causes.size() == most_causes) {
        causes.push_back({"", "FieldValueInvalid", std::string(uncounted)});
    }
}

void add_unknown(std::vector<std::string>& paths, std::string_view path) {
    paths.emplace_back(paths.size() < most_paths ? path : "…");
}

std::string qualified_kind(const Kind& kind) {
    return kind.group.empty() ? kind.kind : kind.kind + "." + kind.group;
}

std::string text_of(const std::vector<Cause>& causes) {
    std::string out;
    for (const Cause& cause : causes) {
        out += out.empty() ? "" : ", ";
        out += cause.field.empty() ? cause.message : cause.field + ": " + cause.message;
    }
    return causes.size() > 1 ? "[" + out + "]" : out;
}

Error invalid_object(const Kind& kind, std::string_view name, std::vector<Cause> causes) {
    return {Code::invalid,
            fmt::format("{} \"{}\" is invalid: {}", qualified_kind(kind), name, text_of(causes)),
            {},
            std::move(causes)};
}

}  // namespace atelier::crds
