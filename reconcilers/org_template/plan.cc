#include "reconcilers/org_template/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "reconcilers/org_template/history.h"
#include "reconcilers/org_template/status.h"
#include "templates/layers.h"

namespace atelier::reconcilers::org_template {
namespace {

constexpr Duration shortest_interval = std::chrono::seconds(1);

Instant at_interval(const crds::OrgTemplate& object, Instant now) {
    return now + std::max<Duration>(object.spec.interval, shortest_interval);
}

bool are_equal(const crds::Secret& a, const crds::Secret& b) {
    return a.type == b.type && a.data == b.data && a.meta.labels == b.meta.labels;
}

const crds::Secret* find(const std::vector<crds::Secret>& secrets, const std::string& name) {
    const auto found = std::find_if(secrets.begin(), secrets.end(),
                                    [&](const crds::Secret& one) { return one.meta.name == name; });
    return found == secrets.end() ? nullptr : &*found;
}

crds::TemplateRevision revision_of(const Observed& observed, Instant now) {
    return {.revision = observed.revision,
            .artifact_digest = observed.artifact,
            .compiled_at = now,
            .author = observed.author,
            .subject = observed.subject,
            .workspaces = observed.compiled.org.counts.spawning};
}

// Whether that revision has the environment that was just compiled.
bool has_layers(const crds::OrgTemplate& object, const crds::TemplateRevision& revision,
                const Observed& observed) {
    const std::string name = templates::layers_secret_name(object.meta.name, revision);
    const crds::Secret* there = find(observed.layers, name);
    if (!templates::has_values(observed.compiled.env)) return !there;
    const auto wanted = templates::secret_of_layers(object, observed.compiled.env, revision);
    return wanted && there && are_equal(*wanted, *there);
}

std::vector<crds::TemplateRevision> history_of(const crds::OrgTemplate& object,
                                               const Observed& observed, Instant now) {
    const auto& before = object.status.history;
    const bool same = !before.empty() && before.front().artifact_digest == observed.artifact &&
                      has_layers(object, before.front(), observed);
    return next_history(before, revision_of(observed, now), same,
                        {object.spec.revision_history_limit, observed.pins});
}

Result<void> add_layers(const crds::OrgTemplate& object, const Observed& observed,
                        const std::vector<crds::TemplateRevision>& history, Plan& plan) {
    std::set<std::string> stay;
    for (const crds::TemplateRevision& revision : history) {
        stay.insert(templates::layers_secret_name(object.meta.name, revision));
    }
    if (templates::has_values(observed.compiled.env)) {
        auto secret =
            TRY(templates::secret_of_layers(object, observed.compiled.env, history.front()));
        const crds::Secret* there = find(observed.layers, secret.meta.name);
        if (!there || !are_equal(secret, *there)) {
            plan.actions.push_back(PutLayers{std::move(secret)});
        }
    } else {
        stay.erase(templates::layers_secret_name(object.meta.name, history.front()));
    }
    for (const crds::Secret& secret : observed.layers) {
        if (!stay.contains(secret.meta.name)) plan.actions.push_back(RemoveLayers{secret});
    }
    return {};
}

struct Words {
    std::string operator()(const KeepTree& action) const {
        return "keep tree " + action.digest.substr(0, 7);
    }
    std::string operator()(const PutLayers& action) const {
        return "put secret " + action.secret.meta.name;
    }
    std::string operator()(const RemoveLayers& action) const {
        return "remove secret " + action.secret.meta.name;
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

Plan plan(const crds::OrgTemplate& object, const Observed& observed, Instant now) {
    Plan plan;
    if (object.spec.suspend) {
        plan.status = suspended_status(object, now);
        return plan;
    }
    if (observed.unreadable) {
        plan.status = source_failed_status(object, *observed.unreadable, now);
        if (retry_of(observed.unreadable->code) == Retry::at_interval) {
            plan.wake_at = at_interval(object, now);
        } else {
            plan.retry = observed.unreadable;
        }
        return plan;
    }
    plan.wake_at = at_interval(object, now);
    if (!observed.compiled.errors.empty()) {
        plan.status = not_compiled_status(object, observed.compiled, now);
        if (observed.compiled.may_pass) {
            plan.wake_at.reset();
            plan.retry = Error{Code::unavailable, "a repository of the template cannot be reached"};
        }
        return plan;
    }
    for (const auto& [digest, tree] : observed.trees) {
        if (!observed.kept.contains(digest)) plan.actions.push_back(KeepTree{digest});
    }
    auto history = history_of(object, observed, now);
    if (const auto added = add_layers(object, observed, history, plan); !added) {
        return plan_after_failure(object, added.error(), now);
    }
    plan.status =
        compiled_status(object, observed.compiled, observed.revision, observed.artifact, now);
    plan.status.history = std::move(history);
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
