#include "apiserver/present/table.h"

#include <fmt/format.h>

#include "base/json_text.h"

namespace atelier::apiserver {
namespace {

constexpr std::size_t rows_kept = 50'000;

std::string definition_json(const crds::Column& column) {
    std::string out = "{\"name\":";
    append_quoted(out, column.name);
    out += ",\"type\":";
    append_quoted(out, column.type);
    out += ",\"format\":";
    append_quoted(out, column.format);
    out += ",\"description\":";
    append_quoted(out, column.description);
    return out + fmt::format(",\"priority\":{}}}", column.priority);
}

}  // namespace

Table::Table(const crds::Kind& kind) : columns_(table_columns(kind)) {
    column_definitions_ = "[";
    for (const TableColumn& column : columns_) {
        if (column_definitions_.size() > 1) column_definitions_ += ',';
        column_definitions_ += definition_json(column.column);
    }
    column_definitions_ += ']';
}

std::shared_ptr<const Table::Row> Table::row(const store::Object& object) {
    // An object that leaves a selection is shown as it was before, with the revision of the change.
    RowKey key{object.key, object.revision, std::hash<std::string>{}(object.body)};
    {
        const std::lock_guard lock(mutex_);
        if (const auto it = rows_.find(key); it != rows_.end()) return it->second;
    }
    auto made = std::make_shared<Row>();
    // What is stored was parsed before it was stored.
    const auto document = json::parse(object.body);
    for (const TableColumn& column : columns_) {
        made->cells.push_back(document ? column.cell(*document) : Cell{});
    }
    const std::lock_guard lock(mutex_);
    if (rows_.size() >= rows_kept) rows_.clear();
    rows_.emplace(std::move(key), made);
    return made;
}

void Table::append_row(std::string& out, const store::Object& object, RowObject include,
                       std::string_view version, Instant now) {
    const std::shared_ptr<const Row> cells = row(object);
    out += "{\"cells\":[";
    bool first = true;
    for (const Cell& cell : cells->cells) {
        if (!first) out += ',';
        first = false;
        if (cell.since) {
            append_quoted(out, human_age(now - *cell.since));
        } else {
            out += cell.json;
        }
    }
    out += ']';
    if (include == RowObject::object) {
        out += ",\"object\":";
        out += object.body;
    } else if (include == RowObject::metadata) {
        out += ",\"object\":";
        append_partial(out, object, version);
    }
    out += '}';
}

void append_partial(std::string& out, const store::Object& object, std::string_view version) {
    out += R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/)";
    out += version;
    out += "\",\"metadata\":";
    const std::string_view metadata = member_text(object.body, "metadata");
    out += metadata.empty() ? std::string_view("{}") : metadata;
    out += '}';
}

}  // namespace atelier::apiserver
