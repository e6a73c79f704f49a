// Waiting for a state of one object: one GET, then a watch.
#pragma once

#include <functional>
#include <string>

#include "cli/session/session.h"

namespace atelier::cli {

struct Awaited {
    Resource resource;
    std::string ns;
    std::string name;
};

// Calls `met` with each state of the object in order (nullptr: it does not exist) and returns when
// `met` returns true. Code::not_found when the object does not exist and `met` does not accept
// that; Code::timeout after the deadline; Code::cancelled after an interrupt.
Result<void> await(Session& session, Client& client, const Awaited& awaited,
                   const Deadline& deadline, const std::function<bool(const json::Value*)>& met);

}  // namespace atelier::cli
