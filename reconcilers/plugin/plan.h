// What follows from a Plugin, from one look at its upstream (if one was due) and from the
// PluginUpdates that exist. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crds/core.h"
#include "crds/plugin.h"
#include "crds/plugin_update.h"
#include "reconcilers/plugin/content.h"

namespace atelier::reconcilers::plugin {

// Conditions of this kind's own.
namespace condition {
inline constexpr std::string_view source_ready = "SourceReady";
inline constexpr std::string_view verified = "Verified";
inline constexpr std::string_view update_available = "UpdateAvailable";
inline constexpr std::string_view tag_moved = "TagMoved";                // only while it is so
inline constexpr std::string_view manifest_invalid = "ManifestInvalid";  // only while it is so
}  // namespace condition

// Whether upstream must be looked at now: the interval is over, or something asks for it.
bool is_due(const crds::Plugin& plugin, Instant now);

// How a look at upstream ended.
struct Check {
    // At most one of `failure` and `latest`; with a failure, `first` may still be there.
    struct Failure {
        enum class Stage { spec, source, content };
        Stage stage = Stage::source;
        Error error;
    };
    std::optional<Failure> failure;
    std::optional<crds::PluginVersion>
        latest;  // what the tracked ref leads to; kept in the tree store
    std::optional<crds::PluginVersion> first;  // what to approve when nothing is approved yet
};

struct Observed {
    std::vector<crds::PluginUpdate> updates;  // of this plugin
    std::int64_t installs = 0;
    std::optional<Check> check;  // absent: was not due
};

// The approved version as it must be now, and since when.
struct Approved {
    std::optional<crds::PluginVersion> version;
    std::optional<Instant> since;
};
Approved approved_now(const crds::Plugin& plugin, const Observed& observed, Instant now);

struct NewUpdate {
    std::string name;
    crds::PluginUpdateSpec spec;
};

struct Note {
    crds::EventType type = crds::EventType::normal;
    std::string reason;
    std::string message;
};

struct Plan {
    std::optional<NewUpdate> create;
    crds::PluginStatus status;
    std::vector<Note> notes;  // events, once the status is written
    std::optional<Instant> wake_at;
    std::optional<Error> retry;  // what the controller retries with backoff
};

// `content`: of the approved version, when it is another than the status says or its capabilities
// are not known; absent: as the status has it.
Plan plan(const crds::Plugin& plugin, const Observed& observed,
          const std::optional<PluginContent>& content, Instant now);

// Pending, being decided or being rolled out: not ended.
bool is_open(const crds::PluginUpdate& update);

}  // namespace atelier::reconcilers::plugin
