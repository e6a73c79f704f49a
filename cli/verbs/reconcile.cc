// reconcile: asks the server to reconcile objects now, by an annotation that holds the time.
#include <algorithm>
#include <ostream>

#include "cli/objects/await.h"
#include "cli/objects/conditions.h"
#include "cli/output/text_table.h"
#include "cli/verbs/patch_all.h"
#include "cli/verbs/verbs.h"
#include "crds/meta.h"

namespace atelier::cli {
namespace {

json::Document reconcile_patch(const std::string& stamp) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::Value& metadata = json::object_at(out, "metadata", allocator);
    json::set(json::object_at(metadata, "annotations", allocator),
              crds::annotation::reconcile_requested_at, stamp, allocator);
    return out;
}

// What the reconcile that was waited for has come to.
int report_outcome(Session& session, const Target& target, const json::Value& object) {
    const std::string name = name_of_object(target.resource, target.name);
    const json::Value* const suspend = json::find(object, {"spec", "suspend"});
    const std::string words = last_words(object);
    const std::string why = words.empty() ? "" : ": " + words;
    if (suspend && suspend->IsTrue()) {
        session.err() << "error: " << name
                      << " is suspended, and nothing was done: resume it first\n";
        return exit_code::stalled;
    }
    if (has_condition(object, "Stalled", "True")) {
        session.err() << "error: " << name << " was reconciled and is stalled" << printable(why)
                      << "\n";
        return exit_code::stalled;
    }
    session.out() << name << " reconciled\n" << std::flush;
    if (has_condition(object, "Ready", "False")) {
        session.err() << name << " is not Ready yet" << printable(why) << "\n";
    }
    return exit_code::fine;
}

}  // namespace

int run_reconcile(Session& session) {
    const auto deadline = Deadline::of(session);
    if (!deadline) return session.usage(deadline.error().message);
    const auto targets = targets_of(session, session.arguments.words);
    if (!targets) return session.fail(targets.error());
    const auto ns = session.ns();
    if (!ns) return session.fail(ns.error());
    const bool wait = session.arguments.on("wait");
    const std::string stamp = rfc3339_micro(session.now());
    const auto code = patch_all(session, *targets, *ns, reconcile_patch(stamp),
                                wait ? "reconcile requested" : "will be reconciled");
    if (!code) return session.fail(code.error());
    if (!wait || *code != exit_code::fine) return *code;
    int outcome = exit_code::fine;
    for (const Target& target : *targets) {
        json::Document last;
        const auto handled =
            await(session, **session.client(), {target.resource, *ns, target.name}, *deadline,
                  [&](const json::Value* object) {
                      if (!object ||
                          json::string_at(*object, {"status", "lastHandledReconcileAt"}) != stamp) {
                          return false;
                      }
                      last = json::copy(*object);
                      return true;
                  });
        if (!handled && handled.error().code == Code::cancelled) {
            return session.interrupted_watching(
                "atelier get " + name_of_object(target.resource, target.name) + " -w");
        }
        if (!handled) return session.fail(handled.error());
        outcome = std::max(outcome, report_outcome(session, target, last));
    }
    return outcome;
}

}  // namespace atelier::cli
