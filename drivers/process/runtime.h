// Inside the process driver: the Runtime, which keeps all units and watches their processes.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "drivers/process/event_log.h"
#include "drivers/process/process.h"
#include "drivers/process/record.h"
#include "drivers/process/spawn.h"

namespace atelier::drivers {

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
    Result<void> load();
    void load_unit(const std::filesystem::path& folder);
    Result<void> adopt_unit(const std::filesystem::path& folder);
    void adopt(Held& held);
    Result<void> save(const ProcessRecord& record) const;
    Result<Held*> held(const std::string& id);
    Held* held_by_name(const std::string& name);

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
    Descriptor owner_;                            // the lock on the folder
    Descriptor wake_;                             // makes the watching thread look again
    std::mutex mutex_;                            // guards both maps
    std::condition_variable_any changed_;         // a unit has begun, ended or gone
    std::map<std::string, Held> units_;           // by id
    std::map<std::string, Error> damaged_units_;  // by name: why the record cannot be read
    EventLog events_;
    std::jthread watcher_;  // the last member: it uses all others
};

}  // namespace atelier::drivers
