#include <ostream>

#include "base/text.h"
#include "cli/objects/secrets.h"
#include "cli/objects/three_way.h"
#include "cli/output/event_table.h"
#include "cli/output/text_table.h"
#include "cli/verbs/verbs.h"
#include "crds/yaml.h"

namespace atelier::cli {
namespace {

std::string upper_first(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
    }
    return text;
}

std::string indented(const std::string& text) {
    std::string out;
    for (const auto& line : split(text, '\n')) {
        if (!line.empty()) out += "  " + printable(line) + "\n";
    }
    return out;
}

void describe_map(std::ostream& out, const json::Value& object, std::string_view name,
                  std::string_view title) {
    const json::Value* const map = json::find(object, {"metadata", name});
    bool first = true;
    out << title;
    if (map && map->IsObject()) {
        for (const auto& member : map->GetObject()) {
            if (json::view(member.name) == last_applied_annotation) continue;
            out << (first ? "" : std::string(title.size(), ' '))
                << printable(json::view(member.name)) << "="
                << printable(member.value.IsString() ? json::view(member.value) : "") << "\n";
            first = false;
        }
    }
    if (first) out << "<none>\n";
}

std::string age_of(const json::Value& object, std::string_view field, Instant now) {
    const auto instant = parse_rfc3339(json::string_at(object, {field}));
    return instant ? human_age(std::max(Duration::zero(), now - *instant)) : "<unknown>";
}

void describe_conditions(std::ostream& out, const json::Value& object, Instant now) {
    const json::Value* const conditions = json::find(object, {"status", "conditions"});
    if (!conditions || !conditions->IsArray() || conditions->Empty()) return;
    TextTable table({"TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"});
    for (const auto& condition : conditions->GetArray()) {
        table.add({json::string_at(condition, {"type"}), json::string_at(condition, {"status"}),
                   json::string_at(condition, {"reason"}),
                   age_of(condition, "lastTransitionTime", now),
                   json::string_at(condition, {"message"})});
    }
    out << "Conditions:\n" << indented(table.take_text(true));
}

// The values of a Secret by their sizes.
void describe_values(std::ostream& out, const json::Value& secret) {
    out << "Data:\n";
    for (const auto& [name, bytes] : sizes_of_values(secret)) {
        out << "  " << printable(name) << ": " << bytes << (bytes == 1 ? " byte" : " bytes")
            << "\n";
    }
}

// The rest of the object under headings: "spec" as "Spec:".
void describe_members(std::ostream& out, const Resource& resource, const json::Value& object) {
    for (const auto& member : object.GetObject()) {
        const std::string name(json::view(member.name));
        if (name == "metadata" || name == "apiVersion" || name == "kind") continue;
        if (is_secret(resource) && (name == "data" || name == "stringData")) continue;
        json::Document value = json::copy(member.value);
        if (name == "status" && value.IsObject()) json::remove(value, "conditions");
        if (value.IsObject() && value.ObjectEmpty()) continue;
        out << upper_first(name) << ":\n" << indented(crds::to_yaml(value));
    }
    if (is_secret(resource)) describe_values(out, object);
}

Result<void> describe(Session& session, Client& client, const Resource& resource,
                      const json::Value& object) {
    std::ostream& out = session.out();
    const std::string ns = json::string_at(object, {"metadata", "namespace"});
    const std::string name = json::string_at(object, {"metadata", "name"});
    out << "Name:        " << printable(name) << "\n";
    if (!ns.empty()) out << "Namespace:   " << printable(ns) << "\n";
    describe_map(out, object, "labels", "Labels:      ");
    describe_map(out, object, "annotations", "Annotations: ");
    out << "API Version: " << json::string_at(object, {"apiVersion"})
        << "\nKind:        " << json::string_at(object, {"kind"}) << "\n";
    if (const json::Value* const metadata = json::find(object, {"metadata"})) {
        out << "Created:     " << json::string_at(*metadata, {"creationTimestamp"}) << " ("
            << age_of(*metadata, "creationTimestamp", session.now()) << ")\n";
        if (metadata->HasMember("deletionTimestamp")) {
            out << "Deleting:    since " << age_of(*metadata, "deletionTimestamp", session.now())
                << "\n";
        }
    }
    describe_members(out, resource, object);
    describe_conditions(out, object, session.now());
    const Resource event_kind = TRY(client.resolve("events"));
    auto events = TRY(client.items(event_kind, ns, events_about(resource.kind, name)));
    sort_by_last_seen(events);
    TextTable table(event_header(false, false));
    for (const auto& event : events) table.add(event_row(event, session.now(), false, false));
    out << (table.empty() ? "Events:      <none>\n" : "Events:\n" + indented(table.take_text(true)))
        << std::flush;
    return {};
}

Result<int> describe_all(Session& session) {
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    const auto& words = session.arguments.words;
    std::vector<std::pair<Resource, json::Document>> found;
    int code = exit_code::fine;
    if (words.size() == 1 && words[0].find('/') == std::string::npos) {
        Query query;
        if (const auto text = session.arguments.text("selector"); !text.empty()) {
            query.emplace_back("labelSelector", text);
        }
        for (const Resource& resource : TRY(resources_of(*client, words[0]))) {
            for (auto& item : TRY(client->items(resource, ns, query))) {
                found.emplace_back(resource, std::move(item));
            }
        }
        if (found.empty()) session.err() << "No resources found.\n";
    } else {
        for (const Target& target : TRY(targets_of(session, words))) {
            auto object = client->get(target.resource, ns, target.name);
            if (object) {
                found.emplace_back(target.resource, *std::move(object));
            } else {
                code = session.fail(object.error());
            }
        }
    }
    bool first = true;
    for (const auto& [resource, object] : found) {
        if (!first) session.out() << "\n\n";
        first = false;
        TRY(describe(session, *client, resource, object));
    }
    return code;
}

}  // namespace

int run_describe(Session& session) {
    if (session.arguments.words.empty()) {
        return session.usage("name a kind: atelier describe KIND NAME");
    }
    const auto code = describe_all(session);
    return code ? *code : session.fail(code.error());
}

}  // namespace atelier::cli
