#include "reconcilers/org_template/reconciler.h"

#include <fmt/format.h>

#include <algorithm>

#include "reconcilers/org_template/layers.h"
#include "reconcilers/org_template/status.h"

namespace atelier::reconcilers {
namespace {

constexpr Duration shortest_interval = std::chrono::seconds(1);

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
        if (reads || secret.name == layers_secret_name(object->key.name)) {
            keys.push_back(object->key);
        }
    }
    return keys;
}

Outcome again_at_interval(const crds::OrgTemplate& object, Instant now) {
    return {.wake_at = now + std::max<Duration>(object.spec.interval, shortest_interval)};
}

}  // namespace

std::vector<Interest> OrgTemplateReconciler::interests() const {
    return {{std::string(crds::Secret::resource), templates_of_secret}};
}

Result<Outcome> OrgTemplateReconciler::reconcile(const Key& key, Instant now) {
    const auto object = TRY(objects_.find<crds::OrgTemplate>(key.ns, key.name));
    if (!object || object->being_deleted()) return Outcome{};
    if (object->spec.suspend) {
        TRY(report(*object, suspended_status(*object, now), now));
        return Outcome{};
    }

    const auto origin = open_source(*object, objects_, git_, templates_root_);
    if (!origin) {
        if (origin.error().code == Code::cancelled) return origin.error();
        TRY(report(*object, source_failed_status(*object, origin.error(), now), now));
        if (retry_of(origin.error().code) == Retry::at_interval) {
            return again_at_interval(*object, now);
        }
        return origin.error();
    }

    DigestedFiles files(*origin->files);
    const auto externals = externals_of(*origin, git_, external_);
    const Compilation compiled = compile(files, *externals);
    if (!compiled.errors.empty()) {
        TRY(report(*object, not_compiled_status(*object, compiled, now), now));
        if (compiled.may_pass) {
            return Error{Code::unavailable, "a repository of the template cannot be reached"};
        }
        return again_at_interval(*object, now);
    }

    const auto artifact = publish(*object, compiled, now);
    if (!artifact) {
        TRY(report(*object, publish_failed_status(*object, artifact.error(), now), now));
        if (retry_of(artifact.error().code) != Retry::soon) return again_at_interval(*object, now);
        return artifact.error();
    }
    const std::string revision =
        origin->commit.empty() ? files.digest(compiled.externals) : origin->commit;
    TRY(report(*object, compiled_status(*object, compiled, revision, *artifact, now), now));
    return again_at_interval(*object, now);
}

// Everything that the artifact refers to is there before anybody can learn of the artifact.
Result<std::string> OrgTemplateReconciler::publish(const crds::OrgTemplate& object,
                                                   const Compilation& compiled, Instant now) {
    for (const auto& [digest, tree] : compiled.trees) TRY(keep_tree(digest, tree));
    const drivers::Tree artifact = artifact_of(compiled.org);
    const std::string digest = drivers::digest_of(drivers::manifest_of(artifact));
    TRY(keep_tree(digest, artifact));
    TRY(publish_layers(object, compiled.env, now));
    return digest;
}

Result<void> OrgTemplateReconciler::publish_layers(const crds::OrgTemplate& object,
                                                   const EnvLayers& layers, Instant now) {
    if (has_values(layers)) {
        const crds::Secret secret = TRY(secret_of_layers(object, layers));
        TRY(objects_.put_secret(secret, now));
        return {};
    }
    const std::string name = layers_secret_name(object.meta.name);
    const auto old = TRY(objects_.secret(object.meta.ns, name));
    if (!old) return {};
    const crds::OwnerReference* owner = old->meta.controller();
    if (!owner || owner->uid != object.meta.uid) return {};
    return objects_.remove_secret(*old, now);
}

Result<void> OrgTemplateReconciler::keep_tree(const std::string& digest,
                                              const drivers::Tree& tree) {
    if (trees_.manifest(digest)) return {};
    const std::string stored = TRY(trees_.put(tree));
    if (stored == digest) return {};
    return Error{Code::internal, "the tree store names a tree by another digest"};
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
