// A runtime in memory: the contract of drivers/runtime.h without a daemon, a disk or a process, for
// simulation and for tests of reconcilers. The same calls in the same order give the same ids,
// times (of the clock that is given) and events.
//
// A unit has files: those of its volumes, and private ones. Its commands, at start and by exec, are
// tiny programs: `true`, `false`, `echo WORDS`, `cat PATH`, `test -f PATH`, `sleep SECONDS` (does
// not end; by exec it ends with a timeout when it is longer than the deadline). Anything else runs
// for ever at start, and succeeds silently by exec. `on_exec` replaces that.
//
// Thread-safe. Hooks are called without any lock held and may call back.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/runtime.h"

namespace atelier::fakes {

// Before its effect a call is refused; after it, the effect is there and the answer is lost.
enum class When { before, after };

struct Fault {
    std::string call;     // the name of a Runtime function, such as "create"; empty: any
    std::size_t nth = 1;  // counted from when the fault is planned; it happens once
    When when = When::before;
    Code code = Code::unavailable;
};

class FakeRuntime final : public drivers::Runtime {
  public:
    using Starts = std::function<void(const drivers::UnitSpec&, const std::string& id)>;
    using Ends = std::function<void(const drivers::UnitSpec&, const std::string& id)>;
    using Executes = std::function<std::optional<Result<drivers::ExecResult>>(
        const drivers::UnitSpec&, const std::vector<std::string>& command)>;
    using Calls = std::function<void(std::string_view call, When when)>;
    using ReadsHost = std::function<Result<std::string>(const std::string& host_path)>;

    explicit FakeRuntime(const Clock& clock);

    // Hooks. Set them before use.
    void on_start(Starts hook) { on_start_ = std::move(hook); }  // a unit began to run
    void on_end(Ends hook) { on_end_ = std::move(hook); }        // ... or ceased to
    void on_exec(Executes hook) { on_exec_ = std::move(hook); }  // nullopt: the tiny programs
    // Around the effect of every call; may throw, to stand for the crash of the caller there.
    void on_call(Calls hook) { on_call_ = std::move(hook); }
    // What `cat` finds below a mount of a host directory; without it, nothing.
    void on_host_read(ReadsHost hook) { on_host_read_ = std::move(hook); }

    // The world.
    void set_capabilities(drivers::Capabilities capabilities);
    void add_image(const std::string& name);
    void forget_image(const std::string& name);
    // A unit of this image ends with `exit_code` as soon as it starts; nullopt: no longer.
    void crash_on_start(const std::string& image, std::optional<std::int64_t> exit_code);
    // Things that belong to somebody else. `untouched` is false when any call was to change one.
    std::string add_foreign_unit(const drivers::UnitSpec& spec, bool running);
    void add_foreign_volume(const std::string& name, const drivers::Labels& labels = {});
    void add_foreign_network(const std::string& name);
    bool untouched() const;

    // What happens behind the caller's back. Units by name; false when there is none such.
    bool kill(const std::string& unit, std::int64_t exit_code = 137);
    bool kill_for_memory(const std::string& unit);
    bool pause(const std::string& unit);
    bool unpause(const std::string& unit);
    bool set_health(const std::string& unit, drivers::Unit::Health health,
                    const std::string& output = {});
    // Detaches a running unit from its network; and takes a network away from every unit.
    bool disconnect(const std::string& unit, const std::string& network);
    bool lose_network(const std::string& network);
    // Until told otherwise, `image` answers that this one is being pulled.
    void pull_slowly(const std::string& image, std::optional<std::string> progress);
    bool vanish(const std::string& unit);  // somebody removed it
    bool lose_volume(const std::string& volume);
    void kill_all();  // the machine was restarted

    // The daemon. While it is away or slow each call fails without effect (unavailable, timeout).
    enum class Weather { fair, away, slow };
    void set_weather(Weather weather);
    void plan(Fault fault);
    bool faults_left() const;  // planned and not yet happened
    // Ends the running calls of events() with unavailable, as when a connection breaks.
    void break_events();
    // While on, events are not made at all: lost for ever.
    void drop_events(bool on);

    // What is there.
    std::optional<drivers::Unit> unit(const std::string& name) const;
    std::optional<drivers::UnitSpec> spec(const std::string& name) const;
    std::vector<drivers::Unit> all_units() const;  // in the order of their creation
    std::optional<drivers::Tree> volume_files(const std::string& volume) const;
    std::set<std::string> volume_names() const;
    std::set<std::string> network_names() const;
    // The file that a unit sees at an absolute path of its own.
    std::optional<std::string> file(const std::string& unit, const std::string& path) const;
    void write_file(const std::string& unit, const std::string& path, const std::string& bytes);

