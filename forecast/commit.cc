#include "forecast/commit.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/fingerprint.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/org/binding.h"
#include "store/overlay.h"

namespace atelier::forecast {
namespace {

// A status that was written meanwhile changes no precondition, but needs another attempt.
constexpr int most_commit_attempts = 64;

using crds::Org;
using crds::OrgTemplate;

// The order in which the written objects are listed: those that others refer to come first.
int rank_of(const ProposedObject& proposed) {
    const std::string& resource = proposed.key.resource;
    if (resource == "secrets" || resource == "configmaps") return 0;
    if (resource == OrgTemplate::Spec::resource) return 2;
    if (resource == Org::Spec::resource) return 3;
    if (resource == crds::WorkspaceSpec::resource) return 4;
    return 1;
}

bool is_race(const Error& error) {
    return error.code == Code::conflict || error.code == Code::already_exists ||
           error.code == Code::not_found;
}

class Writer {
  public:
    Writer(const Dependencies& dependencies, const ForecastResult& result,
           const TokenUpdate& token_update, Instant now)
        : dependencies_(dependencies), made_(result), token_update_(token_update), now_(now) {
        for (const ProposedObject& one : result.proposed) proposed_.push_back(&one);
        std::stable_sort(proposed_.begin(), proposed_.end(),
                         [](const ProposedObject* a, const ProposedObject* b) {
                             return rank_of(*a) < rank_of(*b);
                         });
    }

    // Everything goes through admission into an overlay first; the writes of the overlay are then
    // one transaction of the store.
    Result<std::vector<std::string>> write() {
        for (int attempt = 0; attempt < most_commit_attempts; ++attempt) {
            store::Overlay overlay(dependencies_.store);
            TRY(verify(overlay));
            TRY(fill(overlay));
            auto writes = overlay.writes();
            check_the_rest(overlay, writes);
            const auto done = store::write_all_and_wait(dependencies_.store, std::move(writes));
            if (done) return written(overlay);
            if (!is_race(done.error())) return done.error();
        }
        return Error{Code::conflict,
                     "other writers changed the objects of the plan at every attempt, and nothing "
                     "was written: apply it again"};
    }

  private:
    // Every precondition still holds.
    Result<void> verify(const store::Overlay& overlay) {
        Error error{Code::conflict,
                    "what the plan depends on has changed, and nothing was written: make the plan "
                    "again, review it, and apply the new one"};
        for (const Precondition& precondition : made_.preconditions) {
            const auto now = overlay.before(precondition.key);
            if (is_verified(precondition, now)) continue;
            error.causes.push_back(
                {"status.items", "Moved", precondition.key.text() + " was changed"});
        }
        if (!error.causes.empty()) return error;
        return {};
    }

    bool is_verified(const Precondition& precondition, const store::ObjectPtr& now) {
        if (!now || precondition.revision == 0) return !now && precondition.revision == 0;
        if (now->revision == precondition.revision) return true;
        Revision& verified = verified_[precondition.key];
        if (now->revision == verified) return true;
        const bool same = now->meta.uid == precondition.uid &&
                          keyed_digest(dependencies_.fingerprint_key, desired_state_of(*now)) ==
                              precondition.digest;
        if (same) verified = now->revision;
        return same;
    }

    Result<void> fill(store::Overlay& overlay) const {
        for (const ProposedObject* proposed : proposed_) {
            const auto old = overlay.get(proposed->key);
            TRY(put(overlay, *proposed, old ? old->revision : 0, dependencies_.random, now_));
        }
        reconcilers::Objects objects(overlay, dependencies_.kinds, dependencies_.random, Log());
        for (const OrgTarget& org : made_.forecast.orgs) {
            if (is_to_be_bound(org)) TRY(bind(objects, org));
            TRY(ask(objects, org));
        }
        TRY(put(overlay, token_update_.secret, token_update_.observed, dependencies_.random, now_));
        return {};
    }

    // An Org that nothing was forecast of needs no binding.
    bool is_to_be_bound(const OrgTarget& org) const {
        if (org.artifact_digest.empty()) return false;
        const auto& items = made_.forecast.items;
        return has_items(org) || std::any_of(items.begin(), items.end(), [](const Item& item) {
                   return item.kind == OrgTemplate::Spec::kind;
               });
    }

    bool has_items(const OrgTarget& org) const {
        const auto& items = made_.forecast.items;
        return std::any_of(items.begin(), items.end(), [&](const Item& item) {
            return item.org == org.org || (item.kind == Org::Spec::kind && item.name == org.org);
        });
    }

    Result<void> bind(reconcilers::Objects& objects, const OrgTarget& followed) const {
        auto org = TRY(objects.find<Org>(made_.ns, followed.org));
        // A suspended Org without items would wait for a promise about nothing.
        if (!org || (org->spec.suspend && !has_items(followed))) return {};
        reconcilers::org::bind(org->meta, {followed.artifact_digest, followed.environment});
        TRY(objects.update(*org, now_));
        return {};
    }

    // A template that is not proposed, but whose source had something new when the forecast was
    // made, must read its source again.
    Result<void> ask(reconcilers::Objects& objects, const OrgTarget& org) const {
        const Key key{std::string(OrgTemplate::Spec::resource), made_.ns, org.template_name};
        const bool given = std::any_of(proposed_.begin(), proposed_.end(),
                                       [&](const ProposedObject* one) { return one->key == key; });
        if (given || !made_.behind.contains(key.name)) return {};
        auto source = TRY(objects.find<OrgTemplate>(key.ns, key.name));
        if (!source) return {};
        source->meta.annotations[std::string(crds::annotation::reconcile_requested_at)] =
            rfc3339(now_);
        TRY(objects.update(*source, now_));
        return {};
    }

    // Objects that are not written must not change before the transaction either.
    void check_the_rest(const store::Overlay& overlay, std::vector<store::Write>& writes) const {
        std::set<Key> written;
        for (const store::Write& write : writes) written.insert(write.key);
        for (const Precondition& precondition : made_.preconditions) {
            if (written.contains(precondition.key)) continue;
            const auto now = overlay.before(precondition.key);
            writes.push_back({store::Write::Kind::check,
                              precondition.key,
                              {},
                              now ? now->revision : Revision{0}});
        }
    }

    std::vector<std::string> written(const store::Overlay& overlay) const {
        const auto changed = overlay.changed();
        std::vector<std::string> names;
        for (const ProposedObject* proposed : proposed_) {
            const auto change = changed.find(proposed->key);
            if (change == changed.end()) continue;
            const auto& [before, after] = change->second;
            // A binding alone is not what was proposed.
            if (before && after && desired_state_of(*before) == desired_state_of(*after)) continue;
            names.push_back(fmt::format("{} {} {}", proposed->kind->kind, proposed->key.name,
                                        before ? "configured" : "created"));
        }
        return names;
    }

    const Dependencies& dependencies_;
    const ForecastResult& made_;
    const TokenUpdate& token_update_;
    const Instant now_;
    std::vector<const ProposedObject*> proposed_;
    std::map<Key, Revision> verified_;  // newer revisions that still meet their precondition
};

}  // namespace

Result<std::vector<std::string>> commit_forecast(const Dependencies& dependencies,
                                                 const ForecastResult& result,
                                                 const TokenUpdate& token_update, Instant now) {
    return Writer(dependencies, result, token_update, now).write();
}

}  // namespace atelier::forecast
