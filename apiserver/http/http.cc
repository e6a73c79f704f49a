#include "apiserver/http/http.h"

namespace atelier::apiserver {

std::string_view Request::header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers) {
        if (name == lower_case_name) return value;
    }
    return {};
}

const std::string* Request::query_value(std::string_view name) const {
    for (auto it = query.rbegin(); it != query.rend(); ++it) {
        if (it->first == name) return &it->second;
    }
    return nullptr;
}

}  // namespace atelier::apiserver
