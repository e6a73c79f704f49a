#include "reconcilers/common/status.h"

#include "crds/conditions.h"
#include "reconcilers/common/text.h"

namespace atelier::reconcilers {
namespace {

constexpr std::size_t longest_message = 2000;
constexpr std::size_t most_finalizers = 10;

}  // namespace

void set_condition(crds::StatusBase& status, std::string_view type, crds::ConditionStatus value,
                   std::string_view reason, std::string_view message, Instant now) {
    status.set({.type = std::string(type),
                .status = value,
                .reason = std::string(reason),
                .message = cut_utf8(message, longest_message),
                .last_transition_time = now,
                .observed_generation = status.observed_generation},
               now);
}

Verdict yes(std::string_view reason, std::string message) {
    return {crds::ConditionStatus::yes, std::string(reason), std::move(message)};
}

Verdict no(std::string_view reason, std::string message) {
    return {crds::ConditionStatus::no, std::string(reason), std::move(message)};
}

Verdict unknown(std::string_view reason, std::string message) {
    return {crds::ConditionStatus::unknown, std::string(reason), std::move(message)};
}

void set_condition(crds::StatusBase& status, std::string_view type, const Verdict& verdict,
                   Instant now) {
    set_condition(status, type, verdict.status, verdict.reason, verdict.message, now);
}

void set_condition_if(bool unusual, crds::StatusBase& status, std::string_view type,
                      std::string_view reason, std::string_view message, Instant now) {
    if (unusual) {
        set_condition(status, type, crds::ConditionStatus::yes, reason, message, now);
    } else {
        status.clear(type);
    }
}

void set_terminating(crds::StatusBase& status, const std::vector<std::string>& finalizers,
                     Instant now) {
    const std::string message =
        finalizers.empty() ? "the object is being deleted"
                           : "the object is being deleted and waits for the controllers of these "
                             "finalizers to take them off: " +
                                 some_of(finalizers, most_finalizers);
    set_condition(status, crds::condition::ready, no(crds::reason::terminating, message), now);
    set_condition(status, crds::condition::reconciling, yes(crds::reason::terminating, message),
                  now);
    status.clear(crds::condition::stalled);
    status.clear(crds::condition::suspended);
}

Retry retry_of(Code code) {
    switch (code) {
        case Code::invalid:
        case Code::unsupported:
            return Retry::on_change;
        case Code::not_found:
        case Code::unauthenticated:
        case Code::forbidden:
        case Code::too_large:
            return Retry::at_interval;
        default:
            return Retry::soon;
    }
}

std::string_view reason_of_source(Code code) {
    switch (code) {
        case Code::invalid:
            return crds::reason::invalid_source;
        case Code::unsupported:
            return crds::reason::unsupported_source;
        case Code::not_found:
            return crds::reason::source_not_found;
        case Code::unauthenticated:
        case Code::forbidden:
            return crds::reason::source_access_denied;
        case Code::too_large:
            return crds::reason::source_too_large;
        case Code::exhausted:
            return crds::reason::disk_full;
        default:
            return crds::reason::source_fetch_failed;
    }
}

}  // namespace atelier::reconcilers
