#include "apiserver/verbs/delete.h"

#include "apiserver/request/collection.h"
#include "apiserver/verbs/deletion.h"
#include "apiserver/verbs/write.h"

namespace atelier::apiserver {
namespace {

Failure protected_failure(const crds::Kind& kind, std::string_view name) {
    return failure_of({Code::forbidden, "this namespace may not be deleted"}, &kind, name);
}

}  // namespace

void delete_object(Services& services, const CallPtr& call) {
    const auto options = read_delete_options(*call);
    if (!options) return call->fail(options_failure(options.error(), "DeleteOptions"));
    if (is_protected(call->kind(), call->route.name)) {
        return call->fail(protected_failure(call->kind(), call->route.name));
    }
    const auto done = [&services, call](const Result<Deleted>& deleted) {
        if (!deleted) return call->fail(deleted.error());
        if (!deleted->gone) return answer_object(services, *call, 200, deleted->object);
        call->json(200,
                   deleted_status_json(call->kind(), call->route.name, deleted->object->meta.uid));
    };
    begin_deletion(services,
                   std::make_shared<Deletion>(Deletion{call->kind(), call->route.key(), *options,
                                                       call->options.dry_run, done}));
}

}  // namespace atelier::apiserver
