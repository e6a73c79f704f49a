#include "reconcilers/reconciler.h"

namespace atelier::reconcilers {

bool Reconciler::concerns(const store::Event& event) const {
    if (event.change != store::Change::modified || !event.previous) return true;
    const crds::Meta& before = event.previous->meta;
    const crds::Meta& after = event.object->meta;
    return before.generation != after.generation || before.deleted_at != after.deleted_at ||
           before.finalizers != after.finalizers || before.labels != after.labels ||
           before.annotations != after.annotations;
}

}  // namespace atelier::reconcilers
