#include "forecast/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/fingerprint.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/org/planned.h"
#include "store/overlay.h"

namespace atelier::forecast {
namespace {

// A status that moves is no other state, but takes another attempt.
constexpr int most_commit_attempts = 64;

using crds::Org;
using crds::OrgTemplate;

// In which order people read what was written: what others read comes before them.
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
    Writer(const Tools& tools, const Answer& answer, const Receipt& receipt, Instant now)
        : tools_(tools), answer_(answer), receipt_(receipt), now_(now) {
        for (const ProposedObject& one : answer.proposed) candidates_.push_back(&one);
        std::stable_sort(candidates_.begin(), candidates_.end(),
                         [](const ProposedObject* a, const ProposedObject* b) {
                             return rank_of(*a) < rank_of(*b);
                         });
    }

    // Everything is written to an overlay first, by the rules that hold for everybody, and what
    // that comes to is one transaction.
    Result<std::vector<std::string>> write() {
        for (int attempt = 0; attempt < most_commit_attempts; ++attempt) {
            store::Overlay overlay(tools_.store);
            TRY(verify(overlay));
            TRY(fill(overlay));
            auto writes = overlay.writes();
            check_the_rest(overlay, writes);
            const auto done = store::write_all_and_wait(tools_.store, std::move(writes));
            if (done) return written(overlay);
            if (!is_race(done.error())) return done.error();
        }
        return Error{Code::conflict,
                     "what the plan is about is written to all the time, and nothing was written: "
                     "try again"};
    }

  private:
    // Everything is as it was when the plan was made.
    Result<void> verify(const store::Overlay& overlay) {
        Error error{Code::conflict,
                    "what the plan was made of has moved, and nothing was written: make it anew, "
                    "look at it, and apply that"};
        for (const Base& base : answer_.bases) {
            const auto now = overlay.before(base.key);
            if (is_verified(base, now)) continue;
            error.causes.push_back({"status.items", "Moved", base.key.text() + " was changed"});
        }
        if (!error.causes.empty()) return error;
        return {};
    }

    bool is_verified(const Base& base, const store::ObjectPtr& now) {
        if (!now || base.revision == 0) return !now && base.revision == 0;
        if (now->revision == base.revision) return true;
        Revision& verified = verified_[base.key];
        if (now->revision == verified) return true;
        const bool same = now->meta.uid == base.uid &&
                          keyed_digest(tools_.fingerprint_key, essence(*now)) == base.digest;
        if (same) verified = now->revision;
        return same;
    }

    Result<void> fill(store::Overlay& overlay) const {
        for (const ProposedObject* proposed : candidates_) {
            const auto old = overlay.get(proposed->key);
            TRY(put(overlay, *proposed, old ? old->revision : 0, tools_.random, now_));
        }
        reconcilers::Objects objects(overlay, tools_.kinds, tools_.random, Log());
        for (const Followed& org : answer_.forecast.orgs) {
            if (is_to_be_bound(org)) TRY(bind(objects, org));
            TRY(ask(objects, org));
        }
        TRY(put(overlay, receipt_.secret, receipt_.observed, tools_.random, now_));
        return {};
    }

    // Only where something is to happen: what stays as it is needs no promise.
    bool is_to_be_bound(const Followed& org) const {
        if (org.artifact_digest.empty()) return false;
        const auto& items = answer_.forecast.items;
        return has_items(org) || std::any_of(items.begin(), items.end(), [](const Item& item) {
                   return item.kind == OrgTemplate::Spec::kind;
               });
    }

    bool has_items(const Followed& org) const {
        const auto& items = answer_.forecast.items;
        return std::any_of(items.begin(), items.end(), [&](const Item& item) {
            return item.org == org.org || (item.kind == Org::Spec::kind && item.name == org.org);
        });
    }

    Result<void> bind(reconcilers::Objects& objects, const Followed& followed) const {
        auto org = TRY(objects.find<Org>(answer_.ns, followed.org));
        // One that is suspended and that nothing was foretold of has nothing to hold to.
        if (!org || (org->spec.suspend && !has_items(followed))) return {};
        reconcilers::set_bond(org->meta, {followed.artifact_digest, followed.environment});
        TRY(objects.update(*org, now_));
        return {};
    }

    // A template that is no part of the plan but had something new when the plan was made.
    Result<void> ask(reconcilers::Objects& objects, const Followed& org) const {
        const Key key{std::string(OrgTemplate::Spec::resource), answer_.ns, org.template_name};
        const bool given = std::any_of(candidates_.begin(), candidates_.end(),
                                       [&](const ProposedObject* one) { return one->key == key; });
        if (given || !answer_.behind.contains(key.name)) return {};
        auto source = TRY(objects.find<OrgTemplate>(key.ns, key.name));
        if (!source) return {};
        source->meta.annotations[std::string(crds::annotation::reconcile_requested_at)] =
            rfc3339(now_);
        TRY(objects.update(*source, now_));
        return {};
    }

    // What the plan is about and is not written must not move either.
    void check_the_rest(const store::Overlay& overlay, std::vector<store::Write>& writes) const {
        std::set<Key> written;
        for (const store::Write& write : writes) written.insert(write.key);
        for (const Base& base : answer_.bases) {
            if (written.contains(base.key)) continue;
            const auto now = overlay.before(base.key);
            writes.push_back(
                {store::Write::Kind::check, base.key, {}, now ? now->revision : Revision{0}});
        }
    }

    std::vector<std::string> written(const store::Overlay& overlay) const {
        const auto changed = overlay.changed();
        std::vector<std::string> names;
        for (const ProposedObject* proposed : candidates_) {
            const auto change = changed.find(proposed->key);
            if (change == changed.end()) continue;
            const auto& [before, after] = change->second;
            // A bond alone is not what somebody asked to be written.
            if (before && after && essence(*before) == essence(*after)) continue;
            names.push_back(fmt::format("{} {} {}", proposed->kind->kind, proposed->key.name,
                                        before ? "configured" : "created"));
        }
        return names;
    }

    const Tools& tools_;
    const Answer& answer_;
    const Receipt& receipt_;
    const Instant now_;
    std::vector<const ProposedObject*> candidates_;
    std::map<Key, Revision> verified_;  // newer than that of the base, and the same all the same
};

}  // namespace

Result<std::vector<std::string>> write_plan(const Tools& tools, const Answer& answer,
                                            const Receipt& receipt, Instant now) {
    return Writer(tools, answer, receipt, now).write();
}

}  // namespace atelier::forecast
