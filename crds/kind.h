// What a kind is, at run time: names, scope, columns, schema, rules. Made from its
// CustomResourceDefinition (crds/<plural>.yaml, embedded in the binary) or, for the core kinds, in
// crds/core.cc. One source for discovery, OpenAPI, defaulting, pruning, validation and tables.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "crds/meta.h"
#include "crds/schema.h"

namespace atelier::crds {

struct Column {
    std::string name;
    std::string type;    // string, integer, number, boolean, date
    std::string format;  // of core kinds also "count" (of members) and "reference" (kind/name)
    std::string description;
    std::int64_t priority = 0;  // above 0: only with -o wide
    std::string json_path;      // ".spec.replicas"
};

enum class Scope { namespaced, cluster };

// Reads of other objects that a rule may make: the store's view, or nothing.
class Lookup {
  public:
    virtual ~Lookup() = default;
    // The JSON of that object, or empty.
    virtual std::string find(const Key& key) const = 0;
    // Names of the objects of a resource, to suggest one; may be empty.
    virtual std::vector<std::string> names(std::string_view /*resource*/,
                                           std::string_view /*ns*/) const {
        return {};
    }
};

// Appends what is wrong with `object` beyond its schema. `old` is nullptr on creation.
using Rule = std::function<void(const json::Value& object, const json::Value* old,
                                const Lookup& lookup, std::vector<Cause>& causes)>;

// Brings an object into its stored form before defaults and validation: what a kind derives from
// write-only fields, or holds on to across updates. `old` is nullptr on creation.
using Prepare = std::function<void(json::Document& object, const json::Value* old)>;

struct Kind {
    std::string group;  // empty: core
    std::string version;
    std::string kind;
    std::string list_kind;
    std::string plural;
    std::string singular;
    std::vector<std::string> short_names;
    std::vector<std::string> categories;
    Scope scope = Scope::namespaced;
    bool status_subresource = false;
    bool strategic_merge = false;  // core kinds: patched with strategic merge, sent as protobuf
    // Without Name, with Age where the CRD names it. The columns of events are made where tables
    // are: no path can say them.
    std::vector<Column> columns;
    std::shared_ptr<const Schema> schema;
    Rule rule;        // may be empty
    Prepare prepare;  // may be empty

    std::string resource() const { return group.empty() ? plural : plural + "." + group; }
    std::string api_version() const { return group.empty() ? version : group + "/" + version; }
};

// The kinds served. Immutable once built; safe to share between threads.
class Kinds {
  public:
    void add(Kind kind);
    const Kind* find(std::string_view resource) const;  // "workspaces.atelier.dev"
    const Kind* find(std::string_view group, std::string_view version,
                     std::string_view plural) const;
    const Kind* find_kind(std::string_view api_version, std::string_view kind) const;
    const std::vector<std::unique_ptr<const Kind>>& all() const { return kinds_; }  // as added

  private:
    std::vector<std::unique_ptr<const Kind>> kinds_;
};

// A Kind from the YAML of an apiextensions.k8s.io/v1 CustomResourceDefinition. Refuses a CRD that
// is not structural or uses a feature we do not serve.
Result<Kind> kind_from_crd(std::string_view yaml);

struct KindOptions {
    // Accepts a Plugin whose source is github://owner/repo without #ref.
    bool allow_unpinned = false;
};

// The kinds of Atelier, from the embedded CRDs, with their rules.
Result<Kinds> atelier_kinds(const KindOptions& options = {});
// namespaces, secrets, configmaps, events, serviceaccounts, leases.
void add_core_kinds(Kinds& kinds);
// The embedded CRD of a kind as JSON, for the apiextensions API.
std::vector<json::Document> embedded_crds();

}  // namespace atelier::crds
