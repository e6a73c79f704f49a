// ${NAME} in the few fields of a template where it is expanded. Only names that the Org or the
// template's own environment gives: never the server's environment.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::reconcilers {

// Replaces each ${NAME} by what `value_of` gives for it; one without a value stays as it is and is
// added to `unknown`.
std::string expand(std::string_view text,
                   const std::function<std::optional<std::string>(const std::string&)>& value_of,
                   std::vector<std::string>& unknown);

}  // namespace atelier::reconcilers
