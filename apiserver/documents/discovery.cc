#include "apiserver/documents/discovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/resources/subresources.h"
#include "base/digest.h"
#include "base/json_text.h"

namespace atelier::apiserver {
namespace {

using Names = std::vector<std::string>;

const Names all_verbs{"create", "delete", "deletecollection", "get",
                      "list",   "patch",  "update",           "watch"};
const Names read_verbs{"get", "list", "watch"};
const Names create_verbs{"create"};

std::string list_json(const Names& texts) {
    std::string out = "[";
    for (const std::string& text : texts) {
        if (out.size() > 1) out += ',';
        append_quoted(out, text);
    }
    return out + "]";
}

// One row of discovery, whatever its form.
struct Resource {
    std::string plural;
    std::string singular;
    std::string kind;
    bool namespaced = false;
    const Names& verbs;
    Names short_names;
    Names categories;
    std::vector<Subresource> subresources;
};

std::vector<Resource> resources_of(const Catalog& catalog, const GroupVersion& gv) {
    std::vector<Resource> out;
    for (const crds::Kind* kind : catalog.kinds()) {
        if (kind->group != gv.group || kind->version != gv.version) continue;
        Resource r{kind->plural,
                   kind->singular,
                   kind->kind,
                   kind->scope == crds::Scope::namespaced,
                   catalog.is_read_only(*kind) ? read_verbs : all_verbs,
                   kind->short_names,
                   kind->categories,
                   {}};
        r.subresources = subresources_of(catalog, kind->resource());
        out.push_back(std::move(r));
    }
    if (gv.group == crds::group) {
        out.push_back({"plans",
                       "plan",
                       "Plan",
                       true,
                       create_verbs,
                       {},
                       {},
                       subresources_of(catalog, plans_resource)});
    }
    for (const Review& review : Catalog::reviews()) {
        if (review.group != gv.group || review.version != gv.version) continue;
        std::string singular(review.plural.substr(0, review.plural.size() - 1));
        out.push_back({std::string(review.plural),
                       std::move(singular),
                       std::string(review.kind),
                       false,
                       create_verbs,
                       {},
                       {},
                       {}});
    }
    return out;
}

std::string resource_json(const Resource& r) {
    std::string out = "{\"name\":" + quoted(r.plural);
    out += ",\"singularName\":" + quoted(r.singular);
    out += fmt::format(",\"namespaced\":{}", r.namespaced);
    out += ",\"kind\":" + quoted(r.kind) + ",\"verbs\":" + list_json(r.verbs);
    if (!r.short_names.empty()) out += ",\"shortNames\":" + list_json(r.short_names);
    if (!r.categories.empty()) out += ",\"categories\":" + list_json(r.categories);
    out += '}';
    for (const Subresource& sub : r.subresources) {
        out += ",{\"name\":" + quoted(r.plural + "/" + sub.name);
        out += fmt::format(",\"singularName\":\"\",\"namespaced\":{}", r.namespaced);
        out += ",\"kind\":" + quoted(sub.kind) + ",\"verbs\":" + list_json(sub.verb_names()) + "}";
    }
    return out;
}

std::string resource_list_json(const Catalog& catalog, const GroupVersion& gv) {
    std::string out = R"({"kind":"APIResourceList","apiVersion":"v1","groupVersion":)";
    append_quoted(out, gv.text());
    out += ",\"resources\":[";
    bool first = true;
    for (const Resource& r : resources_of(catalog, gv)) {
        if (!first) out += ',';
        first = false;
        out += resource_json(r);
    }
    return out + "]}\n";
}

std::string response_kind(const GroupVersion& gv, std::string_view kind) {
    return R"({"group":)" + quoted(gv.group) + ",\"version\":" + quoted(gv.version) +
           ",\"kind\":" + quoted(kind) + "}";
}

std::string aggregated_resource(const GroupVersion& gv, const Resource& r) {
    std::string out = "{\"resource\":" + quoted(r.plural);
    out += ",\"singularResource\":" + quoted(r.singular);
    out += fmt::format(",\"scope\":\"{}\"", r.namespaced ? "Namespaced" : "Cluster");
    out += ",\"responseKind\":" + response_kind(gv, r.kind);
    out += ",\"verbs\":" + list_json(r.verbs);
    if (!r.short_names.empty()) out += ",\"shortNames\":" + list_json(r.short_names);
    if (!r.categories.empty()) out += ",\"categories\":" + list_json(r.categories);
    if (!r.subresources.empty()) {
        out += ",\"subresources\":[";
        for (const Subresource& sub : r.subresources) {
            if (out.back() != '[') out += ',';
            out += "{\"subresource\":" + quoted(sub.name);
            out += ",\"responseKind\":" + response_kind(gv, sub.kind);
            out += ",\"verbs\":" + list_json(sub.verb_names()) + "}";
        }
        out += ']';
    }
    return out + "}";
}

// `core`: of /api, else of /apis.
std::string aggregated_json(const Catalog& catalog, bool core, std::string_view version) {
    std::string out = R"({"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/)";
    out += version;
    out += R"(","metadata":{},"items":[)";
    for (const GroupVersion& gv : catalog.group_versions()) {
        if (gv.group.empty() != core) continue;
        if (out.back() != '[') out += ',';
        out += core
                   ? std::string(R"({"metadata":{"creationTimestamp":null})")
                   : "{\"metadata\":{\"name\":" + quoted(gv.group) + ",\"creationTimestamp\":null}";
        out += ",\"versions\":[{\"version\":" + quoted(gv.version);
        out += R"(,"freshness":"Current","resources":[)";
        for (const Resource& r : resources_of(catalog, gv)) {
            if (out.back() != '[') out += ',';
            out += aggregated_resource(gv, r);
        }
        out += "]}]}";
    }
    return out + "]}\n";
}

std::string group_members(const GroupVersion& gv) {
    const std::string version =
        "{\"groupVersion\":" + quoted(gv.text()) + ",\"version\":" + quoted(gv.version) + "}";
    return "\"name\":" + quoted(gv.group) + ",\"versions\":[" + version +
           "],\"preferredVersion\":" + version;
}

StaticAnswer aggregated(const Catalog& catalog, bool core, std::string_view version) {
    return static_answer(
        aggregated_json(catalog, core, version),
        fmt::format("application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList",
                    version));
}

}  // namespace

