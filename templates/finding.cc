#include "templates/finding.h"

#include <fmt/format.h>

namespace atelier::templates {

std::string text_of(const Finding& finding) {
    if (finding.file.empty()) return finding.message;  // the parser's, which name the place
    std::string place = finding.file;
    if (finding.line > 0) place += fmt::format(":{}:{}", finding.line, finding.column);
    return place + ": " + finding.message;
}

std::string Place::text() const {
    if (position.line == 0) return file;
    return fmt::format("{}:{}:{}", file, position.line, position.column);
}

void Findings::error(const Place& place, std::string_view reason, std::string message) {
    if (full()) return;
    errors_.push_back({std::string(reason), place.file, place.position.line, place.position.column,
                       std::move(message)});
}

void Findings::warn(const Place& place, std::string_view reason, std::string message) {
    if (warnings_.size() >= most_warnings) return;
    warnings_.push_back({std::string(reason), place.file, place.position.line,
                         place.position.column, std::move(message)});
}

}  // namespace atelier::templates
