// What follows from a PluginUpdate, its Plugin and the installs of that plugin. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crds/plugin.h"
#include "crds/plugin_update.h"
#include "reconcilers/common/events.h"
#include "reconcilers/plugin_update/compare.h"
#include "reconcilers/plugin_update/rollout.h"

namespace atelier::reconcilers::plugin_update {

struct Observed {
    std::optional<crds::Plugin> plugin;
    std::vector<Member> members;  // of that plugin, by name of the install
    std::map<std::string, crds::UpdateTierSpec> tiers;
    std::optional<Comparison> comparison;  // absent: status has it, or a tree is missing
};

struct Plan {
    std::vector<std::string> moves;  // installs whose spec.version becomes spec.to
    crds::PluginUpdateStatus status;
    std::vector<ObjectEvent> events;  // recorded once the status is written
    std::optional<Instant> wake_at;   // a restarted workspace has been Ready for long enough then
};

Plan plan(const crds::PluginUpdate& update, const Observed& observed, Instant now);

}  // namespace atelier::reconcilers::plugin_update
