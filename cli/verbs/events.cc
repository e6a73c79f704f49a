#include <ostream>

#include "cli/output/event_table.h"
#include "cli/output/text_table.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {
namespace {

Result<int> show_events(Session& session) {
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    const Resource events = TRY(client->resolve("events"));
    Query query;
    if (const std::string about = session.arguments.text("for"); !about.empty()) {
        const auto targets = TRY(targets_of(session, {about}));
        query = events_about(targets[0].resource.kind, targets[0].name);
    }
    const bool watching = session.arguments.on("watch");
    std::string revision;
    auto found = TRY(client->items(events, ns, query, &revision));
    sort_by_last_seen(found);
    TextTable table(event_header(ns.empty(), true));
    for (const auto& event : found) table.add(event_row(event, session.now(), ns.empty(), true));
    if (table.empty() && !watching) {
        session.err() << "No events found.\n";
        return exit_code::fine;
    }
    session.out() << table.take_text(true) << std::flush;
    if (!watching) return exit_code::fine;
    auto watch = TRY(client->watch(events, ns, query, revision));
    while (!session.interrupted()) {
        auto event = watch->next(glance);
        if (!event && event.error().code == Code::gone) {
            watch = TRY(client->watch(events, ns, query, ""));
            continue;
        }
        if (!event) return event.error();
        if (!*event || (*event)->type == "DELETED") continue;
        table.add(event_row((*event)->object, session.now(), ns.empty(), true));
        session.out() << table.take_text(false) << std::flush;
    }
    return session.interrupted_watching("atelier events -w");
}

}  // namespace

int run_events(Session& session) {
    if (!session.arguments.words.empty()) {
        return session.usage("events takes no words: use --for KIND/NAME");
    }
    const auto code = show_events(session);
    return code ? *code : session.fail(code.error());
}

}  // namespace atelier::cli
