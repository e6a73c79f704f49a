// GET …/orgs/NAME/diff?since=REVISION&to=REVISION: what the template changed in between.
#include "apiserver/request/query.h"
#include "apiserver/verbs/verbs.h"

namespace atelier::apiserver {

void answer_revision_diff(Services& services, const CallPtr& call) {
    if (!services.options.revision_diff) return call->fail(unknown_path());
    const RevisionQuestion question{call->route.ns, call->route.name,
                                    query_text(call->request, "since"),
                                    query_text(call->request, "to")};
    const auto answer = [&services, call, question](bool closed) {
        if (closed) return call->fail(Error{Code::unavailable, "the server is ending"});
        auto text = services.options.revision_diff(question);
        if (text) return call->json(200, *std::move(text));
        Failure failure = failure_of(text.error(), call->route.kind, call->route.name);
        // What is not there may be a revision: it is named.
        failure.message = text.error().message;
        call->fail(failure);
    };
    if (!services.options.own_thread) return answer(false);
    if (!services.comparisons.take(answer)) {
        call->fail(Error{Code::exhausted, "too many comparisons are under way: try again soon"});
    }
}

}  // namespace atelier::apiserver
