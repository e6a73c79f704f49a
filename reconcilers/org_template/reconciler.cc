#include "reconcilers/org_template/reconciler.h"

#include <fmt/format.h>

#include <algorithm>

#include "crds/org.h"
#include "reconcilers/org_template/status.h"
#include "templates/layers.h"

namespace atelier::reconcilers {
namespace {

constexpr Duration earliest_resync = std::chrono::minutes(9);  // controllers/core.cc

std::vector<std::string> secret_of(const store::Object& object) {
    const auto decoded = crds::decode<crds::OrgTemplate>(object.body);
    if (!decoded) return {};
    const auto& git = decoded->spec.source.git;
    if (!git || !git->secret_ref) return {};
    return {store::in_namespace(object.key.ns, git->secret_ref->name)};
}

constexpr store::FieldIndex by_secret{crds::OrgTemplateSpec::resource, "secret", secret_of};

// OrgTemplates that read their source with this Secret, or own it: then its name begins with
// theirs.
std::vector<Key> templates_of_secret(const store::Event& event, const store::Store& store) {
    std::vector<Key> keys;
    const Key& secret = event.object->key;
    for (const auto& object :
         store.by_index(by_secret, store::in_namespace(secret.ns, secret.name))) {
        keys.push_back(object->key);
    }
    for (std::size_t size = 1; size < secret.name.size(); ++size) {
        const std::string name = secret.name.substr(0, size);
        if (!templates::is_layers_secret_name(secret.name, name)) continue;
        Key key{std::string(crds::OrgTemplateSpec::resource), secret.ns, name};
        const bool is_known = std::find(keys.begin(), keys.end(), key) != keys.end();
        if (!is_known && store.get(key)) keys.push_back(std::move(key));
    }
    return keys;
}

}  // namespace

std::vector<Interest> OrgTemplateReconciler::interests() const {
    return {{std::string(crds::Secret::resource), templates_of_secret}};
}

Result<Outcome> OrgTemplateReconciler::reconcile(const Key& key, Instant now) {
    const auto object = TRY(objects_.find<crds::OrgTemplate>(key.ns, key.name));
    if (!object || object->being_deleted()) {
        remember(key, std::nullopt);
        return Outcome{};
    }
    if (const auto until = resting_until(*object, TRY(inputs_of(*object)), now)) {
        return Outcome{.wake_at = until};
    }
    remember(key, std::nullopt);
    const org_template::Observed observed = TRY(observe(*object));
    org_template::Plan plan = org_template::plan(*object, observed, now);
    const Result<void> acted = execute(observed, plan.actions, now);
    std::optional<Error> failure;
    if (!acted) {
        failure = acted.error();
        plan = org_template::plan_after_failure(*object, *failure, now);
    }
    TRY(report(*object, org_template::status(*object, observed, plan, failure, now), now));
    if (plan.retry) return *plan.retry;
    const auto after = TRY(objects_.find<crds::OrgTemplate>(key.ns, key.name));
    if (after && plan.wake_at) {
        remember(key, LastRead{now, *plan.wake_at, TRY(inputs_of(*after))});
    }
    return Outcome{.wake_at = plan.wake_at};
}

// The controller makes every key due again after about ten minutes. A source with a longer interval
// is not read then, unless something that the template depends on has changed. A clock that was set
// back ends the rest.
std::optional<Instant> OrgTemplateReconciler::resting_until(const crds::OrgTemplate& object,
                                                            const std::string& inputs,
                                                            Instant now) {
    if (object.spec.interval < earliest_resync) return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto last = reads_.find(object.key());
    if (last == reads_.end() || last->second.inputs != inputs) return std::nullopt;
    if (now < last->second.at || now >= last->second.due) return std::nullopt;
    return last->second.due;
}

void OrgTemplateReconciler::remember(const Key& key, std::optional<LastRead> read) {
    const std::lock_guard lock(mutex_);
    if (read) {
        reads_.insert_or_assign(key, *std::move(read));
    } else {
        reads_.erase(key);
    }
}

// Everything but the source itself that a reconcile of the template reads or restores.
Result<std::string> OrgTemplateReconciler::inputs_of(const crds::OrgTemplate& object) const {
    const std::string& ns = object.meta.ns;
    std::string text = fmt::format("{} {}", object.meta.uid, object.meta.revision);
    for (const crds::Secret& secret : TRY(objects_.secrets_of(ns, object.meta.uid))) {
        text += fmt::format(" {}@{}", secret.meta.name, secret.meta.revision);
    }
    if (const auto& git = object.spec.source.git; git && git->secret_ref) {
        const auto secret = TRY(objects_.secret(ns, git->secret_ref->name));
        text += fmt::format(" read with {}", secret ? secret->meta.revision : 0);
    }
    for (const auto& org : TRY(objects_.list<crds::Org>(ns))) {
        if (org.spec.template_ref.name != object.meta.name) continue;
        text += fmt::format(" {} at {}", org.meta.name, org.spec.revision);
    }
    if (!trees_.manifest(object.status.artifact_digest)) text += " without its artifact";
    return text;
}

Result<org_template::Observed> OrgTemplateReconciler::observe(
    const crds::OrgTemplate& object) const {
    org_template::Observed observed;
    if (object.spec.suspend) return observed;
    const auto origin = open_source(object, objects_, git_, templates_root_);
    if (!origin) {
        if (origin.error().code == Code::cancelled) return origin.error();
        observed.unreadable = origin.error();
        return observed;
    }
    DigestedFiles files(*origin->files);
    const auto externals = externals_of(*origin, git_, external_);
    observed.compiled = templates::compile(files, *externals);
    auto& warnings = observed.compiled.warnings;
    warnings.insert(warnings.begin(), origin->warnings.begin(), origin->warnings.end());
    if (!observed.compiled.errors.empty()) return observed;
    observed.revision = origin->commit.empty()
                            ? revision_without_commit(files, observed.compiled.externals,
                                                      observed.compiled.env, revision_key_)
                            : origin->commit;
    observed.trees = std::move(observed.compiled.trees);
    drivers::Tree artifact = templates::artifact_of(observed.compiled.org);
    observed.artifact = drivers::digest_of(drivers::manifest_of(artifact));
    observed.trees.emplace(observed.artifact, std::move(artifact));
    for (const auto& [digest, tree] : observed.trees) {
        if (trees_.manifest(digest)) observed.kept.insert(digest);
    }
    if (origin->remote) {
        // Author and subject are shown to people only: without them the revision is as good.
        if (auto author = git_.author(*origin->remote, origin->commit)) {
            observed.author = std::move(author->name);
            observed.subject = std::move(author->subject);
        }
    }
    for (crds::Secret& secret : TRY(objects_.secrets_of(object.meta.ns, object.meta.uid))) {
        if (templates::is_layers_secret(secret)) observed.layers.push_back(std::move(secret));
    }
    for (const auto& org : TRY(objects_.list<crds::Org>(object.meta.ns))) {
        const bool pinned = org.spec.template_ref.name == object.meta.name;
        if (pinned && !org.spec.revision.empty()) observed.pins.insert(org.spec.revision);
    }
    return observed;
}

Result<void> OrgTemplateReconciler::execute(const org_template::Observed& observed,
                                            const std::vector<org_template::Action>& actions,
                                            Instant now) {
    for (const org_template::Action& action : actions) {
        if (const auto* keep = std::get_if<org_template::KeepTree>(&action)) {
            const std::string stored = TRY(trees_.put(observed.trees.at(keep->digest)));
            if (stored != keep->digest) {
                return Error{Code::internal, "the tree store names a tree by another digest"};
            }
        } else if (const auto* put = std::get_if<org_template::PutLayers>(&action)) {
            TRY(objects_.put_secret(put->secret, now));
        } else {
            TRY(objects_.remove_secret(std::get<org_template::RemoveLayers>(action).secret, now));
        }
    }
    return {};
}

Result<void> OrgTemplateReconciler::report(const crds::OrgTemplate& object,
                                           crds::OrgTemplateStatus next, Instant now) {
    const crds::Condition* before = object.status.find(crds::condition::ready);
    const crds::Condition* after = next.find(crds::condition::ready);
    const bool said = before && after && before->reason == after->reason &&
                      before->message == after->message &&
                      object.status.artifact_digest == next.artifact_digest;
    const bool wrote = TRY(objects_.report(object, next, now));
    if (!wrote || said || !after) return {};
    const bool good = after->status == crds::ConditionStatus::yes;
    objects_.event(
        object, good ? crds::EventType::normal : crds::EventType::warning, after->reason,
        good ? fmt::format("revision {}: {}", next.revision, after->message) : after->message, now);
    return {};
}

}  // namespace atelier::reconcilers
