// Objects that exist from the start: the namespaces, and the UpdateTiers canary and production.
#pragma once

#include "apiserver/api.h"
#include "base/clock.h"
#include "base/result.h"
#include "reconcilers/common/objects.h"

namespace atelier::cmd {

// Creates those that do not exist. Those that exist stay as people have changed them.
Result<void> seed(reconcilers::Objects& objects, apiserver::Api& api, Instant now);

}  // namespace atelier::cmd
