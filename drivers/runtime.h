// Where workspaces run: units (containers or processes) with their networks, volumes and files. In
// the words of a runtime, not of the domain; reconcilers translate.
//
// The runtime itself is the only record of what runs; labels carry what the server must know of it.
// Thread-safe, blocking, each call with a deadline. Errors: not_found; already_exists; unavailable
// and timeout (nothing is known: never a reason to destroy); invalid; unsupported.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/trees/tree.h"

namespace atelier::drivers {

using Labels = std::map<std::string, std::string>;

struct Mount {
    enum class Kind { volume, host, tmpfs };
    Kind kind = Kind::volume;
    std::string source;  // volume name or host path
    std::string target;
    bool read_only = false;
    bool operator==(const Mount&) const = default;
};

struct UnitSpec {
    std::string name;
    std::string image;
    std::vector<std::string> command;  // empty: the image's own
    std::map<std::string, std::string> env;
    Labels labels;
    std::vector<Mount> mounts;
    std::string network;  // empty: none
    std::string network_alias;
    std::int64_t memory_bytes = 0;  // 0: no limit
    std::int64_t nano_cpus = 0;     // 0: no limit
    std::int64_t pids = 512;
    bool read_only_root = false;
};

// A unit as the runtime has it now, which may differ from the UnitSpec that made it: somebody may
// have detached a network or changed a limit since.
struct Unit {
    enum class State { created, running, paused, exited };
    enum class Health { none, starting, healthy, unhealthy };  // none: the image has no check
    std::string id;
    std::string name;
    Labels labels;
    State state = State::created;
    std::string image_id;
    std::string image;           // the name or id that it was made with
    std::int64_t exit_code = 0;  // when exited
    // When exited: the kernel killed a process of it because its memory was used up.
    bool out_of_memory = false;
    std::optional<Instant> started_at;
    std::optional<Instant> finished_at;
    std::vector<std::string> networks;  // the names of those that it is attached to, sorted
    std::vector<Mount> mounts;          // sorted by target
    std::int64_t memory_bytes = 0;      // as in UnitSpec; always 0 without Capabilities::limits
    std::int64_t nano_cpus = 0;
    std::int64_t pids = 0;
    Health health = Health::none;  // what the image's own HEALTHCHECK last found
    std::string health_output;     // of the last check that failed: one line, at most 300 bytes
};

// An image as `Runtime::image` found it.
struct Image {
    std::string id;        // empty while it is being pulled
    std::string progress;  // of the pull, for people: "12 of 34 MB"; may be empty
};

struct Volume {
    std::string name;
    Labels labels;
};

struct ExecResult {
    std::int64_t exit_code = 0;
    std::string out;  // at most 5 MiB of each; the rest is dropped
    std::string err;
    bool truncated = false;
};

struct Capabilities {
    std::string name;     // "docker", "process"
    bool images = false;  // runs images (a process runs its command on the host)
    bool networks = false;
    bool limits = false;
    // A host directory given as a Mount is the same directory inside: proved by a probe, not
    // assumed.
    bool shares_file_system = false;
    // Whether the probe had an answer. While it had none, `shares_file_system` is false and means
    // nothing: what depends on it must wait.
    bool file_system_known = true;
};

class Runtime {
  public:
    virtual ~Runtime() = default;
    virtual Capabilities capabilities() = 0;

    // Whether it answers now: the cheapest call that needs the runtime's own state.
    virtual Result<void> ping() = 0;

    // All units that carry every one of these labels. Costs up to one call a unit.
    virtual Result<std::vector<Unit>> list(const Labels& having) = 0;
    // Finds an image, and begins to pull one that is not there. Never waits for a pull: until it
    // has ended, the answer is an Image without an id. The failure of a pull (not_found, with the
    // reason in its message) is the answer at least once, and for ten seconds; then a call pulls
    // again.
    virtual Result<Image> image(const std::string& name) = 0;

    // "Already so" is success for all that follow, also to stop or remove what is not there; except
    // that create of a taken name is already_exists, and so is a network or volume of that name
    // that lacks one of the labels: it is not ours. To remove what is in use is a conflict.
    virtual Result<void> ensure_network(const std::string& name, const Labels& labels) = 0;
    virtual Result<void> remove_network(const std::string& name) = 0;
    // Attaches a unit, running or not, to a network under an alias (empty: none). not_found when
    // the unit or the network is not there.
    virtual Result<void> join_network(const std::string& id, const std::string& network,
                                      const std::string& alias) = 0;
    virtual Result<void> ensure_volume(const std::string& name, const Labels& labels) = 0;
    virtual Result<std::vector<Volume>> volumes(const Labels& having) = 0;
    virtual Result<void> remove_volume(const std::string& name) = 0;

    virtual Result<std::string> create(const UnitSpec& spec) = 0;  // its id
    // conflict: the runtime has damaged leftovers of this unit, and it can never start again. It
    // must be removed and created anew.
    virtual Result<void> start(const std::string& id) = 0;
    // SIGTERM, then SIGKILL after `grace`.
    virtual Result<void> stop(const std::string& id, Duration grace) = 0;
    virtual Result<void> remove(const std::string& id) = 0;  // also of a running one

    // Writes the tree below `folder` of a created or running unit: owner uid and gid, mode from
    // File::executable. Not atomic: verify what matters. forbidden when the folder is read-only.
    virtual Result<void> upload(const std::string& id, const std::string& folder, const Tree& tree,
                                int uid, int gid) = 0;
    // Runs a command beside the unit's own, in its environment; a relative path is one of the
    // unit's root. conflict when the unit does not run; timeout at the deadline (the command is
    // killed soon after, if the unit has `timeout`). A command that cannot be started ends with 126
    // or 127.
    virtual Result<ExecResult> exec(const std::string& id, const std::vector<std::string>& command,
                                    Duration deadline) = 0;
    virtual Result<std::string> logs(const std::string& id, std::size_t last_lines) = 0;

    // Calls `on_event` with a unit's labels for each start, death, removal, pause, unpause, change
    // of health, and change of limits or networks of one that carries `having`, until stopped
    // (success) or the connection breaks (an Error: list again, then call again). Events since the
    // last call with the same `having`, or else since the runtime was first reached, are not lost
    // between calls, as far as the place remembers them.
    virtual Result<void> events(std::stop_token stop, const Labels& having,
                                const std::function<void(const Labels&)>& on_event) = 0;
};

}  // namespace atelier::drivers
