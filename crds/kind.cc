#include "crds/kind.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "crds/definition.h"
#include "crds/json_path.h"
#include "crds/yaml.h"

namespace atelier::crds {
namespace {

using json::find;
using json::string_at;
using json::Value;
using json::view;

Error bad_definition(std::string_view why) {
    return {Code::invalid, fmt::format("custom resource definition: {}", why)};
}

Result<std::vector<std::string>> texts(const Value& object, std::string_view name) {
    std::vector<std::string> out;
    const Value* list = find(object, {name});
    if (!list) return out;
    if (!list->IsArray()) return bad_definition(fmt::format("{} must be a list", name));
    for (const Value& element : list->GetArray()) {
        if (!element.IsString()) return bad_definition(fmt::format("{} must hold strings", name));
        out.emplace_back(view(element));
    }
    return out;
}

Result<void> read_names(Kind& kind, const Value& names) {
    kind.plural = string_at(names, {"plural"});
    kind.singular = string_at(names, {"singular"});
    kind.kind = string_at(names, {"kind"});
    kind.list_kind = string_at(names, {"listKind"});
    if (kind.plural.empty() || kind.kind.empty())
        return bad_definition("names.plural and names.kind are wanted");
    if (kind.singular.empty()) kind.singular = lower(kind.kind);
    if (kind.list_kind.empty()) kind.list_kind = kind.kind + "List";
    kind.short_names = TRY(texts(names, "shortNames"));
    kind.categories = TRY(texts(names, "categories"));
    return {};
}

Result<Column> read_column(const Value& value) {
    Column column;
    column.name = string_at(value, {"name"});
    column.type = string_at(value, {"type"});
    column.format = string_at(value, {"format"});
    column.description = string_at(value, {"description"});
    column.json_path = string_at(value, {"jsonPath"});
    if (const Value* priority = find(value, {"priority"})) {
        if (!priority->IsInt64())
            return bad_definition("the priority of a column must be an integer");
        column.priority = priority->GetInt64();
    }
    static constexpr std::string_view types[] = {"string", "integer", "number", "boolean", "date"};
    if (std::find(std::begin(types), std::end(types), column.type) == std::end(types)) {
        return bad_definition(
            fmt::format("column \"{}\": the type must be string, integer, number, boolean or "
                        "date",
                        column.name));
    }
    if (column.name.empty() || column.json_path.empty())
        return bad_definition("a column wants name and jsonPath");
    const auto path = JsonPath::compile(column.json_path);
    if (!path) return path.error().in(fmt::format("column \"{}\"", column.name));
    return column;
}

Result<void> read_version(Kind& kind, const Value& version) {
    kind.version = string_at(version, {"name"});
    if (kind.version.empty()) return bad_definition("the version has no name");
    const Value* schema = find(version, {"schema", "openAPIV3Schema"});
    if (!schema) return bad_definition("schema.openAPIV3Schema is wanted");
    auto compiled = Schema::compile(*schema);
    if (!compiled) return compiled.error().in("custom resource definition " + kind.plural);
    kind.schema = *compiled;
    if (const Value* subresources = find(version, {"subresources"})) {
        if (!subresources->IsObject()) return bad_definition("subresources must be an object");
        for (const auto& m : subresources->GetObject()) {
            if (view(m.name) != "status") {
                return bad_definition(
                    fmt::format("the subresource \"{}\" is not served", view(m.name)));
            }
            kind.status_subresource = true;
        }
    }
    if (find(version, {"selectableFields"}))
        return bad_definition("selectableFields are not served");
    const Value* columns = find(version, {"additionalPrinterColumns"});
    if (columns && columns->IsArray()) {
        for (const Value& column : columns->GetArray()) {
            kind.columns.push_back(TRY(read_column(column)));
        }
    } else {
        kind.columns.push_back(
            {"Age", "date", "", "Time since creation", 0, ".metadata.creationTimestamp"});
    }
    return {};
}

}  // namespace

Result<Kind> kind_of_definition(const Value& crd) {
    if (string_at(crd, {"apiVersion"}) != "apiextensions.k8s.io/v1" ||
        string_at(crd, {"kind"}) != "CustomResourceDefinition") {
        return bad_definition(
            "apiVersion must be apiextensions.k8s.io/v1, kind CustomResourceDefinition");
    }
    const Value* spec = find(crd, {"spec"});
    const Value* names = spec ? find(*spec, {"names"}) : nullptr;
    const Value* versions = spec ? find(*spec, {"versions"}) : nullptr;
    if (!names || !versions || !versions->IsArray())
        return bad_definition("spec.names and spec.versions wanted");
    Kind kind;
    kind.group = string_at(*spec, {"group"});
    TRY(read_names(kind, *names));
    if (string_at(crd, {"metadata", "name"}) != kind.resource()) {
        return bad_definition(fmt::format("metadata.name must be \"{}\"", kind.resource()));
    }
    const std::string scope = string_at(*spec, {"scope"});
    if (scope != "Namespaced" && scope != "Cluster") {
        return bad_definition("scope must be Namespaced or Cluster");
    }
    kind.scope = scope == "Cluster" ? Scope::cluster : Scope::namespaced;
    const std::string conversion = string_at(*spec, {"conversion", "strategy"});
    if (!conversion.empty() && conversion != "None")
        return bad_definition("conversion is not served");
    if (versions->Size() != 1) return bad_definition("exactly one version is served");
    TRY(read_version(kind, (*versions)[0]));
    return kind;
}

Result<Kind> kind_from_crd(std::string_view yaml) {
    const auto documents = TRY(parse_yaml(yaml, "crd"));
    if (documents.size() != 1) return bad_definition("one document is wanted");
    Kind kind = TRY(kind_of_definition(documents.front().value));
    if (kind.group.empty()) return bad_definition("spec.group is wanted");
    return kind;
}

void Kinds::add(Kind kind) {
    kinds_.push_back(std::make_unique<const Kind>(std::move(kind)));
}

const Kind* Kinds::find(std::string_view resource) const {
    for (const auto& kind : kinds_) {
        if (resource.starts_with(kind->plural) && kind->resource() == resource) return kind.get();
    }
    return nullptr;
}

const Kind* Kinds::find(std::string_view wanted_group, std::string_view wanted_version,
                        std::string_view plural) const {
    for (const auto& kind : kinds_) {
        if (kind->plural == plural && kind->group == wanted_group &&
            kind->version == wanted_version) {
            return kind.get();
        }
    }
    return nullptr;
}

const Kind* Kinds::find_kind(std::string_view wanted_api_version, std::string_view name) const {
    for (const auto& kind : kinds_) {
        if (kind->kind == name && kind->api_version() == wanted_api_version) return kind.get();
    }
    return nullptr;
}

}  // namespace atelier::crds
