#include "reconcilers/common/classify.h"

#include <algorithm>

namespace atelier::reconcilers {
namespace {

constexpr std::string_view marker = ".complete";

std::string_view base_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

}  // namespace

std::vector<FileChange> changes(const drivers::Manifest& live, const drivers::Manifest& next) {
    std::vector<FileChange> out;
    auto a = live.begin();
    auto b = next.begin();
    while (a != live.end() || b != next.end()) {
        if (b == next.end() || (a != live.end() && a->path < b->path)) {
            out.push_back({'D', a->path});
            ++a;
        } else if (a == live.end() || b->path < a->path) {
            out.push_back({'A', b->path});
            ++b;
        } else {
            const bool mode = a->executable != b->executable;
            if (mode || a->sha256 != b->sha256) out.push_back({'M', b->path, mode});
            ++a, ++b;
        }
    }
    std::erase_if(out, [](const FileChange& change) { return change.path == marker; });
    return out;
}

crds::ChangeClass classify(const drivers::Manifest& live, const drivers::Manifest& next) {
    if (live.empty()) return crds::ChangeClass::cold;
    const auto changed = changes(live, next);
    if (changed.empty()) return crds::ChangeClass::none;
    const bool hot = std::all_of(changed.begin(), changed.end(), [](const FileChange& change) {
        return change.kind == 'M' && !change.mode && base_name(change.path) == "SKILL.md";
    });
    return hot ? crds::ChangeClass::hot : crds::ChangeClass::cold;
}

}  // namespace atelier::reconcilers
