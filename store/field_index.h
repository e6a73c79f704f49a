// Finds the objects of one resource by a value computed from each of them, as the indexers of
// client-go do (https://pkg.go.dev/k8s.io/client-go/tools/cache#Indexers), without listing and
// decoding all of them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/object.h"

namespace atelier::store {

// Describes an index; a constant of static storage duration. The first lookup registers it, and
// from then on each commit maintains it.
struct FieldIndex {
    std::string_view resource;
    std::string_view name;  // unique among the indexes of the resource
    // The values under which the object is found; none, one or several. Pure: called once for each
    // state of an object, by any thread, with no lock held. An object that cannot be decoded has no
    // values.
    std::vector<std::string> (*values)(const Object& object);
};

// A value that means something in one namespace only. Names of namespaces hold no slash.
std::string in_namespace(std::string_view ns, std::string_view value);

// The entries of one index. Not thread-safe.
class IndexTable {
  public:
    using Values = std::vector<std::string>;

    // Adds the object under these values, or replaces an earlier state of it.
    void put(ObjectPtr object, Values values);
    void erase(const Object& object);
    // The objects under the value, sorted by namespace and name.
    std::vector<ObjectPtr> find(std::string_view value) const;

  private:
    using Place = std::pair<std::string, std::string>;  // namespace and name
    std::map<std::string, std::map<Place, ObjectPtr>, std::less<>> by_value_;
    std::map<Place, Values> values_;  // of the objects that have any
};

// The indexes of one resource, each built when it is first asked for. Not thread-safe.
class IndexSet {
  public:
    // `all` are the objects of the resource as put() and erase() have left them.
    std::vector<ObjectPtr> find(const FieldIndex& index, std::string_view value,
                                const std::function<ObjectList()>& all);
    void put(const ObjectPtr& object);
    void erase(const Object& object);

  private:
    struct Entry {
        const FieldIndex* index = nullptr;
        IndexTable table;
    };
    std::map<std::string_view, Entry> entries_;  // by name
};

}  // namespace atelier::store
