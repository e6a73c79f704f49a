#include "apiserver/verbs/get.h"

namespace atelier::apiserver {

void get_object(Services& services, const CallPtr& call) {
    const store::ObjectPtr object = services.objects.get(call->route.key());
    if (!object) return call->fail(not_found(call->kind(), call->route.name));
    call->body(200, "application/json", services.presenter.one(call->kind(), object, call->view),
               {{"Cache-Control", "no-cache, private"}});
}

}  // namespace atelier::apiserver
