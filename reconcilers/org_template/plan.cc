#include "reconcilers/org_template/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "reconcilers/org_template/layers.h"
#include "reconcilers/org_template/status.h"

namespace atelier::reconcilers::org_template {
namespace {

constexpr Duration shortest_interval = std::chrono::seconds(1);

Instant at_interval(const crds::OrgTemplate& object, Instant now) {
    return now + std::max<Duration>(object.spec.interval, shortest_interval);
}

bool is_ours(const crds::Secret& secret, const crds::OrgTemplate& object) {
    const crds::OwnerReference* owner = secret.meta.controller();
    return owner && owner->uid == object.meta.uid;
}

bool are_equal(const crds::Secret& a, const crds::Secret& b) {
    return a.type == b.type && a.data == b.data && a.meta.labels == b.meta.labels;
}

void add_layers(const crds::OrgTemplate& object, const Seen& seen, Plan& plan) {
    const auto& now = seen.layers_now;
    if (seen.layers) {
        const bool done = now && is_ours(*now, object) && are_equal(*seen.layers, *now);
        if (!done) plan.actions.push_back(PutLayers{seen.layers->meta.name});
    } else if (now && is_ours(*now, object)) {
        plan.actions.push_back(RemoveLayers{now->meta.name});
    }
}

struct Words {
    std::string operator()(const KeepTree& action) const {
        return "keep tree " + action.digest.substr(0, 7);
    }
    std::string operator()(const PutLayers& action) const { return "put secret " + action.secret; }
    std::string operator()(const RemoveLayers& action) const {
        return "remove secret " + action.secret;
    }
};

}  // namespace

Plan plan_after_failure(const crds::OrgTemplate& object, const Error& failure, Instant now) {
    Plan plan;
    plan.status = publish_failed_status(object, failure, now);
    if (retry_of(failure.code) == Retry::soon) {
        plan.retry = failure;
    } else {
        plan.wake_at = at_interval(object, now);
    }
    return plan;
}

Plan plan(const crds::OrgTemplate& object, const Seen& seen, Instant now) {
    Plan plan;
    if (object.spec.suspend) {
        plan.status = suspended_status(object, now);
        return plan;
    }
    if (seen.unreadable) {
        plan.status = source_failed_status(object, *seen.unreadable, now);
        if (retry_of(seen.unreadable->code) == Retry::at_interval) {
            plan.wake_at = at_interval(object, now);
        } else {
            plan.retry = seen.unreadable;
        }
        return plan;
    }
    plan.wake_at = at_interval(object, now);
    if (!seen.compiled.errors.empty()) {
        plan.status = not_compiled_status(object, seen.compiled, now);
        if (seen.compiled.may_pass) {
            plan.wake_at.reset();
            plan.retry = Error{Code::unavailable, "a repository of the template cannot be reached"};
        }
        return plan;
    }
    if (seen.refused) return plan_after_failure(object, *seen.refused, now);
    for (const auto& [digest, tree] : seen.trees) {
        if (!seen.kept.contains(digest)) plan.actions.push_back(KeepTree{digest});
    }
    add_layers(object, seen, plan);
    plan.status = compiled_status(object, seen.compiled, seen.revision, seen.artifact, now);
    return plan;
}

std::string text(const Action& action) {
    return std::visit(Words{}, action);
}

std::string text(const Plan& plan) {
    std::string out;
    for (const Action& action : plan.actions) out += (out.empty() ? "" : ", ") + text(action);
    const crds::Condition* ready = plan.status.find(crds::condition::ready);
    const bool suspended = plan.status.is_true(crds::condition::suspended);
    std::string says = "none";
    if (suspended) {
        says = "Suspended";
    } else if (ready) {
        says = std::string(json::name_of(ready->status)) + " " + ready->reason;
    }
    out += (out.empty() ? "" : "; ") + says;
    if (plan.retry) {
        out += retry_of(plan.retry->code) == Retry::soon ? ", again soon" : ", waits for a change";
    }
    return out;
}

}  // namespace atelier::reconcilers::org_template
