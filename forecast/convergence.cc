#include "forecast/convergence.h"

#include <utility>

namespace atelier::forecast {
namespace {

// A new org settles in three rounds and a change in two: more than this is a defect.
constexpr int most_rounds = 20;

}  // namespace

Convergence::Convergence(ForecastContext& context)
    : context_(context),
      templates_(context.after, context.dependencies.git, context.dependencies.trees,
                 context.dependencies.templates_root, context.dependencies.external,
                 reconcilers::key_of_revisions(context.dependencies.fingerprint_key)),
      orgs_(context.after, context.dependencies.trees, Log()) {}

Result<void> Convergence::settle(std::set<Key> due) {
    due_ = std::move(due);
    Revision observed = context_.overlay.revision();
    wake(context_.overlay.written_after(0));
    for (int round = 0; !due_.empty(); ++round) {
        TRY(context_.check_stop());
        if (round == most_rounds) {
            return Error{Code::internal, "the reconcilers do not come to rest"};
        }
        const std::set<Key> now = std::exchange(due_, {});
        failures_.clear();
        TRY(reconcile(templates_, now));
        TRY(reconcile(orgs_, now));
        wake(context_.overlay.written_after(observed));
        observed = context_.overlay.revision();
    }
    return {};
}

void Convergence::wake(const std::vector<store::EventPtr>& events) {
    for (reconcilers::Reconciler* reconciler : {static_cast<reconcilers::Reconciler*>(&templates_),
                                                static_cast<reconcilers::Reconciler*>(&orgs_)}) {
        const auto interests = reconciler->interests();
        for (const store::EventPtr& event : events) {
            const Key& key = event->object->key;
            if (key.resource == reconciler->resource() && reconciler->concerns(*event)) {
                due_.insert(key);
            }
            for (const reconcilers::Interest& interest : interests) {
                if (interest.resource != key.resource) continue;
                for (const Key& one : interest.keys(*event, context_.overlay)) due_.insert(one);
            }
        }
    }
}

Result<void> Convergence::reconcile(reconcilers::Reconciler& reconciler,
                                    const std::set<Key>& keys) {
    for (const Key& key : keys) {
        if (key.resource != reconciler.resource()) continue;
        reconciled_.insert(key);
        const auto done = reconciler.reconcile(key, context_.now);
        if (done) continue;
        if (done.error().code == Code::cancelled) return done.error();
        failures_.insert_or_assign(key, done.error());
    }
    return {};
}

}  // namespace atelier::forecast
