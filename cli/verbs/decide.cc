// updates, approve, dismiss: what people decide about plugin updates.
#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "cli/output/text_table.h"
#include "cli/person.h"
#include "cli/verb.h"
#include "crds/plugin_update.h"

namespace atelier::cli {
namespace {

using crds::Decision;
using crds::PluginUpdate;
using crds::UpdatePhase;

bool has_ended(UpdatePhase phase) {
    return phase == UpdatePhase::applied || phase == UpdatePhase::dismissed ||
           phase == UpdatePhase::failed || phase == UpdatePhase::superseded;
}

bool waits_for_decision(const PluginUpdate& update) {
    return update.spec.decision == Decision::none && update.status.phase == UpdatePhase::pending;
}

std::string short_version(const crds::PluginVersion& version) {
    const std::string& text = version.commit.empty() ? version.digest : version.commit;
    return text.empty() ? "-" : text.substr(0, 12);
}

std::string state_of(const PluginUpdate& update) {
    if (waits_for_decision(update)) return "Waits for approval";
    if (update.spec.decision == Decision::approve && update.status.phase == UpdatePhase::pending) {
        return "Approved";
    }
    return std::string(json::name_of(update.status.phase));
}

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
    // Whoever decided in the meantime was first: then this is a conflict.
    json::set(json::object_at(out, "metadata", allocator), "resourceVersion",
              std::to_string(update.meta.revision), allocator);
    json::Value& spec = json::object_at(out, "spec", allocator);
    json::set(spec, "decision", json::name_of(decision), allocator);
    json::set(spec, "decidedBy", decided_by, allocator);
    if (!reason.empty()) json::set(spec, "reason", reason, allocator);
    return out;
}

// The update of that name, or the one of that plugin that waits.
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
            return Error{Code::not_found, "\"" + name +
                                              "\" is a plugin; its update that waits is \"" +
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
                         what + " was " + decided_text(update) + "; a decision is not taken back"};
        }
        if (has_ended(update.status.phase)) {
            return Error{Code::conflict,
                         what + " has ended: " + std::string(json::name_of(update.status.phase))};
        }
        const auto patched = client->merge_patch(
            resource, ns, name,
            decision_patch(update, decision, user_name(session.process.environment),
                           session.arguments.text("reason")));
        // Its status moved between the two requests; what was decided is read again.
        if (!patched && patched.error().code == Code::conflict && attempt < 5) continue;
        if (!patched) return patched.error();
        session.out() << what << (decision == Decision::approve ? " approved" : " dismissed")
                      << ": " << update.spec.plugin << " " << short_version(update.spec.from)
                      << " -> " << short_version(update.spec.to) << "\n";
        return exit_code::fine;
    }
}

int run_deciding(Session& session, Decision decision) {
    if (session.arguments.words.size() != 1) {
        return session.usage("name one plugin update; `atelier updates` lists them");
    }
    const auto code = decide(session, decision);
    return code ? *code : session.fail(code.error());
}

Result<int> show_updates(Session& session) {
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    const Resource resource = TRY(client->resolve(PluginUpdate::Spec::resource));
    std::vector<PluginUpdate> updates;
    for (const auto& item : TRY(client->items(resource, ns))) {
        auto update = TRY(crds::decode<PluginUpdate>(static_cast<const json::Value&>(item)));
        if (session.arguments.on("all") || !has_ended(update.status.phase)) {
            updates.push_back(std::move(update));
        }
    }
    if (updates.empty()) {
        session.err() << "No plugin updates" << (session.arguments.on("all") ? "" : " under way")
                      << ".\n";
        return exit_code::fine;
    }
    std::stable_sort(updates.begin(), updates.end(), [](const auto& a, const auto& b) {
        return waits_for_decision(a) > waits_for_decision(b);
    });
    std::vector<std::string> header = {"NAME",   "PLUGIN", "FROM",     "TO",
                                       "CHANGE", "STATE",  "PROGRESS", "AGE"};
    if (ns.empty()) header.insert(header.begin(), "NAMESPACE");
    TextTable table(header);
    std::size_t waiting = 0;
    for (const PluginUpdate& update : updates) {
        const auto& status = update.status;
        waiting += waits_for_decision(update) ? 1U : 0U;
        std::string change = status.change_class.empty() ? "-" : status.change_class;
        if (!update.spec.alarm.empty()) change += " " + update.spec.alarm;
        std::vector<std::string> row = {
            update.meta.name,
            update.spec.plugin,
            short_version(update.spec.from),
            short_version(update.spec.to),
            change,
            state_of(update),
            status.progress.empty() ? "-" : status.progress,
            update.meta.created_at ? human_age(session.now() - *update.meta.created_at) : "-"};
        if (ns.empty()) row.insert(row.begin(), update.meta.ns);
        table.add(std::move(row));
    }
    session.out() << table.take_text(true);
    if (waiting > 0) {
        session.err() << waiting << (waiting == 1 ? " waits" : " wait")
                      << " for a decision: atelier approve NAME, or atelier dismiss NAME\n";
    }
    return exit_code::fine;
}

}  // namespace

int run_approve(Session& session) {
    return run_deciding(session, Decision::approve);
}
int run_dismiss(Session& session) {
    return run_deciding(session, Decision::dismiss);
}

int run_updates(Session& session) {
    if (!session.arguments.words.empty()) return session.usage("updates takes no words");
    const auto code = show_updates(session);
    return code ? *code : session.fail(code.error());
}

}  // namespace atelier::cli
