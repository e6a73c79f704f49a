// The import of a template as two events: one when an Org turns to another artifact, and one when
// that has ended, applied or failed. The condition Imported remembers which of them were told, so
// each is told once, whatever happens in between. What cannot be compiled is no import. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crds/core.h"
#include "crds/org.h"
#include "reconcilers/org/observed.h"

namespace atelier::reconcilers {

namespace condition {
// Of the artifact in its message: Unknown while it is being applied, True once it is, False when
// that needs somebody's help, or when another one came before.
inline constexpr std::string_view imported = "Imported";
}  // namespace condition

struct ImportEvent {
    crds::EventType type = crds::EventType::normal;
    std::string reason;  // ImportStarted, ImportApplied, ImportFailed
    std::string message;
};

// What to tell before anything is done: that the import begins, if it does. Sets the condition in
// `next`, to be stored before anything is done, when there is something to tell.
std::vector<ImportEvent> import_begins(const crds::Org& org, const OrgObserved& observed,
                                       crds::OrgStatus& next, Instant now);

// Sets the condition in `next`, which says how it ended so far, and what to tell beyond what
// import_begins told.
std::vector<ImportEvent> import_goes_on(const crds::Org& org, const OrgObserved& observed,
                                        crds::OrgStatus& next, Instant now);

// The Org is being deleted: an import that is under way ends.
std::vector<ImportEvent> import_ends(const crds::Org& org, crds::OrgStatus& next, Instant now);

}  // namespace atelier::reconcilers
