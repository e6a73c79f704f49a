#include "cli/output/plan_text.h"

#include "base/text.h"
#include "cli/output/text_table.h"

namespace atelier::cli {
namespace {

struct Word {
    std::string_view action;
    std::string_view glyph;
    std::string_view plain;
    std::string_view word;
};
constexpr Word words[] = {{"create", "+", "+", "create"},
                          {"configure", "~", "~", "configure"},
                          {"update", "~", "~", "update in place"},
                          {"reparent", "→", ">", "re-parent"},
                          {"hotReload", "~", "~", "hot reload"},
                          {"start", "▸", "^", "start"},
                          {"restart", "↻", "*", "restart"},
                          {"recreate", "±", "#", "recreate"},
                          {"stop", "■", "!", "stop"},
                          {"delete", "-", "-", "delete"}};

void add_blockers(const ForecastStatus& plan, bool blocks, std::string_view title,
                  std::string& out) {
    bool any = false;
    for (const ForecastBlocker& blocker : plan.blockers) {
        if (blocker.blocks != blocks) continue;
        if (!any) out += "\n" + std::string(title) + ":\n";
        any = true;
        out += "  " + printable(blocker.about) + ": " + printable(blocker.reason) + ": " +
               printable(blocker.message) + "\n";
        if (!blocker.command.empty()) out += "    " + printable(blocker.command) + "\n";
    }
}

}  // namespace

std::string glyph_and_word(const std::string& action, bool unicode) {
    for (const Word& word : words) {
        if (word.action == action) {
            return std::string(unicode ? word.glyph : word.plain) + " " + std::string(word.word);
        }
    }
    return "  " + action;  // of a newer server
}

std::string time_text(const ForecastStatus& plan) {
    return plan.expires_at ? rfc3339(*plan.expires_at) : std::string();
}

std::vector<std::string> details_of(const ForecastItem& item) {
    std::vector<std::string> lines;
    if (!item.old_parent.empty()) {
        lines.push_back("parent " + item.old_parent + " -> " +
                        (item.parent.empty() ? "(root)" : item.parent));
    }
    if (!item.kept.empty()) lines.push_back(item.kept);
    lines.insert(lines.end(), item.reasons.begin(), item.reasons.end());
    if (item.held) lines.emplace_back("held: see what blocks it");
    return lines;
}

std::string plan_text(const ForecastStatus& plan, const std::string& ns, bool unicode) {
    std::string out;
    TextTable table({"ACTION", "OBJECT", "WHY"});
    if (plan.unchanged > 0) {
        table.add(
            {"= nothing",
             std::to_string(plan.unchanged) + (plan.unchanged == 1 ? " workspace" : " workspaces"),
             ""});
    }
    for (const ForecastItem& item : plan.items) {
        const auto details = details_of(item);
        table.add({glyph_and_word(item.action, unicode),
                   printable(lower(item.kind) + "/" + item.name),
                   details.empty() ? "" : printable(details[0])});
        for (std::size_t i = 1; i < details.size(); ++i) {
            table.add({"", "", printable(details[i])});
        }
    }
    if (!table.empty()) out += table.take_text(true);
    add_blockers(plan, true, "Blocked", out);
    add_blockers(plan, false, "To know", out);
    if (plan.items.empty()) {
        return out + (out.empty() ? "" : "\n") + "Nothing would change.\n";
    }
    out += "\n" + printable(plan.summary) + "\n";
    if (plan.token.empty()) return out;
    out += "To have exactly this happen, until " + time_text(plan) + ":\n  atelier apply";
    if (ns != "default") out += " -n " + printable(ns);
    return out + " --plan " + printable(plan.token) + "\n";
}

}  // namespace atelier::cli
