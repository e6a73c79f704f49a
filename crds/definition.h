// The definitions that the build puts into the binary, and how a Kind is made of one. Inside crds/
// only.
#pragma once

#include <span>
#include <string_view>

#include "base/json.h"
#include "crds/kind.h"

namespace atelier::crds {

struct EmbeddedFile {
    std::string_view name;  // "workspaces"
    std::string_view text;
};
// crds/*.yaml and crds/core/*.yaml; made by embed.cmake.
std::span<const EmbeddedFile> embedded_definitions();
std::span<const EmbeddedFile> embedded_core_definitions();

// As kind_from_crd, but also for the core group, whose name is empty.
Result<Kind> kind_of_definition(const json::Value& crd);

}  // namespace atelier::crds
