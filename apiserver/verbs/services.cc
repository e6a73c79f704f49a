#include "apiserver/verbs/services.h"

namespace atelier::apiserver {

Services::Services(store::Store& s, const crds::Kinds& kinds, const Clock& c, Random& r, Metrics& m,
                   Log l, bool threads)
    : own_thread(threads),
      store(s),
      clock(c),
      random(r),
      log(std::move(l)),
      catalog(kinds, c.now()),
      objects(s, catalog),
      presenter(catalog, c),
      request_metrics(m),
      watches(objects, presenter, c, m, {threads}) {
    subscription = store.on_commit([this](Revision) { watches.wake(); });
}

bool Services::compute(WorkerPool::Work work) {
    if (own_thread) return admissions.take(std::move(work));
    work(false);
    return true;
}

void Services::compute(const CallPtr& call, std::function<void()> work) {
    const auto stopping = [call] {
        Failure failure{503, "ServiceUnavailable", "the server is stopping: try again"};
        failure.retry_after = 1;
        call->fail(failure);
    };
    const bool taken = compute(
        [stopping, work = std::move(work)](bool stopped) { stopped ? stopping() : work(); });
    if (taken) return;
    if (admissions.stopped()) return stopping();
    call->fail(too_many_requests("too many writes are being admitted: try again in a moment"));
}

}  // namespace atelier::apiserver
