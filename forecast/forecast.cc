#include "forecast/forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/text.h"

namespace atelier::forecast {

std::string line_of(const Item& item) {
    std::string line = fmt::format("{} {}: {}", item.kind, item.name, json::name_of(item.action));
    if (item.held) line += " (held)";
    if (!item.old_parent.empty()) {
        line += fmt::format("; parent {} -> {}", item.old_parent,
                            item.parent.empty() ? "(root)" : item.parent);
    }
    if (!item.kept.empty()) line += "; " + item.kept;
    if (!item.reasons.empty()) line += "; " + join(item.reasons, "; ");
    return line;
}

std::vector<std::string> lines_of(const Forecast& forecast) {
    std::vector<std::string> lines;
    for (const Item& item : forecast.items) lines.push_back(line_of(item));
    for (const Blocker& blocker : forecast.blockers) {
        if (blocker.passing) continue;
        lines.push_back(fmt::format("{} {}: {}: {}", blocker.blocks ? "blocked" : "note",
                                    blocker.about, blocker.reason, blocker.message));
    }
    for (const OrgTarget& org : forecast.orgs) {
        lines.push_back(fmt::format("Org {} follows {} of OrgTemplate {}", org.org,
                                    org.artifact_digest.substr(0, 12), org.template_name));
    }
    return lines;
}

std::vector<std::string> changed_lines(const std::vector<std::string>& before,
                                       const std::vector<std::string>& after, std::size_t most) {
    const std::set<std::string> was(before.begin(), before.end());
    const std::set<std::string> is(after.begin(), after.end());
    std::vector<std::string> out;
    for (const std::string& line : before) {
        if (!is.contains(line)) out.push_back("- " + line);
    }
    for (const std::string& line : after) {
        if (!was.contains(line)) out.push_back("+ " + line);
    }
    if (out.size() > most) {
        const std::size_t more = out.size() - most;
        out.resize(most);
        out.push_back(fmt::format("and {} more", more));
    }
    return out;
}

std::string short_duration(Duration duration) {
    const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
    if (seconds % 86400 == 0) return fmt::format("{}d", seconds / 86400);
    if (seconds % 3600 == 0) return fmt::format("{}h", seconds / 3600);
    if (seconds % 60 == 0) return fmt::format("{}m", seconds / 60);
    return fmt::format("{}s", seconds);
}

}  // namespace atelier::forecast
