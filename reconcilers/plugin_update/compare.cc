#include "reconcilers/plugin_update/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "reconcilers/common/classify.h"
#include "reconcilers/plugin/content.h"

namespace atelier::reconcilers::plugin_update {
namespace {

constexpr std::size_t most_files = 100;

// "skill:review", "hook:pre-commit.sh", …: what one should know before approving.
std::set<std::string> named(const crds::PluginCapabilities& capabilities) {
    std::set<std::string> out;
    const auto add = [&](std::string_view what, const std::vector<std::string>& names) {
        for (const std::string& name : names) out.insert(fmt::format("{}:{}", what, name));
    };
    add("skill", capabilities.skills);
    add("rule", capabilities.rules);
    add("hook", capabilities.hooks);
    add("command", capabilities.commands);
    add("executable", capabilities.executables);
    add("runtime", capabilities.runtimes);
    return out;
}

std::vector<std::string> missing_in(const std::set<std::string>& all,
                                    const std::set<std::string>& other) {
    std::vector<std::string> out;
    std::set_difference(all.begin(), all.end(), other.begin(), other.end(),
                        std::back_inserter(out));
    return out;
}

}  // namespace

Comparison compare(const drivers::Tree& from, const drivers::Tree& to) {
    Comparison out;
    const drivers::Manifest before = drivers::manifest_of(from);
    const drivers::Manifest after = drivers::manifest_of(to);
    out.change = classify(before, after);
    for (const FileChange& change : changes(before, after)) {
        if (out.changed_files.size() < most_files) out.changed_files.push_back(change.text());
    }
    const auto could = named(inspect(from).capabilities);
    const auto can = named(inspect(to).capabilities);
    out.capabilities.added = missing_in(can, could);
    out.capabilities.removed = missing_in(could, can);
    return out;
}

}  // namespace atelier::reconcilers::plugin_update
