#include "reconcilers/org_template/history.h"

#include <algorithm>

#include "crds/template_revision.h"

namespace atelier::reconcilers {

std::vector<crds::TemplateRevision> next_history(const std::vector<crds::TemplateRevision>& before,
                                                 const crds::TemplateRevision& compiled,
                                                 bool same_as_newest, const HistoryRule& rule) {
    std::vector<crds::TemplateRevision> all = before;
    if (!same_as_newest || all.empty()) {
        const auto known = std::find_if(all.begin(), all.end(), [&](const auto& entry) {
            return entry.revision == compiled.revision &&
                   entry.artifact_digest == compiled.artifact_digest;
        });
        if (known == all.end()) {
            all.insert(all.begin(), compiled);
        } else {
            std::rotate(all.begin(), known, known + 1);
        }
    }
    std::vector<crds::TemplateRevision> kept;
    const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(rule.limit, 1));
    for (crds::TemplateRevision& entry : all) {
        const bool pinned =
            std::any_of(rule.pins.begin(), rule.pins.end(),
                        [&](const std::string& pin) { return crds::is_named(entry, pin); });
        if (kept.size() < limit || pinned) kept.push_back(std::move(entry));
    }
    return kept;
}

}  // namespace atelier::reconcilers
