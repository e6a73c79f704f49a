// Inside the process driver: the Runtime, and what it keeps of each unit.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "base/fields.h"
#include "drivers/process/process.h"
#include "drivers/process/spawn.h"
#include "drivers/runtime_names.h"

namespace atelier::drivers {

constexpr std::array<std::pair<Mount::Kind, std::string_view>, 3> names_of(Mount::Kind) {
    return {{{Mount::Kind::volume, "volume"},
             {Mount::Kind::host, "host"},
             {Mount::Kind::tmpfs, "tmpfs"}}};
}

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

class ProcessRuntime final : public Runtime {
  public:
    ProcessRuntime(ProcessOptions options, const Clock& clock, Random& random)
        : options_(std::move(options)), clock_(clock), random_(random) {}
    ~ProcessRuntime() override;
    Result<void> open();

    Capabilities capabilities() override;
    Result<void> ping() override { return {}; }
    Result<std::vector<Unit>> list(const Labels& having) override;
    Result<Image> image(const std::string& name) override;
    Result<void> ensure_network(const std::string& name, const Labels& labels) override;
    Result<void> remove_network(const std::string& name) override;
    Result<void> join_network(const std::string& id, const std::string& network,
                              const std::string& alias) override;
    Result<void> ensure_volume(const std::string& name, const Labels& labels) override;
    Result<std::vector<Volume>> volumes(const Labels& having) override;
    Result<void> remove_volume(const std::string& name) override;
    Result<std::string> create(const UnitSpec& spec) override;
    Result<void> start(const std::string& id) override;
    Result<void> stop(const std::string& id, Duration grace) override;
    Result<void> remove(const std::string& id) override;
    Result<void> upload(const std::string& id, const std::string& folder, const Tree& tree, int uid,
                        int gid) override;
    Result<ExecResult> exec(const std::string& id, const std::vector<std::string>& command,
                            Duration deadline) override;
    Result<std::string> logs(const std::string& id, std::size_t last_lines) override;
    Result<void> events(std::stop_token stop, const Labels& having,
                        const std::function<void(const Labels&)>& on_event) override;

  private:
    struct Held {
        ProcessRecord record;
        Descriptor process;  // while it runs
        Descriptor log;
        bool is_child = false;  // it was started by this server: its number is its own until reaped
        bool removing = false;
        std::vector<ProcessIdentity> descendants;  // those found last, for when it has ended
    };
    // What start and exec need of a unit, for use without the lock.
    struct View {
        std::string name;
        std::filesystem::path root;
        std::vector<Mount> mounts;
        std::map<std::string, std::string> env;
    };

    std::filesystem::path unit_folder(const std::string& name) const;
    std::filesystem::path volume_folder(const std::string& name) const;
    Result<void> load();
    void load_unit(const std::filesystem::path& folder);
    Result<void> adopt_unit(const std::filesystem::path& folder);
    void adopt(Held& held);
    Result<void> save(const ProcessRecord& record) const;
    Result<Labels> volume_labels(const std::string& name) const;
    Result<void> make_volume(const std::string& name, const Labels& labels) const;
    Result<Held*> held(const std::string& id);
    Held* held_by_name(const std::string& name);

    std::filesystem::path source_of(const Mount& mount, const std::filesystem::path& root) const;
    Result<void> make_mounts(const View& view) const;
    std::map<std::string, std::string> environment_of(const ProcessRecord& record) const;
    std::vector<std::string> rewritten(const std::vector<std::string>& command,
                                       const std::vector<Mount>& mounts,
                                       const std::filesystem::path& root) const;
    View view_of(const ProcessRecord& record) const;

    Result<void> spawn_unit(Held& held);
    Result<void> end_of(std::unique_lock<std::mutex>& lock, const std::string& id, int signal,
                        Duration within);
    Result<void> move_away(const std::filesystem::path& folder, std::filesystem::path& moved);
    void watch(const std::stop_token& stop);
    void note_end(Held& held);
    void note_descendants();
    static void remember_descendants(Held& held, const Descendants& found);
    void signal_all(const Held& held, int signal) const;
    void announce(const Labels& labels);
    void wake() const;

    ProcessOptions options_;
    const Clock& clock_;
    Random& random_;
    Descriptor owner_;  // the lock on the folder
    Descriptor wake_;   // makes the watching thread look again
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::map<std::string, Held> units_;           // by id
    std::map<std::string, Error> damaged_units_;  // by name: why the record cannot be read
    std::deque<Labels> events_;  // the newest; the first has the number events_from_
    std::uint64_t events_from_ = 0;
    std::map<Labels, std::uint64_t> followed_;
    std::jthread watcher_;  // the last member: it uses all others
};

std::vector<Mount> mounts_of(const ProcessRecord& record);

}  // namespace atelier::drivers
