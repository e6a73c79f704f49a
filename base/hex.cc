#include "base/hex.h"

namespace atelier {

bool is_lower_hex(std::string_view text, std::size_t length) {
    return text.size() == length &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_full_commit(std::string_view text) {
    return is_lower_hex(text, 40);
}

}  // namespace atelier
