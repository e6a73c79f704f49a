#include "base/environment.h"

#include <unistd.h>

namespace atelier {

Environment Environment::of_process() {
    std::map<std::string, std::string, std::less<>> values;
    for (char** entry = environ; entry && *entry; ++entry) {
        const std::string_view text = *entry;
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        values.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return Environment(std::move(values));
}

}  // namespace atelier
