// How the log names a change.
#pragma once

#include <string_view>

#include "base/result.h"
#include "store/store.h"

namespace atelier::store {

inline std::string_view name_of(Change change) {
    switch (change) {
        case Change::added:
            return "added";
        case Change::modified:
            return "modified";
        case Change::deleted:
            break;
    }
    return "deleted";
}

inline Result<Change> change_of(std::string_view name) {
    for (const Change change : {Change::added, Change::modified, Change::deleted}) {
        if (name_of(change) == name) return change;
    }
    return Error{Code::internal, "the log holds a change of an unknown kind"};
}

}  // namespace atelier::store
