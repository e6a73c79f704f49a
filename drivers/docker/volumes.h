// Volumes of a Docker engine.
#pragma once

#include <string>
#include <vector>

#include "drivers/docker/api.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// As the functions of Runtime with these names.
Result<void> ensure_volume(const DockerApi& api, const std::string& name, const Labels& labels);
Result<std::vector<Volume>> list_volumes(const DockerApi& api, const Labels& having);
Result<void> remove_volume(const DockerApi& api, const std::string& name);

}  // namespace atelier::drivers
