#include "cli/verbs/decision.h"

#include <ostream>

#include "base/text.h"
#include "cli/objects/person.h"
#include "crds/plugin_update_conditions.h"

namespace atelier::cli {
namespace {

using crds::Decision;
using crds::PluginUpdate;

std::string decided_text(const PluginUpdate& update) {
    std::string out =
        update.spec.decision == Decision::approve ? "already approved" : "already dismissed";
    if (!update.spec.decided_by.empty()) out += " by " + update.spec.decided_by;
    if (!update.spec.reason.empty()) out += " (" + update.spec.reason + ")";
    return out;
}

json::Document decision_patch(const PluginUpdate& update, Decision decision,
                              const std::string& decided_by, const std::string& reason) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    // The patch is refused as a conflict when somebody decided since the update was read.
    json::set(json::object_at(out, "metadata", allocator), "resourceVersion",
              std::to_string(update.meta.revision), allocator);
    json::Value& spec = json::object_at(out, "spec", allocator);
    json::set(spec, "decision", json::name_of(decision), allocator);
    json::set(spec, "decidedBy", decided_by, allocator);
    if (!reason.empty()) json::set(spec, "reason", reason, allocator);
    return out;
}

// The update of that name. Code::not_found names the waiting update when `name` is that of a
// plugin.
Result<PluginUpdate> find_update(Client& client, const Resource& resource, const std::string& ns,
                                 const std::string& name) {
    auto object = client.get(resource, ns, name);
    if (object) return crds::decode<PluginUpdate>(static_cast<const json::Value&>(*object));
    if (object.error().code != Code::not_found) return object.error();
    std::vector<std::string> names;
    for (const auto& item : TRY(client.items(resource, ns))) {
        const auto update = TRY(crds::decode<PluginUpdate>(static_cast<const json::Value&>(item)));
        if (!waits_for_decision(update)) continue;
        names.push_back(update.meta.name);
        if (update.spec.plugin == name) {
            return Error{Code::not_found,
                         "\"" + name +
                             "\" is a plugin; its update that waits for a decision is \"" +
                             update.meta.name + "\""};
        }
    }
    Error error = object.error();
    if (const auto near = did_you_mean(name, names))
        error.message += ", did you mean " + *near + "?";
    return error;
}

Result<int> decide(Session& session, Decision decision) {
    std::string name = session.arguments.words[0];
    name = name.substr(name.find('/') + 1);
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    const Resource resource = TRY(client->resolve(PluginUpdate::Spec::resource));
    for (int attempt = 0;; ++attempt) {
        const PluginUpdate update = TRY(find_update(*client, resource, ns, name));
        const std::string what = name_of_object(resource, name);
        if (update.spec.decision == decision) {
            session.out() << what << " was " << decided_text(update) << "\n";
            return exit_code::fine;
        }
        if (update.spec.decision != Decision::none) {
            return Error{Code::conflict,
                         what + " was " + decided_text(update) + "; a decision cannot be changed"};
        }
        if (crds::has_ended(update.status.phase)) {
            return Error{Code::conflict,
                         what + " has ended: " + std::string(json::name_of(update.status.phase))};
        }
        const auto patched = client->merge_patch(
            resource, ns, name,
            decision_patch(update, decision, user_name(session.process.environment),
                           session.arguments.text("reason")));
        // The object changed between the two requests, most often its status: read it again.
        if (!patched && patched.error().code == Code::conflict && attempt < 5) continue;
        if (!patched) return patched.error();
        session.out() << what << (decision == Decision::approve ? " approved" : " dismissed")
                      << ": " << update.spec.plugin << " " << short_version(update.spec.from)
                      << " -> " << short_version(update.spec.to) << "\n";
        return exit_code::fine;
    }
}

}  // namespace

bool waits_for_decision(const crds::PluginUpdate& update) {
    return update.spec.decision == crds::Decision::none &&
           update.status.phase == crds::UpdatePhase::pending;
}

std::string short_version(const crds::PluginVersion& version) {
    const std::string& text = version.commit.empty() ? version.digest : version.commit;
    return text.empty() ? "-" : text.substr(0, 12);
}

int run_decision(Session& session, Decision decision) {
    if (session.arguments.words.size() != 1) {
        return session.usage("name one plugin update; `atelier updates` lists them");
    }
    const auto code = decide(session, decision);
    return code ? *code : session.fail(code.error());
}

}  // namespace atelier::cli
