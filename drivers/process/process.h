// Units as processes of this machine: for development, and where no container engine may run.
// Nothing isolates a unit: it runs as the server's own user, can read the server's files with its
// token and key, and the environment of other units.
//
// A unit has a private folder, which stands for its root and is its working directory:
//
//     <root>/units/<name>/root/          <root>/volumes/<name>/data/
//
// A Mount is a symbolic link there: target "/configs" of a volume is "<unit's root>/configs". A
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
// process ends, its process group, every process with its ATELIER_UNIT in the environment, and the
// descendants that it was seen to have are killed. Escapes: a process that leaves the group, clears
// its environment and is made within the last seconds before the first process ends by itself.
//
// The environment of a unit, which holds Secrets, is written nowhere. A unit that ended under an
// earlier server therefore cannot be started again (conflict); one that never ran is forgotten.
//
// A unit.json that cannot be read makes that one unit unusable: `create` of its name is refused
// with the name of the file (conflict), and nothing is done to its files or processes.
//
// Output goes to a file of which the newest `log_bytes` are kept.
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
    // For every unit; its own values win. An agent is reached from this machine only: the others'
    // networks are not a unit's own here.
    std::map<std::string, std::string> env = {{"ATELIER_AGENT_ADDRESS", "127.0.0.1"}};
    // Where a mount holds the path, the variable leads there; the unit's own values win.
    std::map<std::string, std::string> mount_variables = {
        {"ATELIER_AGENT_ADDRESS", "/run/atelier/agent.sock"},
        {"ATELIER_CONFIGS", "/configs"},
        {"ATELIER_RUN", "/run/atelier"},
        {"WORKSPACE_CONFIG_PATH", "/configs"}};
    std::int64_t log_bytes = 5 << 20;  // of each unit: the newest
};

// Adopts the units that an earlier server left. unavailable when another server uses the folder.
// `clock` and `random` must outlive the runtime.
Result<std::unique_ptr<Runtime>> make_process_runtime(ProcessOptions options, const Clock& clock,
                                                      Random& random);

}  // namespace atelier::drivers
