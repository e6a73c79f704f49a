// A runtime that creates no unit with a folder of the host that HostFolders does not allow.
#pragma once

#include <memory>
#include <string>

#include "drivers/host_folders.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// Forwards every call to `runtime`. create() checks the host mount at `target`, which is the one
// that people choose; the other mounts are the server's own. Errors of create(): also those of
// HostFolders::check(). Thread-safe as `runtime` is.
std::unique_ptr<Runtime> with_host_folder_rule(std::unique_ptr<Runtime> runtime,
                                               HostFolders folders, std::string target);

}  // namespace atelier::drivers
