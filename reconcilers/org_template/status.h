// The status of an OrgTemplate as a function of what happened. Pure.
#pragma once

#include <string>

#include "crds/org_template.h"
#include "reconcilers/common/status.h"
#include "templates/compile.h"

namespace atelier::reconcilers {

namespace condition {
inline constexpr std::string_view source_ready = "SourceReady";
inline constexpr std::string_view rendered = "Rendered";
}  // namespace condition

crds::OrgTemplateStatus suspended_status(const crds::OrgTemplate& object, Instant now);
crds::OrgTemplateStatus source_failed_status(const crds::OrgTemplate& object, const Error& error,
                                             Instant now);
crds::OrgTemplateStatus not_compiled_status(const crds::OrgTemplate& object,
                                            const templates::Compilation& compiled, Instant now);
crds::OrgTemplateStatus publish_failed_status(const crds::OrgTemplate& object, const Error& error,
                                              Instant now);
crds::OrgTemplateStatus compiled_status(const crds::OrgTemplate& object,
                                        const templates::Compilation& compiled,
                                        const std::string& revision, const std::string& artifact,
                                        Instant now);

}  // namespace atelier::reconcilers
