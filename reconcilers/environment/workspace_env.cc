#include "reconcilers/environment/workspace_env.h"

#include <charconv>

namespace atelier::reconcilers {

std::string env_secret_name(const std::string& workspace) {
    return workspace + "-env";
}

Revision revision_in(std::string_view env_after) {
    Revision revision = 0;
    std::from_chars(env_after.data(), env_after.data() + env_after.size(), revision);
    return revision;
}

}  // namespace atelier::reconcilers
