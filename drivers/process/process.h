// Units as processes of this machine: for development, for small places, for where no container
// engine may run. Nothing isolates a unit: it runs as the server's own user and sees its files.
//
// A unit has a private folder, which stands for its root and is its working directory:
//
//     <root>/units/<name>/root/          <root>/volumes/<name>/data/
//
// A Mount is a symbolic link there: target "/configs" of a volume is "<unit's root>/configs". One
// target below another ("/configs/plugins") is a link inside what the other one leads to. A tmpfs
// is a folder, emptied at each start. Words of the command and values of the environment that are a
// mount's target, or a path below one, are rewritten to the place in the private folder; and the
// variables of `mount_variables` lead there too. So a program that takes its paths from its
// environment runs in both kinds of runtime. `image`, limits, `read_only` for the unit itself,
// owners in upload are not honoured (see Capabilities); a network is unsupported.
//
// Units outlive the server. The next one knows them by process id and the kernel's start time of
// that process; another process of the same number is not taken for them. The exit code of a unit
// that ended while no server looked is 255. A signal's is 128 and its number. When a unit's first
// process ends, what is left of its process group is killed.
//
// Output goes to a file whose older part is given up when it is larger than `log_bytes`.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

struct ProcessOptions {
    std::filesystem::path root;                         // made if it is not there
    std::string path = "/usr/local/bin:/usr/bin:/bin";  // where commands are looked for; and PATH
    std::map<std::string, std::string> env;             // for every unit, under its own
    std::map<std::string, std::string> mount_variables = {{"ATELIER_CONFIGS", "/configs"},
                                                          {"ATELIER_RUN", "/run/atelier"},
                                                          {"WORKSPACE_CONFIG_PATH", "/configs"}};
    std::int64_t log_bytes = 4 << 20;  // of each unit
};

// Takes over the units that are there. unavailable when another server uses the folder. `clock` and
// `random` must outlive the runtime.
Result<std::unique_ptr<Runtime>> make_process_runtime(ProcessOptions options, const Clock& clock,
                                                      Random& random);

}  // namespace atelier::drivers
