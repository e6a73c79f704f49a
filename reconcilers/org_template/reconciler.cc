#include "reconcilers/org_template/reconciler.h"

#include <fmt/format.h>

#include "crds/org.h"
#include "reconcilers/org_template/layers.h"

namespace atelier::reconcilers {
namespace {

// OrgTemplates that read with a Secret, or own it.
std::vector<Key> templates_of_secret(const store::Event& event, const store::Store& store) {
    std::vector<Key> keys;
    const Key& secret = event.object->key;
    const auto snapshot = store.list(crds::OrgTemplateSpec::resource);
    for (const auto& object : snapshot->objects) {
        if (object->key.ns != secret.ns) continue;
        const auto decoded = crds::decode<crds::OrgTemplate>(object->body);
        if (!decoded) continue;
        const auto& git = decoded->spec.source.git;
        const bool reads = git && git->secret_ref && git->secret_ref->name == secret.name;
        if (reads || is_layers_secret_name(secret.name, object->key.name)) {
            keys.push_back(object->key);
        }
    }
    return keys;
}

}  // namespace

std::vector<Interest> OrgTemplateReconciler::interests() const {
    return {{std::string(crds::Secret::resource), templates_of_secret}};
}

Result<Outcome> OrgTemplateReconciler::reconcile(const Key& key, Instant now) {
    const auto object = TRY(objects_.find<crds::OrgTemplate>(key.ns, key.name));
    if (!object || object->being_deleted()) return Outcome{};
    const org_template::Seen seen = TRY(observe(*object));
    org_template::Plan plan = org_template::plan(*object, seen, now);
    const Result<void> acted = execute(seen, plan.actions, now);
    if (!acted) plan = org_template::plan_after_failure(*object, acted.error(), now);
    TRY(report(*object, plan.status, now));
    if (plan.retry) return *plan.retry;
    return Outcome{.wake_at = plan.wake_at};
}

Result<org_template::Seen> OrgTemplateReconciler::observe(const crds::OrgTemplate& object) const {
    org_template::Seen seen;
    if (object.spec.suspend) return seen;
    const auto origin = open_source(object, objects_, git_, templates_root_);
    if (!origin) {
        if (origin.error().code == Code::cancelled) return origin.error();
        seen.unreadable = origin.error();
        return seen;
    }
    DigestedFiles files(*origin->files);
    const auto externals = externals_of(*origin, git_, external_);
    seen.compiled = compile(files, *externals);
    if (!seen.compiled.errors.empty()) return seen;
    seen.revision = origin->commit.empty()
                        ? revision_without_commit(files, seen.compiled.externals, seen.compiled.env,
                                                  revision_key_)
                        : origin->commit;
    seen.trees = std::move(seen.compiled.trees);
    drivers::Tree artifact = artifact_of(seen.compiled.org);
    seen.artifact = drivers::digest_of(drivers::manifest_of(artifact));
    seen.trees.emplace(seen.artifact, std::move(artifact));
    for (const auto& [digest, tree] : seen.trees) {
        if (trees_.manifest(digest)) seen.kept.insert(digest);
    }
    if (origin->remote) {
        // A commit that says nothing of itself is a revision all the same.
        if (auto author = git_.author(*origin->remote, origin->commit)) {
            seen.author = std::move(author->name);
            seen.subject = std::move(author->subject);
        }
    }
    for (crds::Secret& secret : TRY(objects_.secrets_of(object.meta.ns, object.meta.uid))) {
        if (is_layers_secret(secret)) seen.layers.push_back(std::move(secret));
    }
    for (const auto& org : TRY(objects_.list<crds::Org>(object.meta.ns))) {
        const bool pinned = org.spec.template_ref.name == object.meta.name;
        if (pinned && !org.spec.revision.empty()) seen.pins.insert(org.spec.revision);
    }
    return seen;
}

Result<void> OrgTemplateReconciler::execute(const org_template::Seen& seen,
                                            const std::vector<org_template::Action>& actions,
                                            Instant now) {
    for (const org_template::Action& action : actions) {
        if (const auto* keep = std::get_if<org_template::KeepTree>(&action)) {
            const std::string stored = TRY(trees_.put(seen.trees.at(keep->digest)));
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
