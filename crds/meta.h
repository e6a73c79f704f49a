// Metadata and status parts that objects of every kind share, in the sense of Kubernetes'
// apimachinery (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fields.h"
#include "base/result.h"

namespace atelier {

// A position in the one history of all objects; 0 stands before the first entry.
using Revision = std::int64_t;

// Names one object. `resource` is "<plural>.<group>", or the plural alone in the core group.
struct Key {
    std::string resource;
    std::string ns;  // empty for cluster-scoped kinds
    std::string name;
    auto operator<=>(const Key&) const = default;
    std::string text() const;  // "workspaces.atelier.dev default/acme-pm"
};

}  // namespace atelier

namespace atelier::crds {

struct OwnerReference {
    std::string api_version;
    std::string kind;
    std::string name;
    std::string uid;
    std::optional<bool> controller;
    std::optional<bool> block_owner_deletion;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("apiVersion", self.api_version);
        v("kind", self.kind);
        v("name", self.name);
        v("uid", self.uid);
        v("controller", self.controller);
        v("blockOwnerDeletion", self.block_owner_deletion);
    }
};

struct Meta {
    std::string name;
    std::string generate_name;
    std::string ns;
    std::string uid;
    Revision revision = 0;  // "resourceVersion"; 0 when absent
    std::int64_t generation = 0;
    std::optional<Instant> created_at;
    std::optional<Instant> deleted_at;  // set: being deleted, waits for its finalizers
    std::map<std::string, std::string> labels;
    std::map<std::string, std::string> annotations;
    std::vector<std::string> finalizers;
    std::vector<OwnerReference> owners;

    bool has_finalizer(std::string_view finalizer) const;
    // The owner with controller=true, or nullptr.
    const OwnerReference* controller() const;
    std::string label(std::string_view name) const;       // empty when absent
    std::string annotation(std::string_view name) const;  // empty when absent
};

// A resourceVersion; 0 for an empty one. Code::invalid for what no server gives.
Result<Revision> parse_revision(std::string_view text);

// Reads `metadata` of an object's JSON without building a DOM (simdjson).
Result<Meta> peek_meta(std::string_view json);
Result<Meta> read_meta(const json::Value& object);
// The `metadata` object, without resourceVersion.
json::Value write_meta(const Meta& meta, json::Allocator& allocator);

enum class ConditionStatus { yes, no, unknown };
constexpr std::array<std::pair<ConditionStatus, std::string_view>, 3> names_of(ConditionStatus) {
    return {{{ConditionStatus::yes, "True"},
             {ConditionStatus::no, "False"},
             {ConditionStatus::unknown, "Unknown"}}};
}

struct Condition {
    std::string type;  // one of the constants below, or a kind's own
    ConditionStatus status = ConditionStatus::unknown;
    std::string reason;   // one CamelCase word
    std::string message;  // for people
    std::optional<Instant> last_transition_time = {};
    std::int64_t observed_generation = 0;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("type", self.type);
        v("status", self.status);
        v("observedGeneration", self.observed_generation);
        v("lastTransitionTime", self.last_transition_time);
        v("reason", self.reason);
        v("message", self.message);
    }
};

// Types that every kind has (kstatus: Ready, and the abnormal-true Reconciling and Stalled).
namespace condition {
inline constexpr std::string_view ready = "Ready";
inline constexpr std::string_view reconciling = "Reconciling";
inline constexpr std::string_view stalled = "Stalled";
inline constexpr std::string_view suspended = "Suspended";
}  // namespace condition

// What every status begins with; a kind's status derives from it.
struct StatusBase {
    std::int64_t observed_generation = 0;
    std::vector<Condition> conditions;
    std::string last_handled_reconcile_at;  // echo of annotation::reconcile_requested_at

    const Condition* find(std::string_view type) const;
    bool is_true(std::string_view type) const;
    // Sets the condition of that type; lastTransitionTime moves only when the status flips.
    void set(Condition condition, Instant now);
    void clear(std::string_view type);  // abnormal-true conditions are removed when all is normal

    template <class Self, class V>
    static void base_fields(Self& self, V& v) {
        v("observedGeneration", self.observed_generation);
        v("conditions", self.conditions);
        v("lastHandledReconcileAt", self.last_handled_reconcile_at);
    }
};

namespace annotation {
inline constexpr std::string_view reconcile_requested_at = "atelier.dev/reconcile-requested-at";
inline constexpr std::string_view protect = "atelier.dev/protect";  // "true": never pruned
inline constexpr std::string_view confirm_prune = "atelier.dev/confirm-prune";  // a digest
}  // namespace annotation

namespace label {
inline constexpr std::string_view managed = "atelier.dev/managed";
inline constexpr std::string_view org = "atelier.dev/org";
inline constexpr std::string_view workspace = "atelier.dev/workspace";
inline constexpr std::string_view plugin = "atelier.dev/plugin";
}  // namespace label

inline constexpr std::string_view group = "atelier.dev";
inline constexpr std::string_view version = "v1alpha1";
inline constexpr std::string_view api_version = "atelier.dev/v1alpha1";

// A typed object: what reconcilers work with. Spec names its kind by the constants
// `kind` ("Workspace") and `resource` ("workspaces.atelier.dev").
template <class SpecT, class StatusT>
struct Typed {
    using Spec = SpecT;
    using Status = StatusT;
    Meta meta;
    Spec spec;
    Status status;

    Key key() const { return {std::string(Spec::resource), meta.ns, meta.name}; }
    bool being_deleted() const { return meta.deleted_at.has_value(); }
    OwnerReference as_owner() const {
        return {std::string(api_version), std::string(Spec::kind), meta.name, meta.uid, true, true};
    }
};

// Defined in crds/codec.h, and instantiated for each kind by crds/<kind>.cc.
template <class T>
Result<T> decode(const json::Value& object);
template <class T>
Result<T> decode(std::string_view json_text);
// The whole object as JSON, with an empty resourceVersion left out.
template <class T>
json::Document encode(const T& object);

// A reference to an object of the same namespace.
struct LocalRef {
    std::string name;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("name", self.name);
    }
};

}  // namespace atelier::crds
