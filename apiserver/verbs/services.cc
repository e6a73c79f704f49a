#include "apiserver/verbs/services.h"

namespace atelier::apiserver {

Services::Services(store::Store& s, const crds::Kinds& kinds, const Clock& c, Random& r, Metrics& m,
                   Log l, bool own_thread)
    : store(s),
      clock(c),
      random(r),
      log(std::move(l)),
      catalog(kinds, c.now()),
      objects(s, catalog),
      presenter(catalog, c),
      request_metrics(m),
      watches(objects, presenter, c, m, {own_thread}) {
    subscription = store.on_commit([this](Revision) { watches.wake(); });
}

}  // namespace atelier::apiserver
