#include "reconcilers/preview/rounds.h"

#include <utility>

namespace atelier::reconcilers::preview {
namespace {

// A new org settles in three rounds, a change in two; more is a defect, not patience.
constexpr int most_rounds = 20;

}  // namespace

Rounds::Rounds(Scene& scene)
    : scene_(scene),
      templates_(scene.after, scene.tools.git, scene.tools.trees, scene.tools.templates_root,
                 scene.tools.external, key_of_revisions(scene.tools.fingerprint_key)),
      orgs_(scene.after, scene.tools.trees, Log()) {}

// As controllers do it, but one after the other: what is written wakes who is interested.
Result<void> Rounds::settle(std::set<Key> due) {
    due_ = std::move(due);
    Revision seen = scene_.overlay.revision();
    wake(scene_.overlay.written_after(0));
    for (int round = 0; !due_.empty(); ++round) {
        TRY(scene_.check_stop());
        if (round == most_rounds) {
            return Error{Code::internal, "the reconcilers do not come to rest"};
        }
        const std::set<Key> now = std::exchange(due_, {});
        failures_.clear();
        TRY(reconcile(templates_, now));
        TRY(reconcile(orgs_, now));
        wake(scene_.overlay.written_after(seen));
        seen = scene_.overlay.revision();
    }
    return {};
}

void Rounds::wake(const std::vector<store::EventPtr>& events) {
    for (Reconciler* reconciler :
         {static_cast<Reconciler*>(&templates_), static_cast<Reconciler*>(&orgs_)}) {
        const auto interests = reconciler->interests();
        for (const store::EventPtr& event : events) {
            const Key& key = event->object->key;
            if (key.resource == reconciler->resource() && reconciler->concerns(*event)) {
                due_.insert(key);
            }
            for (const Interest& interest : interests) {
                if (interest.resource != key.resource) continue;
                for (const Key& one : interest.keys(*event, scene_.overlay)) due_.insert(one);
            }
        }
    }
}

Result<void> Rounds::reconcile(Reconciler& reconciler, const std::set<Key>& keys) {
    for (const Key& key : keys) {
        if (key.resource != reconciler.resource()) continue;
        looked_at_.insert(key);
        const auto done = reconciler.reconcile(key, scene_.now);
        if (done) continue;
        if (done.error().code == Code::cancelled) return done.error();
        failures_.insert_or_assign(key, done.error());
    }
    return {};
}

}  // namespace atelier::reconcilers::preview
