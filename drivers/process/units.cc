// The lives of units that are processes.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/folder.h"
#include "base/text.h"
#include "drivers/process/files.h"
#include "drivers/process/runtime.h"

namespace atelier::drivers {

namespace {

namespace fs = std::filesystem;
using Phase = ProcessRecord::Phase;

constexpr Duration after_kill = std::chrono::seconds(30);
constexpr int log_poll_ms = 1000;
constexpr int rounds_between_descendants = 3;  // one reads all of /proc

Error no_unit(const std::string& id) {
    return {Code::not_found, "unit " + id.substr(0, 12) + " is not there"};
}

std::int64_t micros(Instant instant) {
    return instant.time_since_epoch().count();
}

std::optional<Instant> instant_of(std::int64_t micros_since_1970) {
    if (micros_since_1970 == 0) return std::nullopt;
    return Instant(Duration(micros_since_1970));
}

Unit unit_of(const ProcessRecord& record) {
    Unit unit;
    unit.id = record.id;
    unit.name = record.name;
    unit.labels = record.labels;
    unit.image_id = record.image;
    unit.image = record.image;
    unit.mounts = mounts_of(record);
    std::sort(unit.mounts.begin(), unit.mounts.end(),
              [](const Mount& a, const Mount& b) { return a.target < b.target; });
    unit.exit_code = record.exit_code;
    unit.started_at = instant_of(record.started_at);
    unit.finished_at = instant_of(record.finished_at);
    switch (record.phase) {
        case Phase::created:
        case Phase::starting:
            unit.state = Unit::State::created;
            break;
        case Phase::running:
            unit.state = Unit::State::running;
            break;
        case Phase::exited:
            unit.state = Unit::State::exited;
            break;
    }
    return unit;
}

Result<void> check_spec(const UnitSpec& spec) {
    TRY(check_runtime_name("unit", spec.name));
    if (spec.command.empty() || spec.command[0].empty()) {
        return Error{Code::invalid, "unit \"" + spec.name +
                                        "\" names no command, and a process has no image to "
                                        "take one from"};
    }
    if (!spec.network.empty()) {
        return Error{Code::unsupported, "units that are processes have no network of their own"};
    }
    for (const auto& [name, value] : spec.env) {
        if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos ||
            value.find('\0') != std::string::npos) {
            return Error{Code::invalid, "\"" + name + "\" cannot name an environment variable"};
        }
    }
    std::error_code ignored;
    for (const Mount& mount : spec.mounts) {
        const std::string target = TRY(plain_folder(mount.target));
        if (target == "/") return Error{Code::invalid, "a mount may not be the root itself"};
        if (mount.kind == Mount::Kind::volume) {
            TRY(check_runtime_name("volume", mount.source));
        } else if (mount.kind == Mount::Kind::host && !fs::is_directory(mount.source, ignored)) {
            return Error{Code::invalid, "the host folder for \"" + target + "\" is not there",
                         mount.source};
        }
    }
    return {};
}

}  // namespace

Result<ProcessRuntime::Held*> ProcessRuntime::held(const std::string& id) {
    const auto it = units_.find(id);
    if (it == units_.end()) return no_unit(id);
    return &it->second;
}

ProcessRuntime::Held* ProcessRuntime::held_by_name(const std::string& name) {
    for (auto& [id, unit] : units_) {
        if (unit.record.name == name) return &unit;
    }
    return nullptr;
}

Result<std::vector<Unit>> ProcessRuntime::list(const Labels& having) {
    const std::lock_guard lock(mutex_);
    std::vector<Unit> units;
    for (const auto& [id, unit] : units_) {
        if (has_all(unit.record.labels, having)) units.push_back(unit_of(unit.record));
    }
    return units;
}

