#include "apiserver/resources/verb.h"

namespace atelier::apiserver {

std::string_view name_of(Verb verb) {
    switch (verb) {
        case Verb::get:
            return "get";
        case Verb::list:
            return "list";
        case Verb::watch:
            return "watch";
        case Verb::create:
            return "create";
        case Verb::update:
            return "update";
        case Verb::patch:
            return "patch";
        case Verb::remove:
            return "delete";
        case Verb::remove_collection:
            return "deletecollection";
        case Verb::other:
            break;
    }
    return "other";
}

bool is_write(Verb verb) {
    return verb == Verb::create || verb == Verb::update || verb == Verb::patch ||
           verb == Verb::remove || verb == Verb::remove_collection;
}

}  // namespace atelier::apiserver
