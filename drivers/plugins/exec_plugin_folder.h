// The plugins folder inside a running unit, by upload and /bin/sh. Needs find, sha256sum, mv -T, as
// busybox and GNU have them.
#pragma once

#include <memory>
#include <string>

#include "drivers/plugins/plugin_folder.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

struct ExecPluginFolderOptions {
    std::string unit_id;  // empty: every call is unavailable, for nothing runs
    std::string configs = "/configs";
    std::string run = "/run/atelier";
};
// The runtime outlives it.
std::unique_ptr<PluginFolder> exec_plugin_folder(Runtime& runtime, ExecPluginFolderOptions options);

}  // namespace atelier::drivers
