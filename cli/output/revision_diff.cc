#include "cli/output/revision_diff.h"

#include <vector>

#include "base/text.h"
#include "cli/output/text_table.h"
#include "crds/template_revision.h"

namespace atelier::cli {
namespace {

constexpr std::size_t longest_value = 60;

bool is_list(const json::Value* value) {
    return value && value->IsArray() && !value->Empty();
}

// The value of a field as JSON, cut to the length that a line holds.
std::string shown(const json::Value* value) {
    if (!value) return "(none)";
    std::string text = printable(json::text(*value));
    if (text.size() <= longest_value) return text;
    std::size_t end = longest_value;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end) + "…";
}

std::string or_root(const std::string& parent) {
    return parent.empty() ? "(root)" : printable(parent);
}

void add_fields(std::string& out, const json::Value& of) {
    const json::Value* const fields = json::find(of, {"fields"});
    if (!is_list(fields)) return;
    for (const auto& field : fields->GetArray()) {
        out += "    " + printable(json::string_at(field, {"name"})) + ": " +
               shown(json::find(field, {"before"})) + " -> " + shown(json::find(field, {"after"})) +
               "\n";
    }
}

void add_files(std::string& out, const json::Value& of) {
    const json::Value* const files = json::find(of, {"files"});
    if (!is_list(files)) return;
    for (const auto& file : files->GetArray()) {
        const std::string before = json::string_at(file, {"before"});
        const std::string after = json::string_at(file, {"after"});
        const char* const sign = before.empty() ? "+" : after.empty() ? "-" : "~";
        out += "    file " + std::string(sign) +
               printable(json::string_at(file, {"path"}) + "  " + before +
                         (before.empty() || after.empty() ? "" : " -> ") + after) +
               "\n";
    }
}

void add_env(std::string& out, const json::Value& of) {
    const json::Value* const env = json::find(of, {"env"});
    if (!env) return;
    std::vector<std::string> names;
    for (const auto& [list, sign] :
         {std::pair("added", "+"), std::pair("removed", "-"), std::pair("changed", "~")}) {
        const json::Value* const all = json::find(*env, {list});
        if (!is_list(all)) continue;
        for (const auto& name : all->GetArray()) {
            names.push_back(sign + printable(json::view(name)));
        }
    }
    if (!names.empty()) out += "    env " + join(names, " ") + "\n";
}

void add_workspace(std::string& out, const json::Value& workspace) {
    const std::string change = json::string_at(workspace, {"change"});
    const std::string key = printable(json::string_at(workspace, {"key"}));
    const json::Value* const parent = json::find(workspace, {"parent"});
    const std::string under = parent ? json::string_at(*parent, {"after"}) : "";
    if (change == "Added") {
        out += "+ " + key + (parent ? "  under " + printable(under) : "") + "\n";
    } else if (change == "Removed") {
        out += "- " + key + "\n";
    } else if (change == "NotSpawned") {
        out += "- " + key + "  no longer spawned; a workspace that runs stays\n";
    } else {
        out += "~ " + key + "\n";
        if (parent) {
            out += "    moved: " + or_root(json::string_at(*parent, {"before"})) + " -> " +
                   or_root(under) + "\n";
        }
    }
    add_fields(out, workspace);
    add_files(out, workspace);
    add_env(out, workspace);
}

std::string title_of(const json::Value& diff, std::string_view side) {
    std::string out = crds::short_revision(json::string_at(diff, {side, "revision"}));
    const std::string subject = json::string_at(diff, {side, "subject"});
    const std::string author = json::string_at(diff, {side, "author"});
    if (!subject.empty()) out += " \"" + subject + "\"";
    if (!author.empty()) out += " by " + author;
    return printable(out);
}

}  // namespace

bool has_changes(const json::Value& diff) {
    return is_list(json::find(diff, {"workspaces"})) || is_list(json::find(diff, {"fields"})) ||
           json::find(diff, {"env"});
}

std::string diff_text(const json::Value& diff) {
    std::string out = "since " + title_of(diff, "since") + "\nto    " + title_of(diff, "to") + "\n";
    if (!has_changes(diff)) return out + "no workspace differs\n";
    if (json::find(diff, {"env"}) || is_list(json::find(diff, {"fields"}))) {
        out += "~ (the org)\n";
        add_fields(out, diff);
        add_env(out, diff);
    }
    if (const json::Value* const workspaces = json::find(diff, {"workspaces"});
        is_list(workspaces)) {
        for (const auto& workspace : workspaces->GetArray()) add_workspace(out, workspace);
    }
    return out;
}

}  // namespace atelier::cli
