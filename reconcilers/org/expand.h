// Expansion of ${NAME} in workspace_dir and in the settings of channels. Values come from the Org
// and from the template's own .env files, never from the server's environment.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::reconcilers::org {

// Replaces each ${NAME} by value_of(NAME). A reference without a value stays as it is, and its name
// is added to `unknown`. A value is not expanded again.
std::string expand(std::string_view text,
                   const std::function<std::optional<std::string>(const std::string&)>& value_of,
                   std::vector<std::string>& unknown);

}  // namespace atelier::reconcilers::org