StaticAnswer static_answer(std::string body, std::string content_type) {
    std::string etag = "\"" + sha256_hex(body) + "\"";
    return {std::move(content_type), std::move(body), std::move(etag)};
}

Discovery::Discovery(const Catalog& catalog, const std::string& address) {
    core_versions_[DiscoveryForm::plain] =
        static_answer(R"({"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[)"
                      R"({"clientCIDR":"0.0.0.0/0","serverAddress":)" +
                      quoted(address) + "}]}\n");
    std::string groups = R"({"kind":"APIGroupList","apiVersion":"v1","groups":[)";
    for (const GroupVersion& gv : catalog.group_versions()) {
        resources_[gv] = static_answer(resource_list_json(catalog, gv));
        if (gv.group.empty()) continue;
        const std::string members = group_members(gv);
        if (groups.back() != '[') groups += ',';
        groups += "{" + members + "}";
        group_[gv.group] =
            static_answer(R"({"kind":"APIGroup","apiVersion":"v1",)" + members + "}\n");
    }
    groups_[DiscoveryForm::plain] = static_answer(groups + "]}\n");
    for (const auto& [form, version] :
         {std::pair(DiscoveryForm::v2, "v2"), std::pair(DiscoveryForm::v2beta1, "v2beta1")}) {
        core_versions_[form] = aggregated(catalog, true, version);
        groups_[form] = aggregated(catalog, false, version);
    }
}

const StaticAnswer& Discovery::core_versions(DiscoveryForm form) const {
    return core_versions_.at(form);
}

const StaticAnswer& Discovery::groups(DiscoveryForm form) const {
    return groups_.at(form);
}

const StaticAnswer* Discovery::group(std::string_view name) const {
    const auto it = group_.find(name);
    return it == group_.end() ? nullptr : &it->second;
}

const StaticAnswer* Discovery::resources(const GroupVersion& gv) const {
    const auto it = resources_.find(gv);
    return it == resources_.end() ? nullptr : &it->second;
}

}  // namespace atelier::apiserver
