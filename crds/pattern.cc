#include "crds/pattern.h"

// Under the sanitizers, GCC 12 finds a variable of this header uninitialized that never is.
#ifndef __clang__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <regex>

namespace atelier::crds {

struct Pattern::Compiled {
    std::regex regex;
};

Result<Pattern> Pattern::compile(std::string text) {
    Pattern pattern;
    pattern.text_ = std::move(text);
    try {
        // The polynomial engine neither backtracks nor recurses over the text.
        pattern.compiled_ = std::make_shared<const Compiled>(Compiled{std::regex(
            pattern.text_, std::regex::ECMAScript | std::regex_constants::__polynomial)});
    } catch (const std::regex_error& e) {
        return Error{Code::invalid, "the pattern cannot be read", e.what()};
    }
    return pattern;
}

bool Pattern::is_in(std::string_view text) const {
    return std::regex_search(text.begin(), text.end(), compiled_->regex);
}

}  // namespace atelier::crds

#ifndef __clang__
#pragma GCC diagnostic pop
#endif
