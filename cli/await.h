// Waiting for one object: looks once, then watches.
#pragma once

#include <functional>
#include <string>

#include "cli/session.h"

namespace atelier::cli {

struct Awaited {
    Resource resource;
    std::string ns;
    std::string name;
};

// Returns when `met` is true of the object, or of nullptr when it does not exist. `met` sees every
// state in turn. Code::not_found when it is absent and that is not what is waited for; timeout;
// cancelled.
Result<void> await(Session& session, Client& client, const Awaited& awaited,
                   const Deadline& deadline, const std::function<bool(const json::Value*)>& met);

}  // namespace atelier::cli
