// The part of an object's life that concerns `metadata`. Inside crds/ only.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "crds/kind.h"

namespace atelier::crds {

// Removes unknown fields (named in `unknown`), nulls and empty containers, refuses wrong types, and
// brings the rest into one order.
Result<void> normalize_metadata(json::Document& object, std::vector<std::string>& unknown);

// Appends a cause for each rule that the metadata breaks. With `old`, only what changed is checked.
void validate_metadata(const Kind& kind, const json::Value& object, const json::Value* old,
                       std::vector<Cause>& causes);

// Takes from `old` what no client may change.
void keep_metadata(json::Document& object, const json::Value& old);

// True when two metadata differ in nothing but the times of managedFields.
bool same_metadata(const json::Value& a, const json::Value& b);

}  // namespace atelier::crds
