// The one registry of what is served below an object, /…/{plural}/{name}/{subresource}. The router
// accepts nothing else; discovery and OpenAPI list all of it. To add a subresource: a row in
// subresources.cc, and its handler in Api's dispatch. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/resources/catalog.h"
#include "apiserver/resources/verb.h"

namespace atelier::apiserver {

// Who answers: the verbs of objects, the forecasts (plans/), or the comparison of two revisions.
enum class SubresourceHandler { object, forecast, revision_diff };

struct Subresource {
    std::string resource;  // "orgs.atelier.dev"
    std::string name;      // "status"
    std::string kind;      // of the bodies that it takes and gives
    std::vector<Verb> verbs;
    SubresourceHandler handler = SubresourceHandler::object;
    // The answer lasts as long as the client reads it. HEAD of it is refused, since such an answer
    // has no end, and OpenAPI names its action "connect".
    bool streaming = false;

    bool has(Verb verb) const;
    // "get", "patch", …, sorted as discovery has them.
    std::vector<std::string> verb_names() const;
};

// In the order of their names. `resource` is "plans.atelier.dev" or that of a kind.
std::vector<Subresource> subresources_of(const Catalog& catalog, std::string_view resource);
std::optional<Subresource> find_subresource(const Catalog& catalog, std::string_view resource,
                                            std::string_view name);

// Plans are made and never stored, so no kind of the catalog stands for them.
inline constexpr std::string_view plans_resource = "plans.atelier.dev";

}  // namespace atelier::apiserver
