// Inside the process driver: making processes, and knowing them again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

struct Spawn {
    std::vector<std::string> command;
    std::map<std::string, std::string> env;  // all of it
    std::filesystem::path folder;            // working directory
    int out = -1;                            // descriptors for its output
    int err = -1;
};

// Starts a program as the leader of a session of its own, with no descriptor but 0, 1 and 2, and no
// signal blocked or ignored. A command without '/' is looked for in the PATH of its own
// environment. not_found: no such program; forbidden: it is not executable.
Result<int> spawn(const Spawn& what);

// The kernel's name for a process, which no later one ever has again.
struct ProcessIdentity {
    std::int64_t pid = 0;
    std::int64_t start_ticks = 0;  // since the boot
    std::string boot_id;
};
Result<ProcessIdentity> identity_of(int pid);
// A descriptor of the process if it is still that one and runs.
std::optional<Descriptor> open_process(const ProcessIdentity& identity);
// All processes whose environment has the entry "NAME=value".
std::vector<int> processes_with(std::string_view entry);
void kill_processes_with(std::string_view entry);

// Whether the process of a descriptor has ended.
bool has_ended(int process);
// The exit code of an ended process; 255 when it was not a child of ours.
std::int64_t reap(int process);

// Runs to its end, at most to the deadline; then all of its session is killed. timeout.
Result<ExecResult> run_to_end(Spawn what, Duration deadline, std::size_t most_output);

}  // namespace atelier::drivers
