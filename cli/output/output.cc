#include "cli/output/output.h"

#include "base/text.h"
#include "crds/yaml.h"

namespace atelier::cli {

Result<Format> format_of(std::string_view text) {
    using Kind = Format::Kind;
    static constexpr std::pair<std::string_view, Kind> names[] = {
        {"", Kind::table},    {"table", Kind::table}, {"wide", Kind::wide},
        {"yaml", Kind::yaml}, {"json", Kind::json},   {"name", Kind::name}};
    for (const auto& [name, kind] : names) {
        if (name == text) return Format{kind, {}};
    }
    if (text.starts_with("jsonpath=")) {
        auto path = crds::JsonPath::compile(text.substr(9));
        if (!path) return path.error().in("--output");
        return Format{Kind::json_path, *std::move(path)};
    }
    return Error{Code::invalid,
                 "the output \"" + std::string(text) +
                     "\" is not one of table, wide, yaml, json, name, jsonpath=PATH"};
}

std::string object_text(const Format& format, const json::Value& object) {
    switch (format.kind) {
        case Format::Kind::yaml:
            return crds::to_yaml(object);
        case Format::Kind::json:
            return json::pretty(object) + "\n";
        case Format::Kind::json_path: {
            std::vector<std::string> texts;
            for (const json::Value* value : format.path.find(object)) {
                texts.push_back(value->IsString() ? std::string(json::view(*value))
                                                  : json::text(*value));
            }
            return join(texts, " ") + "\n";
        }
        default:
            break;
    }
    const std::string version = json::string_at(object, {"apiVersion"});
    const std::size_t slash = version.find('/');
    Resource resource;
    resource.kind = json::string_at(object, {"kind"});
    resource.group = slash == std::string::npos ? "" : version.substr(0, slash);
    return printable(resource.name_prefix() + "/" + json::string_at(object, {"metadata", "name"})) +
           "\n";
}

Result<void> ServerTable::add(const json::Value& table) {
    const json::Value* const columns = json::find(table, {"columnDefinitions"});
    const json::Value* const rows = json::find(table, {"rows"});
    if (!table_) {
        if (json::string_at(table, {"kind"}) != "Table" || !columns || !columns->IsArray()) {
            return Error{Code::internal, "the server did not answer with a table"};
        }
        std::vector<std::string> header;
        if (options_.with_namespace) header.emplace_back("NAMESPACE");
        for (rapidjson::SizeType i = 0; i < columns->Size(); ++i) {
            const json::Value* const priority = json::find((*columns)[i], {"priority"});
            if (priority && priority->IsInt() && priority->GetInt() > 0 && !options_.wide) continue;
            if (json::string_at((*columns)[i], {"format"}) == "name") name_column_ = shown_.size();
            shown_.push_back(i);
            header.push_back(upper(json::string_at((*columns)[i], {"name"})));
        }
        table_ = std::make_unique<TextTable>(std::move(header));
    }
    if (!rows || !rows->IsArray()) return {};
    for (const auto& row : rows->GetArray()) add_row(row);
    return {};
}

void ServerTable::add_row(const json::Value& row) {
    const json::Value* const cells = json::find(row, {"cells"});
    std::vector<std::string> texts;
    if (options_.with_namespace) {
        texts.push_back(json::string_at(row, {"object", "metadata", "namespace"}));
    }
    for (std::size_t n = 0; n < shown_.size(); ++n) {
        const bool there = cells && cells->IsArray() && shown_[n] < cells->Size();
        const std::string text = cell_text(there ? &(*cells)[shown_[n]] : nullptr);
        texts.push_back(n == name_column_ ? options_.name_prefix + text : text);
    }
    table_->add(std::move(texts));
}

std::string ServerTable::take_text() {
    if (!table_) return {};
    return table_->take_text(!std::exchange(header_printed_, true));
}

bool speaks_unicode(const Environment& environment) {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string value = lower(environment.get(name));
        if (!value.empty())
            return value.find("utf-8") != value.npos || value.find("utf8") != value.npos;
    }
    return false;
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

std::string cell_text(const json::Value* value) {
    if (!value || value->IsNull()) return "<none>";
    return value->IsString() ? std::string(json::view(*value)) : json::text(*value);
}

}  // namespace atelier::cli
