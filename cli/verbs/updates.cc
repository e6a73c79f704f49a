// updates: the plugin updates of a namespace, those that wait for a decision first.
#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "cli/output/text_table.h"
#include "cli/verbs/decision.h"
#include "cli/verbs/verbs.h"
#include "crds/plugin_update_conditions.h"

namespace atelier::cli {
namespace {

using crds::Decision;
using crds::PluginUpdate;
using crds::UpdatePhase;

std::string state_of(const PluginUpdate& update) {
    if (waits_for_decision(update)) return "Waits for approval";
    if (update.spec.decision == Decision::approve && update.status.phase == UpdatePhase::pending) {
        return "Approved";
    }
    return std::string(json::name_of(update.status.phase));
}

Result<int> show_updates(Session& session) {
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    const Resource resource = TRY(client->resolve(PluginUpdate::Spec::resource));
    std::vector<PluginUpdate> updates;
    for (const auto& item : TRY(client->items(resource, ns))) {
        auto update = TRY(crds::decode<PluginUpdate>(static_cast<const json::Value&>(item)));
        if (session.arguments.on("all") || !crds::has_ended(update.status.phase)) {
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

int run_updates(Session& session) {
    if (!session.arguments.words.empty()) return session.usage("updates takes no words");
    const auto code = show_updates(session);
    return code ? *code : session.fail(code.error());
}

}  // namespace atelier::cli
