// The continue token of a paged list: the last object of the page, and the revision of the list.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crds/meta.h"

namespace atelier::apiserver {

struct Page {
    Revision revision = 0;  // -1: go on in the newest state
    std::string ns;         // of the last object on the page before
    std::string name;
};

// Opaque to clients: base64url of JSON.
std::string encode_page(const Page& page);
Result<Page> decode_page(std::string_view token);

}  // namespace atelier::apiserver
