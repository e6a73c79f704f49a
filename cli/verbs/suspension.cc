#include "cli/verbs/suspension.h"

#include "cli/objects/person.h"
#include "cli/verbs/patch_all.h"

namespace atelier::cli {
namespace {

// The annotations that say who suspended the object and why are removed when it is resumed.
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

}  // namespace

int set_suspended(Session& session, bool suspend) {
    const auto targets = targets_of(session, session.arguments.words);
    if (!targets) return session.fail(targets.error());
    const auto ns = session.ns();
    if (!ns) return session.fail(ns.error());
    const auto patch = suspend_patch(suspend, suspend ? session.arguments.text("reason") : "",
                                     user_name(session.process.environment));
    const auto code = patch_all(session, *targets, *ns, patch, suspend ? "suspended" : "resumed");
    return code ? *code : session.fail(code.error());
}

}  // namespace atelier::cli
