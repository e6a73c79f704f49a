#include "reconcilers/preview/apply.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "reconcilers/org/planned.h"
#include "reconcilers/preview/fingerprint.h"

namespace atelier::reconcilers::preview {
namespace {

constexpr int most_attempts = 16;

using crds::Org;
using crds::OrgTemplate;

// What others read comes before them.
int rank_of(const Candidate& candidate) {
    const std::string& resource = candidate.key.resource;
    if (resource == "secrets" || resource == "configmaps") return 0;
    if (resource == OrgTemplate::Spec::resource) return 2;
    if (resource == Org::Spec::resource) return 3;
    if (resource == crds::WorkspaceSpec::resource) return 4;
    return 1;
}

class Writer {
  public:
    Writer(const Tools& tools, Objects& objects, const Answer& answer, Instant now)
        : tools_(tools), objects_(objects), answer_(answer), now_(now) {
        for (const Base& base : answer.bases) bases_[base.key] = &base;
        for (const Followed& org : answer.forecast.orgs) {
            if (is_bound(org)) artifacts_[org.org] = org.artifact_digest;
        }
    }

    Result<std::vector<std::string>> write() {
        for (const auto& [org, artifact] : artifacts_) TRY(bind(org, artifact));
        std::vector<Candidate> candidates;
        for (const Candidate& one : answer_.candidates) {
            candidates.push_back({one.kind, one.key, json::copy(one.object)});
        }
        std::stable_sort(
            candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return rank_of(a) < rank_of(b); });
        for (Candidate& candidate : candidates) TRY(write_one(candidate));
        for (const Followed& org : answer_.forecast.orgs) TRY(ask(org));
        return std::move(written_);
    }

  private:
    // Only where something is to happen: what stays as it is needs no promise.
    bool is_bound(const Followed& org) const {
        if (org.artifact_digest.empty()) return false;
        const auto& items = answer_.forecast.items;
        return std::any_of(items.begin(), items.end(), [&](const Item& item) {
            return item.org == org.org || item.kind == OrgTemplate::Spec::kind ||
                   (item.kind == Org::Spec::kind && item.name == org.org);
        });
    }

    Key key_of(std::string_view resource, const std::string& name) const {
        return {std::string(resource), answer_.ns, name};
    }

    // An Org that is not there yet gets it when it is made.
    Result<void> bind(const std::string& name, const std::string& artifact) {
        return change<Org>(key_of(Org::Spec::resource, name), [&](Org& org) {
            org.meta.annotations[std::string(annotation::planned_artifact)] = artifact;
        });
    }

    // A template that is no part of the plan but had something new when the plan was made.
    Result<void> ask(const Followed& org) {
        const Key key = key_of(OrgTemplate::Spec::resource, org.template_name);
        const bool given =
            std::any_of(answer_.candidates.begin(), answer_.candidates.end(),
                        [&](const Candidate& candidate) { return candidate.key == key; });
        if (given || org.artifact_digest.empty()) return {};
        const auto source = TRY(objects_.find<OrgTemplate>(key.ns, key.name));
        if (!source || source->status.artifact_digest == org.artifact_digest) return {};
        return change<OrgTemplate>(key, [&](OrgTemplate& object) {
            object.meta.annotations[std::string(crds::annotation::reconcile_requested_at)] =
                rfc3339(now_);
        });
    }

    template <class T, class How>
    Result<void> change(const Key& key, How how) {
        for (int attempt = 0;; ++attempt) {
            auto object = TRY(objects_.find<T>(key.ns, key.name));
            if (!object) return {};
            how(*object);
            const auto done = objects_.update(*object, now_);
            if (done) return {};
            if (done.error().code != Code::conflict || attempt == most_attempts) {
                return done.error();
            }
        }
    }

    Result<void> write_one(Candidate& candidate) {
        for (int attempt = 0;; ++attempt) {
            const auto old = TRY(same_as_planned(candidate));
            Candidate bound{candidate.kind, candidate.key, json::copy(candidate.object)};
            if (candidate.key.resource == Org::Spec::resource) keep_binding(bound, old);
            const auto done =
                put(tools_.store, bound, old ? old->revision : 0, tools_.random, now_);
            if (!done) {
                // Its status moves all the time, and that is no other state.
                const bool raced = done.error().code == Code::conflict ||
                                   done.error().code == Code::already_exists;
                if (raced && attempt < most_attempts) continue;
                return done.error();
            }
            const bool same = old && (*done)->revision == old->revision;
            if (!same) {
                written_.push_back(fmt::format("{} {} {}", candidate.kind->kind, candidate.key.name,
                                               old ? "configured" : "created"));
            }
            return {};
        }
    }

    // The object as it is now, if it is what the plan was made of.
    Result<store::ObjectPtr> same_as_planned(const Candidate& candidate) const {
        const auto now = tools_.store.get(candidate.key);
        const auto base = bases_.find(candidate.key);
        const std::string planned = base == bases_.end() ? "" : base->second->digest;
        const std::string is = now ? keyed_digest(tools_.fingerprint_key, essence(*now)) : "";
        if (is == planned) return now;
        std::string message = fmt::format("{} \"{}\" was changed while the plan was applied",
                                          candidate.kind->kind, candidate.key.name);
        if (!written_.empty()) {
            message += "; written by then: " + join(written_, ", ");
        }
        return Error{Code::conflict, message + "; make the plan anew"};
    }

    void keep_binding(Candidate& candidate, const store::ObjectPtr& old) const {
        const auto artifact = artifacts_.find(candidate.key.name);
        if (artifact == artifacts_.end()) return;
        auto& allocator = candidate.object.GetAllocator();
        json::Value& metadata = json::object_at(candidate.object, "metadata", allocator);
        const bool says = json::find(metadata, {"annotations"}) != nullptr;
        json::Value& annotations = json::object_at(metadata, "annotations", allocator);
        json::set(annotations, annotation::planned_artifact, artifact->second, allocator);
        if (says || !old) return;
        // The candidate says none: those that are there stay.
        for (const auto& [name, value] : old->meta.annotations) {
            if (!json::find(annotations, {name})) json::set(annotations, name, value, allocator);
        }
    }

    const Tools& tools_;
    Objects& objects_;
    const Answer& answer_;
    const Instant now_;
    std::map<Key, const Base*> bases_;
    std::map<std::string, std::string> artifacts_;  // by Org
    std::vector<std::string> written_;
};

}  // namespace

Result<std::vector<std::string>> write_plan(const Tools& tools, Objects& objects,
                                            const Answer& answer, Instant now) {
    return Writer(tools, objects, answer, now).write();
}

}  // namespace atelier::reconcilers::preview
