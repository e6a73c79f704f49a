// Comparison of secrets.
#pragma once

#include <string_view>

namespace atelier::apiserver {

// The time taken depends on the lengths alone, never on where the texts differ. Compare digests
// where the length of a secret must not show either.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace atelier::apiserver
