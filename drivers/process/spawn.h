// Inside the process driver: making processes, knowing them again, and ending all of them.
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
    // Descendants whose parent ends become its children (PR_SET_CHILD_SUBREAPER), whatever session
    // they made for themselves: while it runs, they can be found through it.
    bool adopts_orphans = false;
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
// Sends a signal to each of them, through a descriptor: never to a later process of that number.
void signal_processes_with(std::string_view entry, int signal);
// The environment that a process was started with.
Result<std::map<std::string, std::string>> environment_of_process(int pid);

// All that descend from each of these processes now; those that have ended and only wait to be
// reaped are left out. Reads /proc once.
using Descendants = std::map<int, std::vector<ProcessIdentity>>;
Descendants descendants_of(const std::vector<int>& pids);
// Kills those of them that are still the same processes.
void kill_processes(const std::vector<ProcessIdentity>& processes);
// Kills all that descend from a process, and those that they make meanwhile.
void kill_descendants_of(int pid);

void send_signal(int process, int signal);  // by a descriptor

// Whether the process of a descriptor has ended.
bool has_ended(int process);
// The exit code of an ended process; 255 when it was not a child of ours.
std::int64_t reap(int process);

// Runs to its end, at most to the deadline; then all of its session is killed. timeout.
Result<ExecResult> run_to_end(Spawn what, Duration deadline, std::size_t most_output);

}  // namespace atelier::drivers
