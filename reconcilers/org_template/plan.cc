#include "reconcilers/org_template/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "crds/org_template_conditions.h"
#include "reconcilers/common/status.h"
#include "reconcilers/org_template/history.h"
#include "templates/layers.h"

namespace atelier::reconcilers::org_template {
namespace {

constexpr Duration shortest_interval = std::chrono::seconds(1);
constexpr Duration first_retry = std::chrono::seconds(10);

Instant at_interval(const crds::OrgTemplate& object, Instant now) {
    return now + std::max<Duration>(object.spec.interval, shortest_interval);
}

// When to read a source again that answered something unusable: a redirect or a web page may come
// from a proxy that is being restarted. The first time soon, then after as long as it has failed
// already, and at the latest at the interval.
Instant after_unusable_answer(const crds::OrgTemplate& object, Instant now) {
    const crds::Condition* ready = object.status.find(crds::org_template::condition::source_ready);
    Duration failing = Duration::zero();
    if (ready && ready->status == crds::ConditionStatus::no && ready->last_transition_time) {
        failing = now - *ready->last_transition_time;
    }
    return std::min(at_interval(object, now), now + std::max<Duration>(failing, first_retry));
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

// Whether the Secret of that revision holds the environment that was just compiled.
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
    if (retry_of(failure.code) == Retry::soon) {
        plan.retry = failure;
    } else {
        plan.wake_at = at_interval(object, now);
    }
    return plan;
}

Plan plan(const crds::OrgTemplate& object, const Observed& observed, Instant now) {
    Plan plan;
    if (object.spec.suspend) return plan;
    if (observed.unreadable) {
        switch (retry_of(observed.unreadable->code)) {
            case Retry::soon:
                plan.retry = observed.unreadable;
                break;
            case Retry::at_interval:
                plan.wake_at = at_interval(object, now);
                break;
            case Retry::on_change:
                // Only a git server can answer otherwise without a change of the object.
                if (object.spec.source.git) plan.wake_at = after_unusable_answer(object, now);
                break;
        }
        return plan;
    }
    if (!observed.compiled.errors.empty()) {
        if (observed.compiled.may_pass) {
            plan.retry = Error{Code::unavailable, "a repository of the template cannot be reached"};
        } else {
            plan.wake_at = at_interval(object, now);
        }
        return plan;
    }
    plan.wake_at = at_interval(object, now);
    for (const auto& [digest, tree] : observed.trees) {
        if (!observed.kept.contains(digest)) plan.actions.push_back(KeepTree{digest});
    }
    plan.history = history_of(object, observed, now);
    if (const auto added = add_layers(object, observed, plan.history, plan); !added) {
        plan = plan_after_failure(object, added.error(), now);
        plan.unpublishable = added.error();
    }
    return plan;
}

std::string text_of(const Action& action) {
    return std::visit(Words{}, action);
}

}  // namespace atelier::reconcilers::org_template
