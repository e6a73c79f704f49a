#include "crds/template_revision.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace atelier::crds {
namespace {

constexpr std::size_t most_told = 10;
constexpr std::size_t shown_digits = 12;
constexpr std::size_t longest_person = 100;

bool is_beginning(std::string_view whole, std::string_view text, std::size_t shortest) {
    return !whole.empty() &&
           (whole == text || (text.size() >= shortest && whole.starts_with(text)));
}

std::string what_there_is(const std::vector<TemplateRevision>& history) {
    if (history.empty()) return "it has none yet";
    std::vector<std::string> names;
    for (const TemplateRevision& entry : history) {
        if (names.size() == most_told) break;
        names.push_back(short_revision(entry.revision));
    }
    std::string text = "it has " + join(names, ", ");
    if (history.size() > most_told) text += fmt::format(" and {} more", history.size() - most_told);
    return text;
}

}  // namespace

bool is_named(const TemplateRevision& revision, std::string_view text) {
    if (is_beginning(revision.revision, text, shortest_revision)) return true;
    constexpr std::string_view prefix = "sha256:";
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
    return is_beginning(revision.artifact_digest, text, shortest_digest);
}

Result<TemplateRevision> find_revision(const std::vector<TemplateRevision>& history,
                                       std::string_view text, std::string_view running) {
    std::vector<const TemplateRevision*> named;
    for (const TemplateRevision& entry : history) {
        if (is_named(entry, text)) named.push_back(&entry);
    }
    if (named.empty()) {
        return Error{Code::not_found, fmt::format("the template has no revision \"{}\": {}", text,
                                                  what_there_is(history))};
    }
    const auto all_same = [&](std::string TemplateRevision::*field) {
        return std::all_of(named.begin(), named.end(), [&](const TemplateRevision* entry) {
            return entry->*field == named.front()->*field;
        });
    };
    if (!all_same(&TemplateRevision::revision) && !all_same(&TemplateRevision::artifact_digest)) {
        return Error{Code::not_found,
                     fmt::format("\"{}\" is the beginning of several revisions of the template, "
                                 "write more of it: {}",
                                 text, what_there_is(history))};
    }
    const auto same = std::find_if(named.begin(), named.end(), [&](const TemplateRevision* entry) {
        return !running.empty() && entry->artifact_digest == running;
    });
    return same == named.end() ? *named.front() : **same;
}

std::string short_revision(std::string_view revision) {
    const bool digits = revision.size() > shown_digits &&
                        revision.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    return std::string(digits ? revision.substr(0, shown_digits) : revision);
}

std::string person_of_revision(const Org& org) {
    const std::string text = org.meta.annotation(annotation::revision_by);
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.substr(0, space) != org.spec.revision) return "api";
    const std::string person = text.substr(space + 1);
    const bool plain = std::all_of(person.begin(), person.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    });
    const bool good = plain && !person.empty() && person.size() <= longest_person;
    return good ? person : "api";
}

std::string revision_by_text(std::string_view revision, std::string_view person) {
    return fmt::format("{} {}", revision, person);
}

}  // namespace atelier::crds
