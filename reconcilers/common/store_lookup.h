// What admission asks of other objects (crds/lifecycle.h), answered from the store.
#pragma once

#include <string>

#include "crds/lifecycle.h"
#include "store/store.h"

namespace atelier::reconcilers {

// The store outlives it.
class StoreLookup final : public crds::Lookup {
  public:
    explicit StoreLookup(const store::Store& store) : store_(store) {}
    std::string find(const Key& key) const override {
        const auto object = store_.get(key);
        return object ? object->body : std::string();
    }

  private:
    const store::Store& store_;
};

}  // namespace atelier::reconcilers
