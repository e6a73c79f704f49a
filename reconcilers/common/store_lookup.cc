#include "reconcilers/common/store_lookup.h"

namespace atelier::reconcilers {

std::string StoreLookup::find(const Key& key) const {
    const auto object = store_.get(key);
    return object ? object->body : std::string();
}

}  // namespace atelier::reconcilers
