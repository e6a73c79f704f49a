// /livez, /readyz and /healthz, and one check below each.
// https://kubernetes.io/docs/reference/using-api/health-checks/
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/request/call.h"
#include "base/result.h"
#include "store/store.h"

namespace atelier::apiserver {

// One condition of health. Called on I/O threads, from several at once: must not block.
struct HealthCheck {
    std::string name;
    std::function<Result<void>()> check;
};

// Thread-safe. `store` outlives it.
class Health {
  public:
    // `live` answers /livez; the store and `ready` answer /readyz and /healthz.
    Health(const store::Store& store, std::vector<HealthCheck> live,
           std::vector<HealthCheck> ready);

    // 200 when every check passes, 503 with one line per check when one fails, 404 for a check that
    // does not exist.
    void answer(const CallPtr& call) const;

  private:
    const std::vector<HealthCheck>& checks_of(std::string_view probe) const;

    std::vector<HealthCheck> live_;
    std::vector<HealthCheck> ready_;
};

}  // namespace atelier::apiserver
