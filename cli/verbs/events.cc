#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ostream>

#include "base/text.h"
#include "cli/output/event_table.h"
#include "cli/output/text_table.h"
#include "cli/verb.h"

namespace atelier::cli {

Instant last_seen(const json::Value& event) {
    for (const auto& path : {std::vector<std::string_view>{"series", "lastObservedTime"},
                             {"lastTimestamp"},
                             {"eventTime"},
                             {"metadata", "creationTimestamp"}}) {
        const std::string text = path.size() == 2 ? json::string_at(event, {path[0], path[1]})
                                                  : json::string_at(event, {path[0]});
        if (const auto instant = parse_rfc3339(text); !text.empty() && instant) return *instant;
    }
    return {};
}

std::vector<std::string> event_header(bool with_namespace, bool with_object) {
    std::vector<std::string> out;
    if (with_namespace) out.emplace_back("NAMESPACE");
    out.insert(out.end(), {"LAST SEEN", "TYPE", "REASON"});
    if (with_object) out.emplace_back("OBJECT");
    out.emplace_back("MESSAGE");
    return out;
}

std::vector<std::string> event_row(const json::Value& event, Instant now, bool with_namespace,
                                   bool with_object) {
    std::vector<std::string> out;
    if (with_namespace) out.push_back(json::string_at(event, {"metadata", "namespace"}));
    std::string seen = human_age(std::max(Duration::zero(), now - last_seen(event)));
    const json::Value* const count = json::find(event, {"count"});
    if (count && count->IsInt() && count->GetInt() > 1) {
        seen += " (x" + std::to_string(count->GetInt()) + ")";
    }
    out.insert(out.end(),
               {seen, json::string_at(event, {"type"}), json::string_at(event, {"reason"})});
    if (with_object) {
        out.push_back(lower(json::string_at(event, {"involvedObject", "kind"})) + "/" +
                      json::string_at(event, {"involvedObject", "name"}));
    }
    out.push_back(json::string_at(event, {"message"}));
    return out;
}

// Times are whole seconds. Within one, what was written first comes first: our server's revisions
// are numbers, and those of another are only words that are equal or not.
void sort_by_last_seen(std::vector<json::Document>& events) {
    const auto written = [](const json::Value& event) {
        const std::string text = json::string_at(event, {"metadata", "resourceVersion"});
        std::uint64_t number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        return number;
    };
    std::stable_sort(events.begin(), events.end(), [&](const auto& a, const auto& b) {
        const Instant when_a = last_seen(a);
        const Instant when_b = last_seen(b);
        return when_a != when_b ? when_a < when_b : written(a) < written(b);
    });
}

Query events_about(const std::string& kind, const std::string& name) {
    return {{"fieldSelector", "involvedObject.kind=" + kind + ",involvedObject.name=" + name}};
}

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
