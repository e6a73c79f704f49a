#include "apiserver/verbs/create.h"

#include "apiserver/request/body.h"
#include "apiserver/verbs/write.h"

namespace atelier::apiserver {

void create_object(Services& services, const CallPtr& call) {
    auto decoded = decode_body(*call, call->kind().strategic_merge);
    if (!decoded) return call->fail(decoded.error());
    auto object = std::make_shared<json::Document>(std::move(decoded->value));
    if (const auto fits = fit_to_route(*call, *object); !fits) return call->fail(fits.error());
    auto duplicates =
        std::make_shared<const std::vector<std::string>>(std::move(decoded->duplicates));
    store_new_object(services, call, std::move(object), std::move(duplicates));
}

}  // namespace atelier::apiserver
