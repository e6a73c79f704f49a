#include "reconcilers/org/import.h"

#include <fmt/format.h>

#include "reconcilers/common/status.h"
#include "reconcilers/org/status.h"

namespace atelier::reconcilers {
namespace {

using crds::Condition;
using crds::ConditionStatus;
using crds::EventType;

struct Subject {
    std::string artifact;
    std::string text;  // "\"Acme\" at revision 0a1b2c3, artifact 4d5e6f708192"
};

std::optional<Subject> subject_of(const OrgObserved& observed) {
    if (!observed.compiled || !observed.revision) return std::nullopt;
    Subject subject{observed.revision->artifact_digest, ""};
    subject.text = fmt::format("\"{}\" at revision {}, artifact {}", observed.compiled->name,
                               observed.revision->revision, subject.artifact.substr(0, 12));
    return subject;
}

// The condition's message begins with its subject.
bool is_about(const Condition& condition, const Subject& subject) {
    return condition.message.starts_with(subject.text);
}

// PlatformValues of anew only when it failed and goes on; then the time of the failure tells the
// two apart.
std::string start_of(const Condition* before, const Subject& subject) {
    std::string text = "the import of " + subject.text + " begins";
    if (before && before->status == ConditionStatus::no && is_about(*before, subject) &&
        before->last_transition_time) {
        text += " again, after its failure at " + rfc3339(*before->last_transition_time);
    }
    return text;
}

// The import that another one, or the end of the Org, cuts short.
std::optional<ImportEvent> cut_short(const Condition* before, std::string_view why) {
    if (!before || before->status != ConditionStatus::unknown) return std::nullopt;
    const std::size_t end = before->message.find(": ");
    return ImportEvent{
        EventType::warning, "ImportFailed",
        fmt::format("the import of {} ended early: {}", before->message.substr(0, end), why)};
}

}  // namespace

std::vector<ImportEvent> import_begins(const crds::Org& org, const OrgObserved& observed,
                                       crds::OrgStatus& next, Instant now) {
    const auto subject = subject_of(observed);
    if (!subject || subject->artifact == org.status.artifact_digest) return {};
    const Condition* before = org.status.find(condition::imported);
    if (before && is_about(*before, *subject)) return {};
    std::vector<ImportEvent> events;
    if (auto cut = cut_short(before, "the template has something newer")) {
        events.push_back(*std::move(cut));
    }
    events.push_back({EventType::normal, "ImportStarted", start_of(before, *subject)});
    set_condition(next, condition::imported, ConditionStatus::unknown, "Started",
                  subject->text + ": it is being applied", now);
    return events;
}

std::vector<ImportEvent> import_goes_on(const crds::Org& org, const OrgObserved& observed,
                                        crds::OrgStatus& next, Instant now) {
    const auto subject = subject_of(observed);
    if (!subject) return {};
    const Condition* before = org.status.find(condition::imported);
    const bool same = before && is_about(*before, *subject);
    const bool applied = next.artifact_digest == subject->artifact;
    if (applied && !same && org.status.artifact_digest == subject->artifact) return {};
    if (!same && !applied) return {};  // it began in between: it is told of next time
    const ConditionStatus was = same ? before->status : ConditionStatus::unknown;
    if (was == ConditionStatus::yes) return {};

    const Condition* stalled = next.find(crds::condition::stalled);
    const bool fails = !applied && stalled && stalled->status == ConditionStatus::yes;
    std::vector<ImportEvent> events;
    if (was == ConditionStatus::no && fails) return {};
    if (was == ConditionStatus::no) {
        events.push_back({EventType::normal, "ImportStarted", start_of(before, *subject)});
    }
    if (applied) {
        set_condition(next, condition::imported, ConditionStatus::yes, "Applied",
                      subject->text + ": every workspace is declared", now);
        events.push_back(
            {EventType::normal, "ImportApplied", "the import of " + subject->text + " is applied"});
    } else if (fails) {
        set_condition(next, condition::imported, ConditionStatus::no, "Failed",
                      subject->text + ": " + stalled->message, now);
        events.push_back(
            {EventType::warning, "ImportFailed",
             fmt::format("the import of {} failed: {}", subject->text, stalled->message)});
    } else {
        set_condition(next, condition::imported, ConditionStatus::unknown, "Started",
                      subject->text + ": it is being applied", now);
    }
    return events;
}

std::vector<ImportEvent> import_ends(const crds::Org& org, crds::OrgStatus& next, Instant now) {
    const Condition* before = org.status.find(condition::imported);
    auto cut = cut_short(before, "the Org is being deleted");
    if (!cut) return {};
    set_condition(
        next, condition::imported, ConditionStatus::no, "Deleted",
        before->message.substr(0, before->message.find(": ")) + ": the Org is being deleted", now);
    return {*std::move(cut)};
}

}  // namespace atelier::reconcilers
