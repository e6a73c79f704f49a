#include "reconcilers/org/import.h"

#include <fmt/format.h>

#include "crds/org_conditions.h"
#include "reconcilers/common/status.h"
#include "reconcilers/org/status.h"

namespace atelier::reconcilers::org {
namespace {

namespace condition = crds::org::condition;
namespace reason = crds::org::reason;

using crds::Condition;
using crds::ConditionStatus;
using crds::EventType;

struct Subject {
    std::string artifact;
    std::string text;  // "\"Acme\" at revision 0a1b2c3, artifact 4d5e6f708192"
};

std::optional<Subject> subject_of(const Observed& observed) {
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

// The same import starts again only after a failure. The time of that failure is in the message, so
// that the second event is not merged with the first one.
std::string start_of(const Condition* before, const Subject& subject) {
    std::string text = "the import of " + subject.text + " begins";
    if (before && before->status == ConditionStatus::no && is_about(*before, subject) &&
        before->last_transition_time) {
        text += " again, after its failure at " + rfc3339(*before->last_transition_time);
    }
    return text;
}

// The event that ends an unfinished import because another one starts, or the Org is deleted.
std::optional<ImportEvent> aborted(const Condition* before, std::string_view why) {
    if (!before || before->status != ConditionStatus::unknown) return std::nullopt;
    const std::size_t end = before->message.find(": ");
    return ImportEvent{
        EventType::warning, "ImportFailed",
        fmt::format("the import of {} ended early: {}", before->message.substr(0, end), why)};
}

}  // namespace

std::vector<ImportEvent> start_import(const crds::Org& org, const Observed& observed,
                                      crds::OrgStatus& next, Instant now) {
    const auto subject = subject_of(observed);
    if (!subject || subject->artifact == org.status.artifact_digest) return {};
    const Condition* before = org.status.find(condition::imported);
    if (before && is_about(*before, *subject)) return {};
    std::vector<ImportEvent> events;
    if (auto cut = aborted(before, "the template has something newer")) {
        events.push_back(*std::move(cut));
    }
    events.push_back({EventType::normal, "ImportStarted", start_of(before, *subject)});
    set_condition(next, condition::imported, ConditionStatus::unknown, reason::started,
                  subject->text + ": it is being applied", now);
    return events;
}

std::vector<ImportEvent> advance_import(const crds::Org& org, const Observed& observed,
                                        crds::OrgStatus& next, Instant now) {
    const auto subject = subject_of(observed);
    if (!subject) return {};
    const Condition* before = org.status.find(condition::imported);
    const bool same = before && is_about(*before, *subject);
    const bool applied = next.artifact_digest == subject->artifact;
    if (applied && !same && org.status.artifact_digest == subject->artifact) return {};
    if (!same && !applied) return {};  // the template changed meanwhile: the next pass starts it
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
        set_condition(next, condition::imported, ConditionStatus::yes, reason::applied,
                      subject->text + ": every workspace is declared", now);
        events.push_back(
            {EventType::normal, "ImportApplied", "the import of " + subject->text + " is applied"});
    } else if (fails) {
        set_condition(next, condition::imported, ConditionStatus::no, reason::failed,
                      subject->text + ": " + stalled->message, now);
        events.push_back(
            {EventType::warning, "ImportFailed",
             fmt::format("the import of {} failed: {}", subject->text, stalled->message)});
    } else {
        set_condition(next, condition::imported, ConditionStatus::unknown, reason::started,
                      subject->text + ": it is being applied", now);
    }
    return events;
}

std::vector<ImportEvent> abort_import(const crds::Org& org, crds::OrgStatus& next, Instant now) {
    const Condition* before = org.status.find(condition::imported);
    auto cut = aborted(before, "the Org is being deleted");
    if (!cut) return {};
    set_condition(
        next, condition::imported, ConditionStatus::no, reason::deleted,
        before->message.substr(0, before->message.find(": ")) + ": the Org is being deleted", now);
    return {*std::move(cut)};
}

}  // namespace atelier::reconcilers::org
