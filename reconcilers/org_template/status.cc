#include "reconcilers/org_template/status.h"

#include <fmt/format.h>

#include "crds/conditions.h"
#include "crds/org_template_conditions.h"
#include "reconcilers/common/status.h"
#include "templates/env.h"

namespace atelier::reconcilers::org_template {
namespace {

namespace condition = crds::org_template::condition;
namespace reason = crds::org_template::reason;

constexpr std::size_t most_warnings = 100;

using crds::ConditionStatus;

// Ready is False. `retry` tells whether the template is tried again by itself or waits for
// somebody.
void set_failed(crds::OrgTemplateStatus& status, std::string_view why, std::string_view message,
                Retry retry, Instant now) {
    set_condition(status, crds::condition::ready, ConditionStatus::no, why, message, now);
    status.clear(crds::condition::suspended);
    if (retry == Retry::soon) {
        status.clear(crds::condition::stalled);
        set_condition(status, crds::condition::reconciling, ConditionStatus::yes, reason::retrying,
                      message, now);
    } else {
        status.clear(crds::condition::reconciling);
        set_condition(status, crds::condition::stalled, ConditionStatus::yes, why, message, now);
    }
}

std::string text_of_errors(const std::vector<templates::Finding>& errors) {
    std::string text = templates::text_of(errors.front());
    for (std::size_t i = 1; i < errors.size() && i < 5; ++i)
        text += "; " + templates::text_of(errors[i]);
    if (errors.size() > 5) text += fmt::format("; and {} more", errors.size() - 5);
    return text;
}

crds::OrgTemplateStatus suspended_status(const crds::OrgTemplate& object, Instant now) {
    auto status = begun(object);
    status.clear(crds::condition::reconciling);
    status.clear(crds::condition::stalled);
    set_condition(status, crds::condition::suspended, ConditionStatus::yes, crds::reason::suspended,
                  "spec.suspend is true: the source is not read", now);
    return status;
}

crds::OrgTemplateStatus source_failed_status(const crds::OrgTemplate& object, const Error& error,
                                             Instant now) {
    auto status = begun(object);
    const auto why = reason_of_source(error.code);
    set_condition(status, condition::source_ready, ConditionStatus::no, why, error.message, now);
    set_failed(status, why, error.message, retry_of(error.code), now);
    return status;
}

crds::OrgTemplateStatus not_compiled_status(const crds::OrgTemplate& object,
                                            const templates::Compilation& compiled, Instant now) {
    auto status = begun(object);
    const auto& errors = compiled.errors;
    const std::string text = text_of_errors(errors);
    const std::string& why = errors.front().reason;
    if (compiled.may_pass) {
        set_condition(status, condition::source_ready, ConditionStatus::no, why, text, now);
        set_failed(status, why, text, Retry::soon, now);
        return status;
    }
    set_condition(status, condition::source_ready, ConditionStatus::yes, crds::reason::fetched,
                  "the source was read", now);
    set_condition(status, condition::rendered, ConditionStatus::no, why, text, now);
    set_failed(status, why, text, Retry::at_interval, now);
    return status;
}

crds::OrgTemplateStatus publish_failed_status(const crds::OrgTemplate& object, const Error& error,
                                              Instant now) {
    auto status = begun(object);
    set_condition(status, condition::source_ready, ConditionStatus::yes, crds::reason::fetched,
                  "the source was read", now);
    set_condition(status, condition::rendered, ConditionStatus::no, reason::publish_failed,
                  error.message, now);
    const Retry retry = retry_of(error.code) == Retry::soon ? Retry::soon : Retry::at_interval;
    set_failed(status, reason::publish_failed, error.message, retry, now);
    return status;
}

crds::OrgTemplateStatus compiled_status(const crds::OrgTemplate& object, const Observed& observed,
                                        const Plan& plan, Instant now) {
    const templates::Compilation& compiled = observed.compiled;
    auto status = begun(object);
    if (status.revision != observed.revision || !status.last_fetch_time)
        status.last_fetch_time = now;
    status.revision = observed.revision;
    status.artifact_digest = observed.artifact;
    status.history = plan.history;
    status.template_name = compiled.org.name;
    status.counts = compiled.org.counts;
    status.externals = compiled.externals;
    status.required_env = compiled.org.required_env;
    status.recommended_env = compiled.org.recommended_env;
    status.needs = templates::text_of(compiled.org.required_env);
    status.warnings = compiled.warnings;
    if (status.warnings.size() > most_warnings) status.warnings.resize(most_warnings);
    status.clear(crds::condition::reconciling);
    status.clear(crds::condition::stalled);
    status.clear(crds::condition::suspended);
    const std::string summary =
        fmt::format("declared {}, not spawned {}, warnings {}", status.counts.declared,
                    status.counts.skipped, compiled.warnings.size());
    set_condition(status, condition::source_ready, ConditionStatus::yes, crds::reason::fetched,
                  "the source was read", now);
    set_condition(status, condition::rendered, ConditionStatus::yes, reason::compiled, summary,
                  now);
    set_condition(status, crds::condition::ready, ConditionStatus::yes, reason::compiled, summary,
                  now);
    return status;
}

}  // namespace

crds::OrgTemplateStatus status(const crds::OrgTemplate& object, const Observed& observed,
                               const Plan& plan, const std::optional<Error>& failure, Instant now) {
    if (object.spec.suspend) return suspended_status(object, now);
    if (observed.unreadable) return source_failed_status(object, *observed.unreadable, now);
    if (!observed.compiled.errors.empty()) {
        return not_compiled_status(object, observed.compiled, now);
    }
    if (failure) return publish_failed_status(object, *failure, now);
    if (plan.unpublishable) return publish_failed_status(object, *plan.unpublishable, now);
    return compiled_status(object, observed, plan, now);
}

}  // namespace atelier::reconcilers::org_template
