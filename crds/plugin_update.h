// PluginUpdate: one update of one plugin from one digest to another, and who decided what about it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crds/meta.h"
#include "crds/plugin.h"

namespace atelier::crds {

enum class Decision { none, approve, dismiss };
constexpr std::array<std::pair<Decision, std::string_view>, 3> names_of(Decision) {
    return {{{Decision::none, ""}, {Decision::approve, "Approve"}, {Decision::dismiss, "Dismiss"}}};
}

struct PluginUpdateSpec {
    static constexpr std::string_view kind = "PluginUpdate";
    static constexpr std::string_view resource = "pluginupdates.atelier.dev";
    std::string plugin;
    PluginVersion from;  // immutable
    PluginVersion to;    // immutable: approval binds to this digest
    std::string alarm;   // TagMoved: not a routine update
    // Set once, by `atelier approve` or a patch; never taken back.
    Decision decision = Decision::none;
    std::string decided_by;
    std::string reason;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("plugin", self.plugin);
        v("from", self.from);
        v("to", self.to);
        v("alarm", self.alarm);
        v("decision", self.decision);
        v("decidedBy", self.decided_by);
        v("reason", self.reason);
    }
};

enum class UpdatePhase { pending, approved, rolling_out, applied, dismissed, failed, superseded };
constexpr std::array<std::pair<UpdatePhase, std::string_view>, 7> names_of(UpdatePhase) {
    return {{{UpdatePhase::pending, "Pending"},
             {UpdatePhase::approved, "Approved"},
             {UpdatePhase::rolling_out, "RollingOut"},
             {UpdatePhase::applied, "Applied"},
             {UpdatePhase::dismissed, "Dismissed"},
             {UpdatePhase::failed, "Failed"},
             {UpdatePhase::superseded, "Superseded"}}};
}

struct CapabilityDiff {
    std::vector<std::string> added;  // "hook:pre-commit.sh", "skill:review", …
    std::vector<std::string> removed;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("added", self.added);
        v("removed", self.removed);
    }
};

struct PluginUpdateStatus : StatusBase {
    UpdatePhase phase = UpdatePhase::pending;
    std::int64_t total = 0;    // installs that this update concerns
    std::int64_t updated = 0;  // of them, delivered at `to` and their workspace ready
    std::string progress;      // "3/7", for the table
    std::string change_class;  // Hot or Cold, from comparing the two trees
    CapabilityDiff capabilities;
    std::vector<std::string> changed_files;  // the first 100: "M skills/x/SKILL.md"
    std::optional<Instant> first_seen;
    std::optional<Instant> decided_at;
    std::optional<Instant> completed_at;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        StatusBase::base_fields(self, v);
        v("phase", self.phase);
        v("total", self.total);
        v("updated", self.updated);
        v("progress", self.progress);
        v("changeClass", self.change_class);
        v("capabilities", self.capabilities);
        v("changedFiles", self.changed_files);
        v("firstSeen", self.first_seen);
        v("decidedAt", self.decided_at);
        v("completedAt", self.completed_at);
    }
};

using PluginUpdate = Typed<PluginUpdateSpec, PluginUpdateStatus>;

}  // namespace atelier::crds
