// Secrets on a terminal: their values are never shown, except by `get -o`.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "cli/client/client.h"

namespace atelier::cli {

bool is_secret(const Resource& resource);

// The name and the number of bytes of each value, in the order of the object.
std::vector<std::pair<std::string, std::size_t>> sizes_of_values(const json::Value& secret);

// Replaces the values of two states of a Secret by marks that say only which ones differ.
void mask_values(json::Document& before, json::Document& after);

}  // namespace atelier::cli
