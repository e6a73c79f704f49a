// What is served below the objects of a kind, /…/{plural}/{name}/{subresource}. The only such list:
// the router serves nothing else, and discovery lists all of it. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "apiserver/resources/catalog.h"

namespace atelier::apiserver {

// Of an Org: what would happen to it. Its route is made with those of plans.
inline constexpr std::string_view plan_subresource = "plan";

struct Subresource {
    std::string_view name;
    std::string_view verbs;  // with commas between them
};

std::vector<Subresource> subresources_of(const Catalog& catalog, const crds::Kind& kind);

}  // namespace atelier::apiserver
