// Where workspaces run: units (containers or processes) with their networks, volumes and files. In
// the words of the place, not of the domain: translating is the reconcilers' business.
//
// The place itself is the only record of what runs; labels carry what we must know. Thread-safe,
// blocking, each call with a deadline. Errors: not_found; already_exists; unavailable and timeout
// (nothing is known: never a reason to destroy); invalid; unsupported.
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

struct Unit {
    enum class State { created, running, paused, exited };
    std::string id;
    std::string name;
    Labels labels;
    State state = State::created;
    std::string image_id;
    std::int64_t exit_code = 0;         // when exited
    std::optional<Instant> started_at;  // not always known from a listing
    std::optional<Instant> finished_at;
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
};

class Runtime {
  public:
    virtual ~Runtime() = default;
    virtual Capabilities capabilities() = 0;

    // All units that carry every one of these labels, in one call.
    virtual Result<std::vector<Unit>> list(const Labels& having) = 0;
    // The image's id; not_found when it is not there and cannot be pulled.
    virtual Result<std::string> image(const std::string& name) = 0;

    // "Already so" is success for all that follow, also to stop or remove what is not there; except
    // that create of a taken name is already_exists, and so is a network or volume of that name
    // that lacks one of the labels: it is not ours. To remove what is in use is a conflict.
    virtual Result<void> ensure_network(const std::string& name, const Labels& labels) = 0;
    virtual Result<void> remove_network(const std::string& name) = 0;
    virtual Result<void> ensure_volume(const std::string& name, const Labels& labels) = 0;
    virtual Result<std::vector<Volume>> volumes(const Labels& having) = 0;
    virtual Result<void> remove_volume(const std::string& name) = 0;

    virtual Result<std::string> create(const UnitSpec& spec) = 0;  // its id
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

    // Calls `on_event` with a unit's labels for each start, death or removal of one that carries
    // `having`, until stopped (success) or the connection breaks (an Error: list again, then call
    // again). Events since the last call with the same `having`, or else since the runtime was
    // first reached, are not lost between calls, as far as the place remembers them.
    virtual Result<void> events(std::stop_token stop, const Labels& having,
                                const std::function<void(const Labels&)>& on_event) = 0;
};

}  // namespace atelier::drivers
