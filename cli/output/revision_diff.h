// The difference of two revisions of a template, as the server's RevisionDiff
// (reconcilers/org/revision_diff.h) says it. Pure.
#pragma once

#include <string>

#include "base/json.h"

namespace atelier::cli {

// A header of two lines, then a block for each workspace that differs.
std::string diff_text(const json::Value& diff);
bool has_changes(const json::Value& diff);

}  // namespace atelier::cli
