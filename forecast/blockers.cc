#include "forecast/blockers.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "crds/conditions.h"
#include "crds/org_conditions.h"

namespace atelier::forecast {
namespace {

using crds::Condition;
using crds::ConditionStatus;

void add(std::vector<Blocker>& blockers, const std::string& about, const Condition& condition,
         std::string command, bool blocks) {
    const bool same = std::any_of(blockers.begin(), blockers.end(), [&](const Blocker& other) {
        return other.about == about && other.message == condition.message;
    });
    if (same) return;
    blockers.push_back({about, condition.reason, condition.message, std::move(command), blocks});
}

}  // namespace

void add_blockers(const crds::OrgTemplate& source, bool needed, std::vector<Blocker>& blockers) {
    const std::string about = "OrgTemplate " + source.meta.name;
    if (source.spec.suspend) {
        blockers.push_back({about, std::string(crds::reason::suspended),
                            "spec.suspend is true: its source is not read, and what was "
                            "compiled last stays",
                            "atelier resume orgtemplate " + source.meta.name, false});
        return;
    }
    const Condition* ready = source.status.find(crds::condition::ready);
    if (ready && ready->status == ConditionStatus::no) add(blockers, about, *ready, "", needed);
    for (const crds::TemplateWarning& warning : source.status.warnings) {
        const std::string place = warning.file.empty()
                                      ? std::string()
                                      : fmt::format("{}:{}: ", warning.file, warning.line);
        blockers.push_back({about, warning.reason, place + warning.message, "", false});
    }
}

void add_blockers(const crds::Org& org, std::vector<Blocker>& blockers) {
    const std::string about = "Org " + org.meta.name;
    if (const Condition* prune = org.status.find(crds::org::condition::prune_blocked);
        prune && prune->status == ConditionStatus::yes) {
        std::string command;
        if (!org.status.pending_prune_digest.empty()) {
            command = fmt::format("kubectl annotate org {} {}={} --overwrite", org.meta.name,
                                  crds::annotation::confirm_prune, org.status.pending_prune_digest);
        }
        add(blockers, about, *prune, std::move(command), true);
    }
    if (const Condition* conflict = org.status.find(crds::org::condition::name_conflict);
        conflict && conflict->status == ConditionStatus::yes) {
        add(blockers, about, *conflict, "", true);
    }
    const Condition* stalled = org.status.find(crds::condition::stalled);
    if (stalled && stalled->status == ConditionStatus::yes &&
        stalled->reason != crds::org::reason::name_conflict) {
        add(blockers, about, *stalled, "", true);
    }
    const Condition* env = org.status.find(crds::org::condition::env_satisfied);
    if (env && env->status == ConditionStatus::no) add(blockers, about, *env, "", false);
    for (const std::string_view type :
         {crds::org::condition::persona_missing, crds::org::condition::channels_skipped}) {
        const Condition* finding = org.status.find(type);
        if (finding && finding->status == ConditionStatus::yes)
            add(blockers, about, *finding, "", false);
    }
    const Condition* inventory = org.status.find(crds::org::condition::inventory_ready);
    if (inventory && inventory->status == ConditionStatus::unknown) {
        add(blockers, about, *inventory, "", true);
    }
}

}  // namespace atelier::forecast
