// The import of a template as two events: ImportStarted when an Org turns to another artifact, and
// ImportApplied or ImportFailed when that has ended. The condition Imported remembers which of them
// were recorded, so that each is recorded once, also across restarts of the server. A template that
// does not compile starts no import. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crds/core.h"
#include "crds/org.h"
#include "reconcilers/org/observe.h"

namespace atelier::reconcilers::org {

struct ImportEvent {
    crds::EventType type = crds::EventType::normal;
    std::string reason;  // ImportStarted, ImportApplied, ImportFailed
    std::string message;
};

// The events to record before any action is executed; none unless an import starts. Sets the
// condition in `next`, which must be stored before the first action when there are events.
std::vector<ImportEvent> start_import(const crds::Org& org, const Observed& observed,
                                      crds::OrgStatus& next, Instant now);

// The events to record after the actions, beyond those of start_import(). `next` is the status
// that is about to be stored; its condition is set to how far the import has come.
std::vector<ImportEvent> advance_import(const crds::Org& org, const Observed& observed,
                                        crds::OrgStatus& next, Instant now);

// The Org is being deleted: an import that has started and not ended fails.
std::vector<ImportEvent> abort_import(const crds::Org& org, crds::OrgStatus& next, Instant now);

}  // namespace atelier::reconcilers::org
