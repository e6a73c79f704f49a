// Inside the process driver: volumes as folders of this machine.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/process/process.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// As the functions of Runtime with these names. The caller holds the runtime's lock.
Result<void> ensure_volume(const ProcessOptions& options, const std::string& name,
                           const Labels& labels);
Result<std::vector<Volume>> list_volumes(const ProcessOptions& options, const Labels& having);
// Makes a volume; one that is there stays as it is, whatever its labels.
Result<void> make_volume(const ProcessOptions& options, const std::string& name,
                         const Labels& labels);

}  // namespace atelier::drivers
