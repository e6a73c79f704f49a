#include "reconcilers/org_template/status.h"

#include <fmt/format.h>

#include "templates/env.h"

namespace atelier::reconcilers {
namespace {

constexpr std::size_t most_warnings = 100;

using crds::ConditionStatus;

// Ready is False; either it will be tried again, or it waits for somebody.
void set_failed(crds::OrgTemplateStatus& status, std::string_view reason, std::string_view message,
                Retry retry, Instant now) {
    set_condition(status, crds::condition::ready, ConditionStatus::no, reason, message, now);
    status.clear(crds::condition::suspended);
    if (retry == Retry::soon) {
        status.clear(crds::condition::stalled);
        set_condition(status, crds::condition::reconciling, ConditionStatus::yes, "Retrying",
                      message, now);
    } else {
        status.clear(crds::condition::reconciling);
        set_condition(status, crds::condition::stalled, ConditionStatus::yes, reason, message, now);
    }
}

std::string text_of_errors(const std::vector<templates::Finding>& errors) {
    std::string text = templates::text_of(errors.front());
    for (std::size_t i = 1; i < errors.size() && i < 5; ++i)
        text += "; " + templates::text_of(errors[i]);
    if (errors.size() > 5) text += fmt::format("; and {} more", errors.size() - 5);
    return text;
}

}  // namespace

crds::OrgTemplateStatus suspended_status(const crds::OrgTemplate& object, Instant now) {
    auto status = begun(object);
    status.clear(crds::condition::reconciling);
    status.clear(crds::condition::stalled);
    set_condition(status, crds::condition::suspended, ConditionStatus::yes, "Suspended",
                  "spec.suspend is true: the source is not looked at", now);
    return status;
}

crds::OrgTemplateStatus source_failed_status(const crds::OrgTemplate& object, const Error& error,
                                             Instant now) {
    auto status = begun(object);
    const auto reason = reason_of_source(error.code);
    set_condition(status, condition::source_ready, ConditionStatus::no, reason, error.message, now);
    set_failed(status, reason, error.message, retry_of(error.code), now);
    return status;
}

crds::OrgTemplateStatus not_compiled_status(const crds::OrgTemplate& object,
                                            const templates::Compilation& compiled, Instant now) {
    auto status = begun(object);
    const auto& errors = compiled.errors;
    const std::string text = text_of_errors(errors);
    const std::string& reason = errors.front().reason;
    if (compiled.may_pass) {
        set_condition(status, condition::source_ready, ConditionStatus::no, reason, text, now);
        set_failed(status, reason, text, Retry::soon, now);
        return status;
    }
    set_condition(status, condition::source_ready, ConditionStatus::yes, "Fetched",
                  "the source was read", now);
    set_condition(status, condition::rendered, ConditionStatus::no, reason, text, now);
    set_failed(status, reason, text, Retry::at_interval, now);
    return status;
}

crds::OrgTemplateStatus publish_failed_status(const crds::OrgTemplate& object, const Error& error,
                                              Instant now) {
    auto status = begun(object);
    set_condition(status, condition::source_ready, ConditionStatus::yes, "Fetched",
                  "the source was read", now);
    set_condition(status, condition::rendered, ConditionStatus::no, "PublishFailed", error.message,
                  now);
    const Retry retry = retry_of(error.code) == Retry::soon ? Retry::soon : Retry::at_interval;
    set_failed(status, "PublishFailed", error.message, retry, now);
    return status;
}

crds::OrgTemplateStatus compiled_status(const crds::OrgTemplate& object,
                                        const templates::Compilation& compiled,
                                        const std::string& revision, const std::string& artifact,
                                        Instant now) {
    auto status = begun(object);
    if (status.revision != revision || !status.last_fetch_time) status.last_fetch_time = now;
    status.revision = revision;
    status.artifact_digest = artifact;
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
    set_condition(status, condition::source_ready, ConditionStatus::yes, "Fetched",
                  "the source was read", now);
    set_condition(status, condition::rendered, ConditionStatus::yes, "Compiled", summary, now);
    set_condition(status, crds::condition::ready, ConditionStatus::yes, "Compiled", summary, now);
    return status;
}

}  // namespace atelier::reconcilers
