// reconcile, suspend, resume: one small patch for each object named.
#include <ostream>

#include "cli/await.h"
#include "cli/person.h"
#include "cli/verb.h"
#include "crds/meta.h"

namespace atelier::cli {
namespace {

// Who suspended it and why stand beside it as annotations, and go when it is resumed.
json::Document suspend_patch(bool suspend, const std::string& reason, const std::string& by) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::set(json::object_at(out, "spec", allocator), "suspend", json::Value(suspend), allocator);
    json::Value& notes =
        json::object_at(json::object_at(out, "metadata", allocator), "annotations", allocator);
    const auto note = [&](std::string_view name, const std::string& text) {
        if (suspend && !text.empty()) {
            json::set(notes, name, text, allocator);
        } else {
            json::set(notes, name, json::Value(), allocator);
        }
    };
    note(suspend_reason_annotation, reason);
    note(suspended_by_annotation, by);
    return out;
}

json::Document reconcile_patch(const std::string& stamp) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::Value& metadata = json::object_at(out, "metadata", allocator);
    json::set(json::object_at(metadata, "annotations", allocator),
              crds::annotation::reconcile_requested_at, stamp, allocator);
    return out;
}

// Patches every target; failures are told and the rest goes on.
Result<int> patch_all(Session& session, const std::vector<Target>& targets, const std::string& ns,
                      const json::Value& patch, std::string_view done) {
    Client* const client = TRY(session.client());
    int code = exit_code::fine;
    for (const Target& target : targets) {
        const auto answer = client->merge_patch(target.resource, ns, target.name, patch);
        if (!answer) {
            code = session.fail(answer.error());
            if (answer.error().code == Code::cancelled) return code;
            continue;
        }
        session.out() << name_of_object(target.resource, target.name) << " " << done << "\n"
                      << std::flush;
    }
    return code;
}

int run_suspending(Session& session, bool suspend) {
    const auto targets = targets_of(session, session.arguments.words);
    if (!targets) return session.fail(targets.error());
    const auto ns = session.ns();
    if (!ns) return session.fail(ns.error());
    const auto patch = suspend_patch(suspend, suspend ? session.arguments.text("reason") : "",
                                     user_name(session.process.environment));
    const auto code = patch_all(session, *targets, *ns, patch, suspend ? "suspended" : "resumed");
    return code ? *code : session.fail(code.error());
}

}  // namespace

int run_suspend(Session& session) {
    return run_suspending(session, true);
}
int run_resume(Session& session) {
    return run_suspending(session, false);
}

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
    for (const Target& target : *targets) {
        const auto handled =
            await(session, **session.client(), {target.resource, *ns, target.name}, *deadline,
                  [&](const json::Value* object) {
                      return object && json::string_at(
                                           *object, {"status", "lastHandledReconcileAt"}) == stamp;
                  });
        if (!handled && handled.error().code == Code::cancelled) {
            return session.interrupted_watching(
                "atelier get " + name_of_object(target.resource, target.name) + " -w");
        }
        if (!handled) return session.fail(handled.error());
        session.out() << name_of_object(target.resource, target.name) << " reconciled\n"
                      << std::flush;
    }
    return exit_code::fine;
}

}  // namespace atelier::cli
