#include "apiserver/resources/subresources.h"

#include <algorithm>

namespace atelier::apiserver {
namespace {

const std::vector<Subresource>& fixed() {
    static const std::vector<Subresource> rows{
        {"namespaces", "finalize", "Namespace", {Verb::update}},
        {"orgs.atelier.dev", "diff", "Org", {Verb::get}, SubresourceHandler::revision_diff},
        {"orgs.atelier.dev", "plan", "Org", {Verb::get}, SubresourceHandler::forecast},
        {std::string(plans_resource),
         "apply",
         "Plan",
         {Verb::create},
         SubresourceHandler::forecast},
    };
    return rows;
}

// A kind whose definition declares a status subresource has one; so has a Namespace.
std::optional<Subresource> status_of(const Catalog& catalog, std::string_view resource) {
    const crds::Kind* kind = catalog.find(resource);
    if (!kind || !(kind->status_subresource || resource == "namespaces")) return std::nullopt;
    Subresource status{std::string(resource), "status", kind->kind, {Verb::get}};
    if (!catalog.is_read_only(*kind)) status.verbs = {Verb::get, Verb::patch, Verb::update};
    return status;
}

}  // namespace

bool Subresource::has(Verb verb) const {
    return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

std::vector<std::string> Subresource::verb_names() const {
    std::vector<std::string> names;
    for (const Verb verb : verbs) names.emplace_back(name_of(verb));
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<Subresource> subresources_of(const Catalog& catalog, std::string_view resource) {
    std::vector<Subresource> out;
    for (const Subresource& row : fixed()) {
        if (row.resource == resource) out.push_back(row);
    }
    if (auto status = status_of(catalog, resource)) out.push_back(*std::move(status));
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return out;
}

std::optional<Subresource> find_subresource(const Catalog& catalog, std::string_view resource,
                                            std::string_view name) {
    for (Subresource& row : subresources_of(catalog, resource)) {
        if (row.name == name) return std::move(row);
    }
    return std::nullopt;
}

}  // namespace atelier::apiserver
