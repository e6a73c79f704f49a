// Files into containers.
#pragma once

#include <string>

#include "drivers/docker/api.h"
#include "drivers/trees/archive.h"
#include "drivers/trees/tree.h"

namespace atelier::drivers {

// As Runtime::upload.
Result<void> upload_files(const DockerApi& api, const std::string& id, const std::string& folder,
                          const Tree& tree, const TarOwner& owner);

}  // namespace atelier::drivers
