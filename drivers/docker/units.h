// Containers of a Docker engine as units: what is there, and their lives.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "drivers/docker/api.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// Without a value: it is not there. Waits while the engine holds the unit's lock, so what it says
// includes every change that the engine has announced by an event.
Result<std::optional<Unit>> inspect_unit(const DockerApi& api, const std::string& id);

// As the functions of Runtime with these names. A list costs one call, and one more for each unit.
Result<std::vector<Unit>> list_units(const DockerApi& api, const Labels& having);
Result<std::string> create_unit(const DockerApi& api, const UnitSpec& spec);
Result<void> start_unit(const DockerApi& api, const std::string& id);
Result<void> stop_unit(const DockerApi& api, const std::string& id, Duration grace);
Result<void> remove_unit(const DockerApi& api, const std::string& id);

}  // namespace atelier::drivers
