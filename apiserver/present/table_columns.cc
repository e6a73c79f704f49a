#include <fmt/format.h>

#include "apiserver/present/table.h"
#include "base/json_text.h"
#include "base/text.h"
#include "crds/json_path.h"

namespace atelier::apiserver {
namespace {

using Make = std::function<Cell(const json::Value& object)>;

Cell text_cell(std::string_view text) {
    return {quoted(text)};
}

Cell age_cell(std::string_view time) {
    const auto since = parse_rfc3339(time);
    if (!since) return text_cell("<unknown>");
    return {"", *since};
}

std::string as_text(const json::Value& value) {
    return value.IsString() ? std::string(json::view(value)) : json::text(value);
}

// Several values of a text column are shown with commas between them.
Cell text_of(const std::vector<const json::Value*>& values) {
    std::string text;
    for (const json::Value* value : values) {
        if (value->IsNull()) continue;
        text += (text.empty() ? "" : ",") + as_text(*value);
    }
    return text_cell(text);
}

Cell convert(const std::vector<const json::Value*>& values, const std::string& type) {
    if (values.empty() || values.front()->IsNull()) return {};
    const json::Value& value = *values.front();
    if (type == "string") return text_of(values);
    if (type == "date") return value.IsString() ? age_cell(json::view(value)) : Cell{};
    if (type == "integer" && value.IsInt64()) return {fmt::format("{}", value.GetInt64())};
    if (type == "number" && value.IsNumber()) return {json::text(value)};
    if (type == "boolean" && value.IsBool()) return {value.GetBool() ? "true" : "false"};
    return {};
}

// Core kinds have columns that a JSON path cannot express: counts, and values that depend on
// several fields.
Cell count_of(const std::vector<const json::Value*>& values) {
    if (values.empty()) return {"0"};
    const json::Value& value = *values.front();
    if (value.IsArray()) return {fmt::format("{}", value.Size())};
    return {fmt::format("{}", value.IsObject() ? value.MemberCount() : 0)};
}

Cell reference_of(const std::vector<const json::Value*>& values) {
    if (values.empty()) return {};
    const json::Value& value = *values.front();
    return text_cell(lower(json::string_at(value, {"kind"})) + "/" +
                     json::string_at(value, {"name"}));
}

TableColumn by_path(crds::Column column) {
    auto path = crds::JsonPath::compile(column.json_path);
    if (!path) return {column, [](const json::Value&) { return Cell{}; }};
    auto shared = std::make_shared<const crds::JsonPath>(std::move(*path));
    const std::string format = column.format;
    const std::string type = column.type;
    // These two are ours; a client knows no such formats.
    if (format == "count" || format == "reference") column.format.clear();
    return {std::move(column), [shared, type, format](const json::Value& object) {
                const std::vector<const json::Value*> values = shared->find(object);
                if (format == "count") return count_of(values);
                if (format == "reference") return reference_of(values);
                return convert(values, type);
            }};
}

crds::Column described(std::string name, std::string type, std::string description,
                       std::int64_t priority = 0) {
    crds::Column column;
    column.name = std::move(name);
    column.type = std::move(type);
    column.description = std::move(description);
    column.priority = priority;
    return column;
}

TableColumn name_column() {
    crds::Column column = described(
        "Name", "string",
        "Name must be unique within a namespace. It is set when the object is made and never "
        "changes.");
    column.format = "name";
    return {column, [](const json::Value& object) {
                return text_cell(json::string_at(object, {"metadata", "name"}));
            }};
}

TableColumn age_column() {
    return {described("Age", "date", "How long ago the object was made."),
            [](const json::Value& object) {
                return age_cell(json::string_at(object, {"metadata", "creationTimestamp"}));
            }};
}

TableColumn text_column(std::string name, std::string description, std::int64_t priority,
                        std::function<std::string(const json::Value&)> text) {
    return {
        described(std::move(name), "string", std::move(description), priority),
        [text = std::move(text)](const json::Value& object) { return text_cell(text(object)); }};
}

std::string first_of(const json::Value& event,
                     std::initializer_list<std::initializer_list<std::string_view>> paths) {
    for (const auto& path : paths) {
        std::string text = json::string_at(event, path);
        if (!text.empty()) return text;
    }
    return {};
}

std::string involved(const json::Value& event) {
    return lower(json::string_at(event, {"involvedObject", "kind"})) + "/" +
           json::string_at(event, {"involvedObject", "name"});
}

Cell event_count(const json::Value& event) {
    for (const json::Value* count :
         {json::find(event, {"series", "count"}), json::find(event, {"count"})}) {
        if (count && count->IsInt64()) return {fmt::format("{}", count->GetInt64())};
    }
    return {"1"};
}

std::vector<TableColumn> event_columns() {
    const auto at = [](std::string_view name) {
        return [name](const json::Value& event) { return json::string_at(event, {name}); };
    };
    std::vector<TableColumn> out;
    out.push_back(
        {described("Last Seen", "date", "When this was last seen."), [](const json::Value& event) {
             return age_cell(first_of(event, {{"series", "lastObservedTime"},
                                              {"lastTimestamp"},
                                              {"eventTime"},
                                              {"metadata", "creationTimestamp"}}));
         }});
    out.push_back(text_column("Type", "Normal or Warning.", 0, at("type")));
    out.push_back(text_column("Reason", "Why, in one word.", 0, at("reason")));
    out.push_back(text_column("Object", "What it is about.", 0, involved));
    out.push_back(
        text_column("Subobject", "Which part of the object.", 1, [](const json::Value& e) {
            return json::string_at(e, {"involvedObject", "fieldPath"});
        }));
    out.push_back(
        text_column("Source", "The component that reported it.", 1, [](const json::Value& e) {
            return first_of(e, {{"source", "component"}, {"reportingComponent"}});
        }));
    out.push_back(text_column("Message", "What happened, for people.", 0, [](const json::Value& e) {
        return std::string(trim(json::string_at(e, {"message"})));
    }));
    out.push_back(
        {described("First Seen", "date", "When this was first seen.", 1),
         [](const json::Value& event) {
             return age_cell(first_of(
                 event, {{"firstTimestamp"}, {"eventTime"}, {"metadata", "creationTimestamp"}}));
         }});
    out.push_back({described("Count", "integer", "How often it was seen.", 1), event_count});
    TableColumn name = name_column();
    name.column.priority = 1;
    out.push_back(std::move(name));
    return out;
}

}  // namespace

std::vector<TableColumn> table_columns(const crds::Kind& kind) {
    const std::string resource = kind.resource();
    if (resource == "events") return event_columns();
    std::vector<TableColumn> out{name_column()};
    for (const crds::Column& column : kind.columns) out.push_back(by_path(column));
    if (kind.columns.empty()) out.push_back(age_column());
    return out;
}

}  // namespace atelier::apiserver
