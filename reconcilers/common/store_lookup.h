// What admission needs to know of other objects (crds/lifecycle.h), read from the store.
#pragma once

#include <string>

#include "crds/lifecycle.h"
#include "store/store.h"

namespace atelier::reconcilers {

// The store outlives it.
class StoreLookup final : public crds::Lookup {
  public:
    explicit StoreLookup(const store::Store& store) : store_(store) {}
    // The body of the newest revision; empty when there is no such object.
    std::string find(const Key& key) const override;

  private:
    const store::Store& store_;
};

}  // namespace atelier::reconcilers
