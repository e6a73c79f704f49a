#include "base/result.h"

namespace atelier {

std::string_view name_of(Code code) {
    switch (code) {
        case Code::invalid:
            return "invalid";
        case Code::not_found:
            return "not found";
        case Code::already_exists:
            return "already exists";
        case Code::conflict:
            return "conflict";
        case Code::gone:
            return "gone";
        case Code::unauthenticated:
            return "unauthenticated";
        case Code::forbidden:
            return "forbidden";
        case Code::unsupported:
            return "unsupported";
        case Code::too_large:
            return "too large";
        case Code::exhausted:
            return "exhausted";
        case Code::timeout:
            return "timeout";
        case Code::unavailable:
            return "unavailable";
        case Code::cancelled:
            return "cancelled";
        case Code::internal:
            return "internal";
    }
    return "internal";
}

}  // namespace atelier
