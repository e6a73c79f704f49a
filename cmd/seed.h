// What a server finds made: the namespaces, and the two UpdateTiers that people name first.
#pragma once

#include "apiserver/api.h"
#include "base/clock.h"
#include "base/result.h"
#include "reconcilers/common/objects.h"

namespace atelier::cmd {

// Makes what is absent; what people changed since stays as they want it.
Result<void> seed(reconcilers::Objects& objects, apiserver::Api& api, Instant now);

}  // namespace atelier::cmd
