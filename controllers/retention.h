// How many objects of a kind stay that are made again and again and that nobody deletes: Events,
// and updates of plugins that have ended.
#pragma once

#include <cstddef>
#include <vector>

#include "store/store.h"

namespace atelier::controllers {

// Of the objects that an index has under one value, the newest stay, by their revision: an Event
// that is counted again is a new state. The index has no value for an object that must stay.
struct Retention {
    const store::FieldIndex* index = nullptr;  // of static storage duration
    std::size_t most = 0;
};

// 100 Events of one object, and 20 updates of one plugin that have ended. Fewer would forget which
// versions were dismissed, and ask again when upstream goes back to one.
std::vector<Retention> usual_retentions();

}  // namespace atelier::controllers