Result<std::string> ProcessRuntime::create(const UnitSpec& spec) {
    TRY(check_spec(spec));
    const std::lock_guard lock(mutex_);
    if (held_by_name(spec.name)) {
        return Error{Code::already_exists, "unit \"" + spec.name + "\" is there already"};
    }
    const auto damaged = damaged_units_.find(spec.name);
    if (damaged != damaged_units_.end()) {
        return Error{Code::conflict,
                     "unit \"" + spec.name + "\" cannot be created: its record processes/units/" +
                         spec.name + "/unit.json is damaged (" + damaged->second.message +
                         "), and its program may still run; restore the file, or end the program "
                         "and remove the folder, and restart the server",
                     damaged->second.detail};
    }
    ProcessRecord record;
    record.id = random_text(random_, 32, "0123456789abcdef");
    record.name = spec.name;
    record.image = spec.image;
    record.command = spec.command;
    record.env = spec.env;
    record.labels = spec.labels;
    for (const Mount& mount : spec.mounts) {
        const std::string target = TRY(plain_folder(mount.target));
        record.mounts.push_back({mount.kind, mount.source, target, mount.read_only});
        // As a container engine does, makes a volume that is not there, without labels.
        if (mount.kind == Mount::Kind::volume) TRY(make_volume(mount.source, {}));
    }
    TRY(make_directories(unit_folder(spec.name) / "root", 0700));
    TRY(save(record));
    const std::string id = record.id;
    Held unit;
    unit.record = std::move(record);
    units_.emplace(id, std::move(unit));
    return id;
}

// --- start and end -------------------------------------------------------------------------

Result<void> ProcessRuntime::spawn_unit(Held& unit) {
    ProcessRecord& record = unit.record;
    const View view = view_of(record);
    TRY(make_mounts(view));
    const Descriptor folder = TRY(open_folder(unit_folder(record.name).string()));
    unit.log = TRY(open_file_at(folder, "log", O_RDWR | O_APPEND | O_CREAT));

    const ProcessRecord before = record;
    record.phase = Phase::starting;
    record.pid = 0;
    TRY(save(record));
    auto pid = spawn({.command = rewritten(record.command, view.mounts, view.root),
                      .env = view.env,
                      .folder = view.root,
                      .out = unit.log.get(),
                      .err = unit.log.get(),
                      .adopts_orphans = true});
    if (!pid) {
        record = before;
        TRY(save(record));
        const Code code = pid.error().code;
        const bool wrong = code == Code::not_found || code == Code::forbidden;
        Error error = pid.error().in("unit \"" + record.name + "\" cannot start");
        if (wrong) error.code = Code::invalid;
        return error;
    }
    record.pid = *pid;
    unit.is_child = true;
    unit.descendants.clear();
    if (const auto identity = identity_of(*pid)) {
        record.start_ticks = identity->start_ticks;
        record.boot_id = identity->boot_id;
    }
    record.phase = Phase::running;
    record.exit_code = 0;
    record.started_at = micros(clock_.now());
    record.finished_at = 0;
    unit.process =
        open_process({record.pid, record.start_ticks, record.boot_id}).value_or(Descriptor());
    announce(record.labels);
    if (!unit.process) note_end(unit);
    wake();
    return save(record);
}

Result<void> ProcessRuntime::start(const std::string& id) {
    const std::lock_guard lock(mutex_);
    Held* unit = TRY(held(id));
    if (unit->removing) return no_unit(id);
    if (unit->record.phase == Phase::running) return {};
    if (!unit->record.env) {
        return Error{Code::conflict, "unit \"" + unit->record.name +
                                         "\" cannot start again and must be replaced: its "
                                         "environment was known to an earlier server alone"};
    }
    return spawn_unit(*unit);
}

// Sends a signal to all processes of a unit, and waits until its first process has ended. The lock
// is released during the wait. timeout when it has not ended.
Result<void> ProcessRuntime::end_of(std::unique_lock<std::mutex>& lock, const std::string& id,
                                    int signal, Duration within) {
    const auto running = [&] {
        const auto it = units_.find(id);
        return it != units_.end() && it->second.record.phase == Phase::running;
    };
    if (!running()) return {};
    Held& unit = units_.at(id);
    if (!has_ended(unit.process.get())) {
        const int pid = static_cast<int>(unit.record.pid);
        // While it runs, all that descend from it are found through it; afterwards they are not.
        if (signal == SIGKILL) kill_descendants_of(pid);
        remember_descendants(unit, descendants_of({pid}));
        signal_all(unit, signal);
    }
    if (changed_.wait_for(lock, within, [&] { return !running(); })) return {};
    return Error{Code::timeout, "unit " + id.substr(0, 12) + " did not end in time"};
}

