// The status of an OrgTemplate as a function of what happened. Pure.
#pragma once

#include <string>

#include "crds/org_template.h"
#include "reconcilers/org_template/compile.h"

namespace atelier::reconcilers {

namespace condition {
inline constexpr std::string_view source_ready = "SourceReady";
inline constexpr std::string_view rendered = "Rendered";
}  // namespace condition

// Whether a failure of that kind waits for the next look at the source, or is tried again at once.
enum class Retry { soon, at_interval, on_change };
Retry retry_of(Code code);

crds::OrgTemplateStatus suspended_status(const crds::OrgTemplate& object, Instant now);
crds::OrgTemplateStatus source_failed_status(const crds::OrgTemplate& object, const Error& error,
                                             Instant now);
crds::OrgTemplateStatus not_compiled_status(const crds::OrgTemplate& object,
                                            const Compilation& compiled, Instant now);
crds::OrgTemplateStatus publish_failed_status(const crds::OrgTemplate& object, const Error& error,
                                              Instant now);
crds::OrgTemplateStatus compiled_status(const crds::OrgTemplate& object,
                                        const Compilation& compiled, const std::string& revision,
                                        const std::string& artifact, Instant now);

}  // namespace atelier::reconcilers
