#include "reconcilers/org/expand.h"

#include "templates/env.h"

namespace atelier::reconcilers::org {

std::string expand(std::string_view text,
                   const std::function<std::optional<std::string>(const std::string&)>& value_of,
                   std::vector<std::string>& unknown) {
    std::string out;
    while (true) {
        const std::size_t start = text.find("${");
        const std::size_t end = text.find('}', start);
        if (start == std::string_view::npos || end == std::string_view::npos) {
            out += text;
            return out;
        }
        out += text.substr(0, start);
        const std::string name(text.substr(start + 2, end - start - 2));
        const auto value = templates::is_env_name(name) ? value_of(name) : std::nullopt;
        if (value) {
            out += *value;
        } else {
            out += text.substr(start, end + 1 - start);
            unknown.push_back(name);
        }
        text.remove_prefix(end + 1);
    }
}

}  // namespace atelier::reconcilers::org
