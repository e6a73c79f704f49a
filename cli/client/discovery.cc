// Discovery: the part of Client that asks the server for its kinds.
#include "base/text.h"
#include "cli/client/client.h"

namespace atelier::cli {
namespace {

constexpr std::string_view accept_aggregated =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

std::vector<std::string> texts_at(const json::Value& value, std::string_view name) {
    std::vector<std::string> out;
    const json::Value* const list = json::find(value, {name});
    if (!list || !list->IsArray()) return out;
    for (const auto& text : list->GetArray()) {
        if (text.IsString()) out.emplace_back(json::view(text));
    }
    return out;
}

const json::Value& list_at(const json::Value& value, std::string_view name) {
    static const json::Value empty(rapidjson::kArrayType);
    const json::Value* const list = json::find(value, {name});
    return list && list->IsArray() ? *list : empty;
}

bool can_list(const Resource& resource) {
    for (const auto& verb : resource.verbs) {
        if (verb == "list") return true;
    }
    return false;
}

void take_aggregated(const json::Value& groups, std::vector<Resource>& out) {
    for (const auto& group : list_at(groups, "items").GetArray()) {
        const json::Value& versions = list_at(group, "versions");
        if (versions.Empty()) continue;
        const json::Value& version = versions[0];  // the preferred one
        for (const auto& entry : list_at(version, "resources").GetArray()) {
            Resource resource;
            resource.group = json::string_at(group, {"metadata", "name"});
            resource.version = json::string_at(version, {"version"});
            resource.kind = json::string_at(entry, {"responseKind", "kind"});
            resource.plural = json::string_at(entry, {"resource"});
            resource.singular = json::string_at(entry, {"singularResource"});
            resource.short_names = texts_at(entry, "shortNames");
            resource.categories = texts_at(entry, "categories");
            resource.verbs = texts_at(entry, "verbs");
            resource.namespaced = json::string_at(entry, {"scope"}) == "Namespaced";
            if (can_list(resource)) out.push_back(std::move(resource));
        }
    }
}

void take_list(const json::Value& list, std::vector<Resource>& out) {
    const std::string group_version = json::string_at(list, {"groupVersion"});
    const std::size_t slash = group_version.find('/');
    for (const auto& entry : list_at(list, "resources").GetArray()) {
        Resource resource;
        resource.group = slash == std::string::npos ? "" : group_version.substr(0, slash);
        resource.version = group_version.substr(slash == std::string::npos ? 0 : slash + 1);
        resource.kind = json::string_at(entry, {"kind"});
        resource.plural = json::string_at(entry, {"name"});
        resource.singular = json::string_at(entry, {"singularName"});
        resource.short_names = texts_at(entry, "shortNames");
        resource.categories = texts_at(entry, "categories");
        resource.verbs = texts_at(entry, "verbs");
        const json::Value* const namespaced = json::find(entry, {"namespaced"});
        resource.namespaced = namespaced && namespaced->IsTrue();
        const bool subresource = resource.plural.find('/') != std::string::npos;
        if (!subresource && can_list(resource)) out.push_back(std::move(resource));
    }
}

bool is_called(const Resource& resource, const std::string& text) {
    if (text == resource.plural || text == resource.singular || text == lower(resource.kind)) {
        return true;
    }
    for (const auto& name : resource.short_names) {
        if (text == name) return true;
    }
    return false;
}

}  // namespace

std::string Resource::name_prefix() const {
    return lower(kind) + (group.empty() ? "" : "." + group);
}

std::string Resource::path(std::string_view ns, std::string_view name) const {
    std::string out = group.empty() ? "/api/" + version : "/apis/" + group + "/" + version;
    if (namespaced && !ns.empty()) out += "/namespaces/" + percent_encode(ns);
    out += "/" + plural;
    if (!name.empty()) out += "/" + percent_encode(name);
    return out;
}

Result<void> Client::discover(const std::string& path) {
    const json::Document answer = TRY(call({"GET", path, {}, std::string(accept_aggregated)}));
    const std::string kind = json::string_at(answer, {"kind"});
    if (kind == "APIGroupDiscoveryList") {
        take_aggregated(answer, *resources_);
        return {};
    }
    // The server does not have aggregated discovery: ask for each group version.
    std::vector<std::string> paths;
    if (kind == "APIVersions") {
        for (const auto& version : texts_at(answer, "versions"))
            paths.push_back(path + "/" + version);
    }
    for (const auto& group : list_at(answer, "groups").GetArray()) {
        paths.push_back(path + "/" + json::string_at(group, {"preferredVersion", "groupVersion"}));
    }
    for (const auto& group_version : paths) {
        const json::Document list = TRY(call({"GET", group_version}));
        take_list(list, *resources_);
    }
    return {};
}

Result<std::vector<Resource>> Client::resources() {
    if (resources_) return *resources_;
    resources_.emplace();
    for (const char* path : {"/apis", "/api"}) {
        if (auto found = discover(path); !found) {
            resources_.reset();
            return found.error();
        }
    }
    return *resources_;
}

Result<Resource> Client::resolve(std::string_view text) {
    const std::vector<Resource> all = TRY(resources());
    const std::string wanted = lower(text);
    std::vector<std::string> names;
    for (const Resource& resource : all) {
        if (is_called(resource, wanted)) return resource;
        // "workspaces.atelier.dev", "workspaces.v1alpha1.atelier.dev"
        const std::size_t dot = wanted.find('.');
        if (dot != std::string::npos && is_called(resource, wanted.substr(0, dot))) {
            const std::string rest = wanted.substr(dot + 1);
            if (rest == resource.group || rest == resource.version + "." + resource.group) {
                return resource;
            }
        }
        names.push_back(resource.plural);
        names.push_back(resource.singular);
    }
    std::string message = "the server has no kind \"" + std::string(text) + "\"";
    if (const auto near = did_you_mean(wanted, names))
        message += ", did you mean \"" + *near + "\"?";
    message += " (`atelier api-resources` lists them)";
    return Error{Code::invalid, message};
}

Result<Resource> Client::resolve_kind(std::string_view api_version, std::string_view kind) {
    const std::vector<Resource> all = TRY(resources());
    std::vector<std::string> kinds;
    for (const Resource& resource : all) {
        if (resource.api_version() == api_version && resource.kind == kind) return resource;
        kinds.push_back(resource.kind);
    }
    std::string message = "the server has no kind \"" + std::string(kind) + "\" in \"" +
                          std::string(api_version) + "\"";
    if (const auto near = did_you_mean(kind, kinds)) message += ", did you mean \"" + *near + "\"?";
    return Error{Code::invalid, message};
}

}  // namespace atelier::cli
