#include "reconcilers/org_template/source_warnings.h"

#include <fmt/format.h>

#include <algorithm>

namespace atelier::reconcilers {
namespace {

constexpr std::size_t most_named = 10;

void add(const std::vector<std::string>& paths, std::string_view reason, std::string_view message,
         std::vector<templates::Finding>& warnings) {
    for (std::size_t i = 0; i < std::min(paths.size(), most_named); ++i) {
        warnings.push_back({std::string(reason), paths[i], 0, 0, std::string(message)});
    }
    if (paths.size() <= most_named) return;
    warnings.push_back(
        {std::string(reason), "", 0, 0,
         fmt::format("the same is true of {} more paths", paths.size() - most_named)});
}

}  // namespace

std::vector<templates::Finding> warnings_of_ref(const std::vector<drivers::GitRef>& refs,
                                                std::string_view ref) {
    const std::string message = drivers::ambiguity_of(refs, ref);
    if (message.empty()) return {};
    return {{"AmbiguousRef", "", 0, 0, message}};
}

std::vector<templates::Finding> warnings_of_gaps(const drivers::GitGaps& gaps) {
    std::vector<templates::Finding> warnings;
    add(gaps.submodules, "SubmoduleLeftOut",
        "it is a git submodule, which is not fetched: none of its files is delivered", warnings);
    add(gaps.lfs_pointers, "LfsPointer",
        "it is a pointer of Git LFS, and the file itself is not fetched: the pointer is delivered "
        "in "
        "its place",
        warnings);
    return warnings;
}

}  // namespace atelier::reconcilers
