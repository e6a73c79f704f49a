// Typed reads and writes of objects for reconcilers, over the store. Writes pass the same admission
// as those of people (crds/lifecycle.h) and carry the revision that was read: a stale one is
// Code::conflict, and the controller takes the key again.
//
// Thread-safe. Collaborators outlive it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "crds/core.h"
#include "crds/kind.h"
#include "crds/lifecycle.h"
#include "crds/meta.h"
#include "store/store.h"

namespace atelier::reconcilers {

class Objects {
  public:
    Objects(store::Store& store, const crds::Kinds& kinds, Random& random, Log log)
        : store_(store), kinds_(kinds), random_(random), log_(std::move(log)) {}

    store::Store& store() const { return store_; }

    template <class T>
    Result<std::optional<T>> find(const std::string& ns, const std::string& name) const {
        const auto object = store_.get({std::string(T::Spec::resource), ns, name});
        if (!object) return std::optional<T>();
        return std::optional<T>(TRY(crds::decode<T>(object->body)));
    }

    // Those of a namespace for which `wanted` is true; it sees the metadata only, before decoding.
    template <class T>
    Result<std::vector<T>> list(
        const std::string& ns,
        const std::function<bool(const crds::Meta&)>& wanted = nullptr) const {
        std::vector<T> found;
        const auto snapshot = store_.list(T::Spec::resource);
        for (const auto& object : snapshot->objects) {
            if (object->key.ns != ns || (wanted && !wanted(object->meta))) continue;
            found.push_back(TRY(crds::decode<T>(object->body)));
        }
        return found;
    }

    // Those that the index has under the value, sorted by namespace and name.
    template <class T>
    Result<std::vector<T>> by_index(const store::FieldIndex& index, std::string_view value) const {
        std::vector<T> found;
        for (const auto& object : store_.by_index(index, value)) {
            found.push_back(TRY(crds::decode<T>(object->body)));
        }
        return found;
    }

    // meta: name, namespace, labels, annotations, owners, finalizers. The object as stored.
    template <class T>
    Result<T> create(const crds::Meta& meta, const typename T::Spec& spec, Instant now) {
        T object;
        object.meta = meta;
        object.spec = spec;
        const auto stored = TRY(create_document(T::Spec::resource, crds::encode(object), now));
        return crds::decode<T>(stored->body);
    }

    // Writes spec, labels, annotations, owners and finalizers of `object`, whose revision is the
    // one read. Writes nothing when nothing changed.
    template <class T>
    Result<T> update(const T& object, Instant now) {
        const auto stored = TRY(
            update_document(T::Spec::resource, crds::encode(object), object.meta.revision, now));
        return crds::decode<T>(stored->body);
    }

    // Writes status, if it differs from what is stored. True when it wrote.
    template <class T>
    Result<bool> report(const T& object, const typename T::Status& status, Instant now) {
        T next = object;
        next.status = status;
        return report_document(T::Spec::resource, crds::encode(next), object.meta.revision, now);
    }

    // Begins deletion, as `kubectl delete` does; only of this very object (its uid). The
    // annotations `marks` are set by the same write.
    template <class T>
    Result<void> remove(const T& object, Instant now,
                        const std::map<std::string, std::string>& marks = {}) {
        return remove_key(object.key(), object.meta.uid, now, marks);
    }

    template <class T>
    Result<T> add_finalizer(T object, std::string_view finalizer, Instant now) {
        if (object.meta.has_finalizer(finalizer)) return object;
        object.meta.finalizers.emplace_back(finalizer);
        return update(object, now);
    }

    // Takes the finalizer off; an object that is being deleted goes with its last one.
    template <class T>
    Result<void> release(T object, std::string_view finalizer, Instant now) {
        std::erase(object.meta.finalizers, finalizer);
        const auto stored =
            update_document(T::Spec::resource, crds::encode(object), object.meta.revision, now);
        if (!stored) return stored.error();
        return {};
    }

    Result<std::optional<crds::Secret>> secret(const std::string& ns,
                                               const std::string& name) const;
    Result<std::optional<crds::ConfigMap>> config_map(const std::string& ns,
                                                      const std::string& name) const;
    // Those of a namespace whose controller has that uid.
    Result<std::vector<crds::Secret>> secrets_of(const std::string& ns,
                                                 const std::string& owner_uid) const;
    // Creates the Secret, or gives the existing one of that name its labels, type and data.
    // Code::forbidden when the existing one has another controller than `secret`, or none: it is
    // not changed. True when it wrote.
    Result<bool> put_secret(const crds::Secret& secret, Instant now);
    Result<void> remove_secret(const crds::Secret& secret, Instant now);
    // Makes `owner` the controller in the place of the one before. `secret` is as it was read.
    Result<void> give_secret(crds::Secret secret, const crds::OwnerReference& owner, Instant now);

    // Records a core/v1 Event about an object. Equal events (object, reason, message) are counted
    // on one Event instead of repeated. A failure to record is logged, never returned.
    template <class T>
    void event(const T& about, crds::EventType type, std::string_view reason,
               std::string_view message, Instant now) {
        record_event({std::string(crds::api_version), std::string(T::Spec::kind), about.meta.ns,
                      about.meta.name, about.meta.uid},
                     type, reason, message, now);
    }

  private:
    Result<store::ObjectPtr> create_document(std::string_view resource, json::Document object,
                                             Instant now);
    Result<store::ObjectPtr> update_document(std::string_view resource, json::Document object,
                                             Revision expected, Instant now);
    Result<bool> report_document(std::string_view resource, json::Document object,
                                 Revision expected, Instant now);
    Result<void> remove_key(const Key& key, const std::string& uid, Instant now,
                            const std::map<std::string, std::string>& marks = {});
    void record_event(const crds::ObjectReference& about, crds::EventType type,
                      std::string_view reason, std::string_view message, Instant now);

    store::Store& store_;
    const crds::Kinds& kinds_;
    Random& random_;
    Log log_;
};

}  // namespace atelier::reconcilers