    // One line a call: "create ws-1", "stop ws-1", with names instead of ids. Reads are "list", ...
    std::vector<std::string> calls() const;
    std::size_t count(std::string_view call) const;
    void clear_calls();
    // Labels of the units of all events since the last call of this, for callers without a thread.
    std::vector<drivers::Labels> take_events();

    // Runtime.
    drivers::Capabilities capabilities() override;
    Result<void> ping() override;
    Result<std::vector<drivers::Unit>> list(const drivers::Labels& having) override;
    Result<drivers::Image> image(const std::string& name) override;
    Result<void> ensure_network(const std::string& name, const drivers::Labels& labels) override;
    Result<void> remove_network(const std::string& name) override;
    Result<void> join_network(const std::string& id, const std::string& network,
                              const std::string& alias) override;
    Result<void> ensure_volume(const std::string& name, const drivers::Labels& labels) override;
    Result<std::vector<drivers::Volume>> volumes(const drivers::Labels& having) override;
    Result<void> remove_volume(const std::string& name) override;
    Result<std::string> create(const drivers::UnitSpec& spec) override;
    Result<void> start(const std::string& id) override;
    Result<void> stop(const std::string& id, Duration grace) override;
    Result<void> remove(const std::string& id) override;
    Result<void> upload(const std::string& id, const std::string& folder, const drivers::Tree& tree,
                        int uid, int gid) override;
    Result<drivers::ExecResult> exec(const std::string& id, const std::vector<std::string>& command,
                                     Duration deadline) override;
    Result<std::string> logs(const std::string& id, std::size_t last_lines) override;
    Result<void> events(std::stop_token stop, const drivers::Labels& having,
                        const std::function<void(const drivers::Labels&)>& on_event) override;

  private:
    struct Held {
        drivers::UnitSpec spec;
        drivers::Unit unit;
        drivers::Tree files;  // private ones, by absolute path without the first '/'
        std::string log;
        bool foreign = false;
    };
    struct HeldVolume {
        drivers::Labels labels;
        drivers::Tree files;
        bool foreign = false;
    };
    struct HeldNetwork {
        drivers::Labels labels;
        bool foreign = false;
    };
    struct Armed {
        Fault fault;
        std::size_t seen = 0;
        bool done = false;
    };
    // Where a path of a unit is kept.
    struct Place {
        drivers::Tree* files = nullptr;  // null: below a mount of the host
        std::string path;                // within `files`, or of the host
        bool read_only = false;
    };

    template <class T>
    Result<T> call(std::string_view name, std::string_view subject,
                   const std::function<Result<T>()>& effect);
    std::optional<Error> refusal(std::string_view name, std::string_view subject,
                                 std::optional<Error>& lost);
    Held* by_id(const std::string& id);
    Held* by_name(const std::string& name);
    const Held* by_name(const std::string& name) const;
    std::string name_of_id(const std::string& id) const;
    std::string make(const drivers::UnitSpec& spec, bool foreign);
    void begin(Held& unit);
    void end(Held& unit, std::int64_t exit_code);
    void announce(const drivers::Labels& labels);
    bool change(const std::string& unit, drivers::Unit::State from,
                const std::function<void(Held&)>& change);
    void run_hooks();
    Place place(Held& unit, std::string_view path);
    Result<std::string> read(Held& unit, std::string_view path);
    Result<drivers::ExecResult> run(Held& unit, const std::vector<std::string>& command,
                                    Duration deadline);

    const Clock& clock_;
    Starts on_start_;
    Ends on_end_;
    Executes on_exec_;
    Calls on_call_;
    ReadsHost on_host_read_;

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    drivers::Capabilities capabilities_{"fake", true, true, true, true};
    Weather weather_ = Weather::fair;
    bool dropping_ = false;
    bool touched_ = false;
    std::uint64_t next_id_ = 1;
    std::uint64_t breaks_ = 0;
    std::map<std::string, std::string> images_;
    std::map<std::string, std::string> pulls_;  // by image: how far
    std::map<std::string, std::int64_t> crashes_;
    std::map<std::string, Held> units_;  // by id; ids sort by age
    std::map<std::string, HeldVolume> volumes_;
    std::map<std::string, HeldNetwork> networks_;
    std::vector<Armed> faults_;
    std::vector<std::string> calls_;
    std::vector<drivers::Labels> events_;              // all there ever were
    std::size_t taken_ = 0;                            // by take_events
    std::map<drivers::Labels, std::size_t> followed_;  // by events(), per filter
    std::vector<std::function<void()>> hooks_;         // to be run when the lock is free again
};

}  // namespace atelier::fakes
