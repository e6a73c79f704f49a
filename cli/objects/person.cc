#include "cli/objects/person.h"

namespace atelier::cli {

std::string user_name(const Environment& environment) {
    for (const char* name : {"ATELIER_USER", "USER", "LOGNAME"}) {
        if (auto value = environment.get(name); !value.empty()) return value;
    }
    return "unknown";
}

}  // namespace atelier::cli
