// What the API serves: the kinds in the store, the CustomResourceDefinitions of atelier.dev (read
// only), and the reviews, which are created and never stored.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crds/kind.h"
#include "store/store.h"

namespace atelier::apiserver {

struct Review {
    std::string_view group;
    std::string_view version;
    std::string_view plural;
    std::string_view kind;
};

struct GroupVersion {
    std::string group;
    std::string version;
    std::string text() const { return group.empty() ? version : group + "/" + version; }
    auto operator<=>(const GroupVersion&) const = default;
};

// Immutable; safe to share between threads. Refers to `kinds`, which outlives it.
class Catalog {
  public:
    // `started` is the creation time that the definitions show.
    Catalog(const crds::Kinds& kinds, Instant started);

    // In the order of discovery: the core group, ours, the rest.
    const std::vector<const crds::Kind*>& kinds() const { return kinds_; }
    const std::vector<GroupVersion>& group_versions() const { return group_versions_; }
    const crds::Kind* find(std::string_view group, std::string_view version,
                           std::string_view plural) const;
    const crds::Kind* find(std::string_view resource) const;

    static const std::vector<Review>& reviews();
    static const Review* find_review(std::string_view group, std::string_view version,
                                     std::string_view plural);

    // The CustomResourceDefinitions: served from here, not from the store, and only to read.
    bool is_definition(const crds::Kind& kind) const { return &kind == definition_.get(); }
    const std::vector<store::ObjectPtr>& definitions() const { return definitions_; }
    // Definitions, and services: there are none, and `kubectl cluster-info` lists them.
    bool is_read_only(const crds::Kind& kind) const {
        return is_definition(kind) || &kind == services_.get();
    }

  private:
    std::shared_ptr<const crds::Kind> definition_;
    std::shared_ptr<const crds::Kind> services_;
    std::vector<store::ObjectPtr> definitions_;
    std::vector<const crds::Kind*> kinds_;
    std::vector<GroupVersion> group_versions_;
};

}  // namespace atelier::apiserver
