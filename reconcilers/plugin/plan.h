// What follows from a Plugin, from one check of its upstream (if one was due) and from the
// PluginUpdates that exist. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crds/plugin.h"
#include "crds/plugin_update.h"
#include "reconcilers/common/events.h"
#include "reconcilers/plugin/content.h"

namespace atelier::reconcilers::plugin {

// Whether upstream must be checked now: the interval is over, the spec changed, somebody requested
// a reconcile, or the last check failed.
bool is_due(const crds::Plugin& plugin, Instant now);

// How a check of upstream ended.
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
    std::optional<Check> check;  // absent: it was not due
};

// The version that installs are to get, and since when.
struct Approved {
    std::optional<crds::PluginVersion> version;
    std::optional<Instant> since;
};
Approved approved_now(const crds::Plugin& plugin, const Observed& observed, Instant now);

struct NewUpdate {
    std::string name;
    crds::PluginUpdateSpec spec;
};

struct Plan {
    std::optional<NewUpdate> create;
    crds::PluginStatus status;
    std::vector<ObjectEvent> events;  // recorded once the status is written
    std::optional<Instant> wake_at;
    std::optional<Error> retry;  // the controller retries with backoff because of it
};

// `content`: of the approved version, when the status has another version or no capabilities of it;
// absent: the status has it.
Plan plan(const crds::Plugin& plugin, const Observed& observed,
          const std::optional<PluginContent>& content, Instant now);

}  // namespace atelier::reconcilers::plugin
