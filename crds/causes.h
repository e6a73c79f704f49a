// The causes of an invalid object, bounded: of a million wrong fields fifty are named, and the
// others counted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crds/kind.h"

namespace atelier::crds {

inline constexpr std::size_t most_causes = 50;

// Appends the cause. After most_causes of them, one more entry without a field counts the others:
// "and 29950 more".
void add_cause(std::vector<Cause>& causes, Cause cause);

// The same for a caller that stops there: the entry after the last says "and more".
void add_more(std::vector<Cause>& causes);

// Appends the path of a field that the schema does not know; after the first hundred, "…" instead
// of the path, so that the entries still count the fields.
void add_unknown(std::vector<std::string>& paths, std::string_view path);

// "Workspace.atelier.dev": how Kubernetes names a kind in messages.
std::string qualified_kind(const Kind& kind);

// "spec.tier: Required value", or several of them in brackets.
std::string text_of(const std::vector<Cause>& causes);

// 'Workspace.atelier.dev "w1" is invalid: spec.tier: Required value', with the causes.
Error invalid_object(const Kind& kind, std::string_view name, std::vector<Cause> causes);

}  // namespace atelier::crds