Result<void> ProcessRuntime::stop(const std::string& id, Duration grace) {
    std::unique_lock lock(mutex_);
    const auto asked = end_of(lock, id, SIGTERM, grace);
    if (asked) return {};
    return end_of(lock, id, SIGKILL, after_kill);
}

Result<void> ProcessRuntime::remove(const std::string& id) {
    fs::path moved;
    {
        std::unique_lock lock(mutex_);
        const auto it = units_.find(id);
        if (it == units_.end()) return {};
        it->second.removing = true;
        TRY(end_of(lock, id, SIGKILL, after_kill));
        const auto ended = units_.find(id);
        if (ended == units_.end()) return {};  // another thread has removed it
        TRY(move_away(unit_folder(ended->second.record.name), moved));
        announce(ended->second.record.labels);
        units_.erase(ended);
    }
    std::error_code ignored;
    fs::remove_all(moved, ignored);
    return {};
}

// --- the watching thread -------------------------------------------------------------------

void ProcessRuntime::wake() const {
    const std::uint64_t one = 1;
    static_cast<void>(!write(wake_.get(), &one, sizeof one));
}

// A child that has ended keeps its number until it is reaped, so its process group is its own. The
// number of a unit that an earlier server started is another's as soon as it ends: it and its
// processes get signals through descriptors only.
void ProcessRuntime::signal_all(const Held& unit, int signal) const {
    if (unit.is_child) {
        kill(-static_cast<pid_t>(unit.record.pid), signal);
        return;
    }
    send_signal(unit.process.get(), signal);
    signal_processes_with("ATELIER_UNIT=" + unit.record.id, signal);
}

// Remembers what descends from each unit: when its first process ends by itself, the kernel gives
// the others another parent, and nothing leads to them any more.
void ProcessRuntime::note_descendants() {
    std::vector<int> pids;
    for (const auto& [id, unit] : units_) {
        if (unit.record.phase == Phase::running) pids.push_back(static_cast<int>(unit.record.pid));
    }
    if (pids.empty()) return;
    const auto found = descendants_of(pids);
    for (auto& [id, unit] : units_) {
        if (unit.record.phase == Phase::running) remember_descendants(unit, found);
    }
}

// A unit that has ended during the scan has lost its descendants to another parent, some of them
// before they were read: those of the scan before are kept then.
void ProcessRuntime::remember_descendants(Held& unit, const Descendants& found) {
    const auto of = found.find(static_cast<int>(unit.record.pid));
    if (!has_ended(unit.process.get())) unit.descendants.clear();
    if (of == found.end()) return;
    unit.descendants.insert(unit.descendants.end(), of->second.begin(), of->second.end());
}

// Notes that the process of a unit has ended, and kills what it left behind.
void ProcessRuntime::note_end(Held& unit) {
    ProcessRecord& record = unit.record;
    if (unit.process) {
        signal_all(unit, SIGKILL);
        record.exit_code = reap(unit.process.get());
    } else {
        record.exit_code = 255;
    }
    signal_processes_with("ATELIER_UNIT=" + record.id, SIGKILL);
    kill_processes(unit.descendants);
    unit.descendants.clear();
    record.phase = Phase::exited;
    record.finished_at = micros(clock_.now());
    unit.process.reset();
    unit.is_child = false;
    unit.log.reset();
    announce(record.labels);
}

void ProcessRuntime::watch(const std::stop_token& stop) {
    int round = 0;
    while (!stop.stop_requested()) {
        std::vector<pollfd> ready{{wake_.get(), POLLIN, 0}};
        {
            const std::lock_guard lock(mutex_);
            for (auto& [id, unit] : units_) {
                if (unit.record.phase != Phase::running) continue;
                if (has_ended(unit.process.get())) {
                    note_end(unit);
                    static_cast<void>(save(unit.record));
                    continue;
                }
                if (unit.log) give_up_beginning(unit.log.get(), options_.log_bytes);
                ready.push_back({unit.process.get(), POLLIN, 0});
            }
            if (++round % rounds_between_descendants == 0) note_descendants();
        }
        poll(ready.data(), ready.size(), log_poll_ms);
        std::uint64_t drained = 0;
        static_cast<void>(!read(wake_.get(), &drained, sizeof drained));
    }
}

}  // namespace atelier::drivers
