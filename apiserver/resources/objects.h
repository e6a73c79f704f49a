// Reads of what is served: the objects of the store, and the definitions, which are not in it.
#pragma once

#include <string>
#include <vector>

#include "apiserver/resources/catalog.h"
#include "store/store.h"

namespace atelier::apiserver {

// Thread-safe; everything it refers to outlives it.
class Objects final : public crds::Lookup {
  public:
    Objects(const store::Store& store, const Catalog& catalog);

    store::ObjectPtr get(const Key& key) const;
    store::SnapshotPtr list(const crds::Kind& kind) const;
    Result<store::SnapshotPtr> list_at(const crds::Kind& kind, Revision revision) const;
    Result<std::vector<store::EventPtr>> events(const crds::Kind& kind, Revision after,
                                                std::size_t most) const;
    Revision revision() const { return store_.revision(); }

    std::string find(const Key& key) const override;
    std::vector<std::string> names(std::string_view resource, std::string_view ns) const override;

  private:
    store::SnapshotPtr definitions() const;
    const store::Store& store_;
    const Catalog& catalog_;
};

}  // namespace atelier::apiserver
