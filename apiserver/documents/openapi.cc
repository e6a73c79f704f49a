#include "apiserver/documents/openapi.h"

#include <fmt/format.h>

#include "base/json_text.h"

namespace atelier::apiserver {
namespace {

std::string parameters_json(const ApiOperation& operation) {
    std::string out;
    const auto add = [&](std::string_view name, std::string_view in, std::string_view type) {
        out += out.empty() ? "" : ",";
        out += fmt::format(R"({{"name":"{}","in":"{}","schema":{{"type":"{}"}}}})", name, in, type);
    };
    if (operation.method == "put" || operation.method == "post" || operation.method == "patch") {
        for (const char* name : {"dryRun", "fieldManager", "fieldValidation"}) {
            add(name, "query", "string");
        }
    } else if (operation.method == "delete") {
        for (const char* name : {"dryRun", "propagationPolicy"}) add(name, "query", "string");
    }
    if (operation.action == "list") {
        for (const char* name : {"labelSelector", "fieldSelector", "continue", "resourceVersion"}) {
            add(name, "query", "string");
        }
        add("limit", "query", "integer");
        add("watch", "query", "boolean");
    }
    return "[" + out + "]";
}

// Parameters of the path are declared once for all operations on it.
std::string path_parameters_json(std::string_view path) {
    std::string out;
    for (const std::string_view name : {"namespace", "name"}) {
        if (path.find(fmt::format("{{{}}}", name)) == std::string_view::npos) continue;
        out += out.empty() ? "" : ",";
        out += fmt::format(
            R"({{"name":"{}","in":"path","required":true,"schema":{{"type":"string"}}}})", name);
    }
    return "[" + out + "]";
}

// Which bodies are taken. Strategic merge is left out on purpose: clients then build such patches
// from the types they have compiled in, which know every list's key.
std::string body_json(const ApiOperation& operation, const std::string& reference) {
    if (operation.method == "patch") {
        return R"(,"requestBody":{"content":{"application/json-patch+json":{},"application/merge-patch+json":{}}})";
    }
    if (operation.method != "put" && operation.method != "post") return {};
    return ",\"requestBody\":{\"content\":{\"application/json\":{\"schema\":" + reference + "}}}";
}

std::string operation_json(const ApiOperation& operation) {
    const std::string reference =
        "{\"$ref\":" + quoted("#/components/schemas/" + definition_name(*operation.kind)) + "}";
    std::string out = quoted(operation.method) + ":{\"operationId\":" + quoted(operation.id);
    out += ",\"x-kubernetes-action\":" + quoted(operation.action);
    out += ",\"x-kubernetes-group-version-kind\":" + gvk_json(*operation.kind);
    out += ",\"parameters\":" + parameters_json(operation) + body_json(operation, reference);
    out += R"(,"responses":{"200":{"description":"OK")";
    if (operation.action == "get") {
        out += ",\"content\":{\"application/json\":{\"schema\":" + reference + "}}";
    }
    return out + "}}}";
}

std::string paths_json(const Catalog& catalog, const std::vector<const crds::Kind*>& kinds) {
    std::string out = "{";
    for (const crds::Kind* kind : kinds) {
        for (const ApiPath& path : api_paths(catalog, *kind)) {
            if (out.size() > 1) out += ',';
            out += quoted(path.path) + ":{\"parameters\":" + path_parameters_json(path.path);
            for (const ApiOperation& operation : path.operations) {
                out += "," + operation_json(operation);
            }
            out += '}';
        }
    }
    return out + "}";
}

std::vector<const crds::Kind*> kinds_of(const Catalog& catalog, const GroupVersion& gv) {
    std::vector<const crds::Kind*> out;
    for (const crds::Kind* kind : catalog.kinds()) {
        if (kind->group == gv.group && kind->version == gv.version) out.push_back(kind);
    }
    return out;
}

std::string relative_path(const GroupVersion& gv) {
    return gv.group.empty() ? "api/" + gv.version : "apis/" + gv.group + "/" + gv.version;
}

}  // namespace

OpenApi::OpenApi(const Catalog& catalog, const std::string& version) {
    std::string root = "{\"paths\":{";
    for (const GroupVersion& gv : catalog.group_versions()) {
        const std::vector<const crds::Kind*> kinds = kinds_of(catalog, gv);
        std::string document = R"({"openapi":"3.0.0","info":{"title":"Atelier","version":)";
        append_quoted(document, version);
        document += "},\"paths\":" + paths_json(catalog, kinds);
        document +=
            ",\"components\":{\"schemas\":" + json::text(definitions(catalog, kinds)) + "}}";
        const StaticAnswer& made = v3_[gv] = static_answer(std::move(document));
        if (root.back() != '{') root += ',';
        root +=
            quoted(relative_path(gv)) + ":{\"serverRelativeURL\":" + quoted(v3_url(gv, made)) + "}";
    }
    v3_root_ = static_answer(root + "}}");
    v2_json_ = static_answer(openapi_v2_json(catalog, version));
    v2_ = static_answer(openapi_v2_protobuf(catalog, version),
                        "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
}

std::string openapi_v2_json(const Catalog& catalog, const std::string& version) {
    std::string out = R"({"swagger":"2.0","info":{"title":"Atelier","version":)" + quoted(version);
    out += "},\"paths\":{";
    for (const crds::Kind* kind : catalog.kinds()) {
        for (const ApiPath& path : api_paths(catalog, *kind)) {
            if (out.back() != '{') out += ',';
            out += quoted(path.path) + ":{";
            for (const ApiOperation& operation : path.operations) {
                if (out.back() != '{') out += ',';
                out += quoted(operation.method) + ":{\"operationId\":" + quoted(operation.id);
                out += ",\"x-kubernetes-action\":" + quoted(operation.action);
                out += ",\"x-kubernetes-group-version-kind\":" + gvk_json(*operation.kind);
                out += R"(,"responses":{"200":{"description":"OK"}}})";
            }
            out += '}';
        }
    }
    // The two versions differ in where references point; no description contains such a text.
    std::string defined = json::text(definitions(catalog, catalog.kinds()));
    constexpr std::string_view version_3 = "#/components/schemas/";
    for (std::size_t at = 0; (at = defined.find(version_3, at)) != std::string::npos;) {
        defined.replace(at, version_3.size(), "#/definitions/");
    }
    return out + "},\"definitions\":" + defined + "}";
}

const StaticAnswer* OpenApi::v3(const GroupVersion& gv) const {
    const auto it = v3_.find(gv);
    return it == v3_.end() ? nullptr : &it->second;
}

std::string OpenApi::hash_of(const StaticAnswer& document) {
    return document.etag.substr(1, document.etag.size() - 2);
}

std::string OpenApi::v3_url(const GroupVersion& gv, const StaticAnswer& document) {
    return "/openapi/v3/" + relative_path(gv) + "?hash=" + hash_of(document);
}

}  // namespace atelier::apiserver
