// What follows from a Plugin, a look at its upstream and the updates that exist. A version is named
// by one letter, which stands for its commit and its digest.
#include <gtest/gtest.h>

#include "base/text.h"
#include "crds/plugin_update_conditions.h"
#include "reconcilers/plugin/plan.h"

namespace atelier::reconcilers {
namespace {

using crds::Plugin;
using crds::PluginUpdate;
using crds::UpdatePhase;
using plugin::Check;
using plugin::Observed;

const Instant noon = *parse_rfc3339("2026-05-08T12:00:00Z");
const Instant before = noon - std::chrono::hours(1);

crds::PluginVersion version(char letter, const std::string& ref = "main") {
    return {std::string(40, letter), std::string(64, letter), ref};
}
char letter_of(const std::optional<crds::PluginVersion>& version) {
    return version ? version->digest[0] : '-';
}

// "a b": a is approved, b the latest, both since an hour.
Plugin known(const std::string& letters, const std::function<void(Plugin&)>& how = {}) {
    Plugin object;
    object.meta.name = "p";
    object.meta.generation = 2;
    object.spec.source = "git+http://git.example/p.git";
    object.spec.track = "branch:main";
    object.spec.interval = std::chrono::minutes(10);
    auto& status = object.status;
    if (letters.size() == 3) {
        status.approved = version(letters[0]);
        status.approved_at = before;
        status.latest = version(letters[2]);
        status.latest_first_seen = before;
        status.last_check_time = before;
        status.set({"Ready", crds::ConditionStatus::yes, "Resolved", "", before, 2}, before);
    }
    if (how) how(object);
    return object;
}
Check leads_to(char latest, char first = 0) {
    Check check;
    check.latest = version(latest);
    if (first != 0) check.first = version(first);
    return check;
}
Check fails(Code code, Check::Failure::Stage stage = Check::Failure::Stage::source) {
    Check check;
    check.failure = {stage, {code, "why"}};
    return check;
}
// "p-b Pending a b": its name, its phase, from and to; when it has ended, half an hour ago.
PluginUpdate update(const std::string& description,
                    Instant ended = noon - std::chrono::minutes(30)) {
    const auto words = split(description, ' ');
    PluginUpdate made;
    made.meta.name = words[0];
    made.spec.plugin = "p";
    made.spec.from = version(words[2][0]);
    made.spec.to = version(words[3][0]);
    for (const auto& [phase, name] : names_of(UpdatePhase{})) {
        if (name == words[1]) made.status.phase = phase;
    }
    if (!crds::is_open(made)) made.status.completed_at = ended;
    return made;
}

std::string text(const plugin::Plan& plan) {
    const auto& status = plan.status;
    std::string out = {letter_of(status.approved), ' ', letter_of(status.latest)};
    if (plan.create) {
        out += ", create " + plan.create->name + " " + letter_of(plan.create->spec.from) +
               letter_of(plan.create->spec.to);
        if (!plan.create->spec.alarm.empty()) out += " " + plan.create->spec.alarm;
    }
    for (const crds::Condition& c : status.conditions) {
        out += ", " + c.type + "=" + std::string(json::name_of(c.status)) + "/" + c.reason;
    }
    if (!status.pending_update.empty()) out += ", pending " + status.pending_update;
    for (const auto& event : plan.events) out += ", event " + event.reason;
    if (plan.wake_at) out += ", wake in " + format_duration(*plan.wake_at - noon);
    if (plan.retry) out += ", again soon";
    return out;
}

struct Case {
    const char* name;
    Plugin object;
    Observed seen;
    const char* expected;
};

void expect(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(text(plugin::plan(c.object, c.seen, std::nullopt, noon)), c.expected);
    }
}

const std::string good = "SourceReady=True/Fetched, Verified=True/Verified";

TEST(PluginPlan, OfWhatUpstreamHas) {
    const std::string first =
        "a a, " + good +
        ", Ready=True/Resolved, UpdateAvailable=False/UpToDate, event FirstVersion, wake in 10m";
    const std::string pinned =
        "a b, create p-bbbbbbb ab, " + good +
        ", Ready=True/Resolved, UpdateAvailable=True/UpdateOpen, pending p-bbbbbbb, event "
        "FirstVersion, event UpdateAvailable, wake in 10m";
    const std::string same =
        "a a, Ready=True/Resolved, " + good + ", UpdateAvailable=False/UpToDate, wake in 10m";
    const std::string drift =
        "a b, create p-bbbbbbb ab, Ready=True/Resolved, " + good +
        ", UpdateAvailable=True/UpdateOpen, pending p-bbbbbbb, event UpdateAvailable, wake in 10m";
    expect({
        {"the first version is approved", known(""), {{}, 0, leads_to('a', 'a')}, first.c_str()},
        {"the pin first, then what is tracked",
         known(""),
         {{}, 0, leads_to('b', 'a')},
         pinned.c_str()},
        {"nothing new", known("a a"), {{}, 0, leads_to('a')}, same.c_str()},
        {"drift", known("a a"), {{}, 0, leads_to('b')}, drift.c_str()},
        {"not due",
         known("a a"),
         {},
         "a a, Ready=True/Resolved, UpdateAvailable=False/UpToDate, wake in -50m"},
        {"suspended",
         known("a b", [](Plugin& p) { p.spec.suspend = true; }),
         {},
         "a b, Ready=True/Resolved, Suspended=True/Suspended, UpdateAvailable=True/Suspended"},
    });
}

TEST(PluginPlan, OfTheUpdatesThatExist) {
    const std::string open = "a b, Ready=True/Resolved, " + good +
                             ", UpdateAvailable=True/UpdateOpen, pending p-b, wake in 10m";
    const std::string dismissed =
        "a b, Ready=True/Resolved, " + good + ", UpdateAvailable=False/Dismissed, wake in 10m";
    const std::string failed =
        "a b, Ready=True/Resolved, " + good + ", UpdateAvailable=False/UpdateFailed, wake in 10m";
    const std::string again =
        "a b, create p-bbbbbbb-2 ab, Ready=True/Resolved, " + good +
        ", UpdateAvailable=True/UpdateOpen, pending p-bbbbbbb-2, event UpdateAvailable, wake in "
        "10m";
    const std::string another =
        "a c, create p-ccccccc ac, Ready=True/Resolved, " + good +
        ", UpdateAvailable=True/UpdateOpen, pending p-ccccccc, event UpdateAvailable, wake in 10m";
    const std::string applied = "b b, Ready=True/Resolved, " + good +
                                ", UpdateAvailable=False/UpToDate, event Approved, wake in 10m";
    const auto moved_back = known("a c", [](Plugin& p) { p.status.latest_first_seen = before; });
    expect({
        {"one is open",
         known("a b"),
         {{update("p-b Pending a b")}, 1, leads_to('b')},
         open.c_str()},
        {"it rolls out",
         known("a b"),
         {{update("p-b RollingOut a b")}, 1, leads_to('b')},
         open.c_str()},
        {"it was dismissed",
         known("a b"),
         {{update("p-b Dismissed a b")}, 1, leads_to('b')},
         dismissed.c_str()},
        {"it failed", known("a b"), {{update("p-b Failed a b")}, 1, leads_to('b')}, failed.c_str()},
        {"dismissed, and upstream moved on",
         known("a b"),
         {{update("p-b Dismissed a b")}, 1, leads_to('c')},
         another.c_str()},
        {"dismissed, and upstream came back to it",
         moved_back,
         {{update("p-bbbbbbb Dismissed a b")}, 1, leads_to('b')},
         again.c_str()},
        {"superseded ones do not count",
         known("a b"),
         {{update("p-bbbbbbb Superseded a b")}, 1, leads_to('b')},
         again.c_str()},
        {"it was applied",
         known("a b"),
         {{update("p-b Applied a b")}, 1, leads_to('b')},
         applied.c_str()},
        {"it was applied before what is approved now",
         known("a a"),
         {{update("p-z Applied b z", before - std::chrono::hours(1))}, 1, std::nullopt},
         "a a, Ready=True/Resolved, UpdateAvailable=False/UpToDate, wake in -50m"},
    });
}

TEST(PluginPlan, OfASourceThatFails) {
    const std::string content =
        "a a, Ready=False/UnsafeContent, Verified=False/UnsafeContent, "
        "SourceReady=True/Fetched, Stalled=True/UnsafeContent, UpdateAvailable=False/UpToDate, "
        "event UnsafeContent, wake in 10m";
    expect({
        {"away, never read",
         known(""),
         {{}, 0, fails(Code::unavailable)},
         "- -, SourceReady=False/SourceFetchFailed, Ready=False/SourceFetchFailed, "
         "Reconciling=True/Retrying, event SourceFetchFailed, again soon"},
        {"away",
         known("a a"),
         {{}, 0, fails(Code::timeout)},
         "a a, Ready=False/SourceFetchFailed, SourceReady=False/SourceFetchFailed, "
         "Reconciling=True/Retrying, UpdateAvailable=False/UpToDate, event SourceFetchFailed, "
         "again soon"},
        {"not there",
         known("a a"),
         {{}, 0, fails(Code::not_found)},
         "a a, Ready=False/SourceNotFound, SourceReady=False/SourceNotFound, "
         "Stalled=True/SourceNotFound, UpdateAvailable=False/UpToDate, event SourceNotFound, wake "
         "in 10m"},
        {"no source",
         known("a a"),
         {{}, 0, fails(Code::invalid, Check::Failure::Stage::spec)},
         "a a, Ready=False/InvalidSpec, SourceReady=False/InvalidSpec, Stalled=True/InvalidSpec, "
         "UpdateAvailable=False/UpToDate, event InvalidSpec"},
        {"no content to install",
         known("a a"),
         {{}, 0, fails(Code::invalid, Check::Failure::Stage::content)},
         content.c_str()},
    });
}

TEST(PluginPlan, ATagThatMovesIsAnAlarm) {
    const auto tagged = known("a a", [](Plugin& p) {
        p.spec.track = "tag:v1";
        p.status.approved = p.status.latest = version('a', "v1");
    });
    Observed seen;
    seen.check.emplace();
    seen.check->latest = version('b', "v1");
    const auto plan = plugin::plan(tagged, seen, std::nullopt, noon);
    ASSERT_TRUE(plan.create);
    EXPECT_EQ(plan.create->spec.alarm, "TagMoved");
    EXPECT_TRUE(plan.status.is_true("TagMoved"));
}

}  // namespace
}  // namespace atelier::reconcilers
