// The reasons of a workspace's forecast, in words. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "forecast/workspace_forecast.h"

namespace atelier::forecast {

// The first twenty entries, and how many more there are.
std::string some_of(const std::vector<std::string>& all);

// Why the unit must be created again, one entry for each part of it that changes. Both states must
// have a desired unit.
std::vector<std::string> reasons_of(const WorkspaceState& before, const WorkspaceState& after,
                                    const std::string& key);

// The data that the new unit would no longer have: volumes that it does not mount.
std::vector<std::string> lost(const WorkspaceState& before, const WorkspaceState& after);

// "TOKEN changed (1a2b3c4d -> 5e6f7a8b)", "NEW added (…)", "OLD removed"; values are shown as
// fingerprints under `key`.
std::vector<std::string> differences(const std::map<std::string, std::string>& before,
                                     const std::map<std::string, std::string>& after,
                                     const std::string& key);
// The names of the members in which two objects differ, sorted.
std::vector<std::string> changed_members(const json::Value& before, const json::Value& after);

}  // namespace atelier::forecast
