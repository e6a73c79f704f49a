// Why something happens to a workspace, in words. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "forecast/workspace_step.h"

namespace atelier::forecast {

// The first twenty, and how many more there are.
std::string some_of(const std::vector<std::string>& all);

// Why the unit is made anew, part by part. Both sides have a desired unit.
std::vector<std::string> reasons_of(const Side& before, const Side& after, const std::string& key);

// What the new unit would no longer have.
std::vector<std::string> lost(const Side& before, const Side& after);

// "TOKEN changed (1a2b3c4d -> 5e6f7a8b)", "NEW added (…)", "OLD removed": values by fingerprint.
std::vector<std::string> differences(const std::map<std::string, std::string>& before,
                                     const std::map<std::string, std::string>& after,
                                     const std::string& key);
// The members of `spec` in which two objects differ.
std::vector<std::string> changed_members(const json::Value& before, const json::Value& after);

}  // namespace atelier::forecast
