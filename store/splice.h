// Finds metadata.resourceVersion in the bytes of a body, without parsing the rest.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crds/lifecycle.h"
#include "crds/meta.h"

namespace atelier::store {

// The body with its metadata.resourceVersion replaced. Empty when it has none. `body` is valid
// JSON.
std::optional<std::string> with_revision(std::string_view body, Revision revision);

// Whether `body`, once it carries `revision`, is `stored`.
bool same_body(const crds::Body& body, Revision revision, std::string_view stored);

}  // namespace atelier::store
