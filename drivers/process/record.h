// Inside the process driver: what is kept of a unit on disk.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/result.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

constexpr std::array<std::pair<Mount::Kind, std::string_view>, 3> names_of(Mount::Kind) {
    return {{{Mount::Kind::volume, "volume"},
             {Mount::Kind::host, "host"},
             {Mount::Kind::tmpfs, "tmpfs"}}};
}

// Of a unit.json or volume.json; a larger one is not read.
inline constexpr std::size_t most_record_bytes = 4 << 20;

// A unit as it stands in its unit.json: what the next server must know. Its environment holds
// Secrets and is not written: the kernel keeps it for a unit that runs.
struct ProcessRecord {
    enum class Phase { created, starting, running, exited };
    struct Where {
        Mount::Kind kind = Mount::Kind::volume;
        std::string source;
        std::string target;
        bool read_only = false;

        template <class Self, class V>
        static void fields(Self& self, V& v) {
            v("kind", self.kind);
            v("source", self.source);
            v("target", self.target);
            v("readOnly", self.read_only);
        }
    };

    std::string id;
    std::string name;
    std::string image;
    std::vector<std::string> command;
    std::optional<std::map<std::string, std::string>> env;  // unset: an earlier server knew it
    Labels labels;
    std::vector<Where> mounts;
    Phase phase = Phase::created;
    std::int64_t pid = 0;
    std::int64_t start_ticks = 0;
    std::string boot_id;
    std::int64_t exit_code = 0;
    std::int64_t started_at = 0;  // microseconds since 1970; 0: never
    std::int64_t finished_at = 0;

    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("id", self.id);
        v("name", self.name);
        v("image", self.image);
        v("command", self.command);
        v("labels", self.labels);
        v("mounts", self.mounts);
        v("phase", self.phase);
        v("pid", self.pid);
        v("startTicks", self.start_ticks);
        v("bootId", self.boot_id);
        v("exitCode", self.exit_code);
        v("startedAt", self.started_at);
        v("finishedAt", self.finished_at);
    }
};

constexpr std::array<std::pair<ProcessRecord::Phase, std::string_view>, 4> names_of(
    ProcessRecord::Phase) {
    using Phase = ProcessRecord::Phase;
    return {{{Phase::created, "created"},
             {Phase::starting, "starting"},
             {Phase::running, "running"},
             {Phase::exited, "exited"}}};
}

// The record of a new unit. invalid or unsupported when the spec cannot be a process.
Result<ProcessRecord> record_of(const UnitSpec& spec, const std::string& id);
std::vector<Mount> mounts_of(const ProcessRecord& record);
// The unit as Runtime::list gives it.
Unit unit_of(const ProcessRecord& record);

}  // namespace atelier::drivers
