#include "drivers/process/runtime.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

#include "base/field_codec.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/text.h"
#include "drivers/process/files.h"
#include "drivers/process/inside.h"
#include "drivers/process/volumes.h"
#include "drivers/runtime_names.h"

namespace atelier::drivers {

namespace {

namespace fs = std::filesystem;
using Phase = ProcessRecord::Phase;

constexpr std::size_t most_output = std::size_t{5} << 20;
constexpr Duration after_kill = std::chrono::seconds(30);
constexpr int log_poll_ms = 1000;
constexpr int rounds_between_descendants = 3;  // one reads all of /proc

Error no_networks() {
    return {Code::unsupported, "units that are processes have no network of their own"};
}

Error no_unit(const std::string& id) {
    return {Code::not_found, "unit " + id.substr(0, 12) + " is not there"};
}

std::int64_t micros(Instant instant) {
    return instant.time_since_epoch().count();
}

}  // namespace

// --- the folder ----------------------------------------------------------------------------

Result<void> ProcessRuntime::open() {
    std::error_code failed;
    options_.root = fs::absolute(options_.root, failed);
    for (const char* part : {"units", "volumes", "removed"}) {
        TRY(make_directories(options_.root / part, 0700));
    }
    owner_.reset(::open((options_.root / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!owner_) return error_of_errno(errno, "cannot open the lock of the folder", options_.root);
    if (flock(owner_.get(), LOCK_EX | LOCK_NB) != 0) {
        return Error{Code::unavailable, "another server uses the folder of processes",
                     options_.root.string()};
    }
    wake_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake_) return error_of_errno(errno, "cannot make an event", {});
    TRY(load());
    watcher_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
    return {};
}

ProcessRuntime::~ProcessRuntime() {
    watcher_.request_stop();
    wake();
    if (watcher_.joinable()) watcher_.join();
}

Result<void> ProcessRuntime::load() {
    std::error_code ignored;
    for (const fs::path& gone : folders_in(options_.root / "removed")) {
        fs::remove_all(gone, ignored);
    }
    for (const fs::path& folder : folders_in(options_.root / "units")) load_unit(folder);
    return {};
}

// One damaged record must not keep the others from being managed.
void ProcessRuntime::load_unit(const fs::path& folder) {
    const std::string name = folder.filename();
    const auto adopted = adopt_unit(folder);
    if (!adopted) damaged_units_.insert_or_assign(name, adopted.error());
}

Result<void> ProcessRuntime::adopt_unit(const fs::path& folder) {
    const Descriptor opened = TRY(open_folder(folder.string()));
    const auto text = read_file_at(opened, "unit.json", most_record_bytes);
    std::error_code ignored;
    if (!text && text.error().code == Code::not_found) {
        // Its creation did not get that far: no caller was given its id.
        fs::remove_all(folder, ignored);
        return {};
    }
    if (!text) return text.error();
    const json::Document document = TRY(json::parse(text->bytes));
    Held held;
    held.record = TRY(json::read<ProcessRecord>(document));
    if (held.record.id.empty() || held.record.name != folder.filename().string()) {
        return Error{Code::invalid, "it is not the record of this unit"};
    }
    if (held.record.phase == Phase::created) {
        // It never ran, and its environment was known to the earlier server alone.
        fs::remove_all(folder, ignored);
        return {};
    }
    adopt(held);
    // Servers before this one wrote the environment, with Secrets, into the record.
    if (json::find(document, {"env"})) TRY(save(held.record));
    units_.emplace(held.record.id, std::move(held));
    return {};
}

// Finds the process of a unit that an earlier server started.
void ProcessRuntime::adopt(Held& unit) {
    ProcessRecord& record = unit.record;
    if (record.phase == Phase::starting) {
        // The server ended between starting the process and noting its number.
        const auto processes = processes_with("ATELIER_UNIT=" + record.id);
        const auto leader = std::find_if(processes.begin(), processes.end(),
                                         [](int pid) { return getsid(pid) == pid; });
        if (leader != processes.end()) {
            if (const auto identity = identity_of(*leader)) {
                record.pid = identity->pid;
                record.start_ticks = identity->start_ticks;
                record.boot_id = identity->boot_id;
            }
        }
        record.phase = Phase::running;
    }
    if (record.phase != Phase::running) return;
    if (const auto folder = open_folder(unit_folder(options_, record.name).string())) {
        auto log = open_file_at(*folder, "log", O_RDWR | O_APPEND);
        if (log) unit.log = *std::move(log);
    }
    auto process = open_process({record.pid, record.start_ticks, record.boot_id});
    if (process) {
        unit.process = std::move(*process);
        auto env = environment_of_process(static_cast<int>(record.pid));
        if (env) record.env = *std::move(env);
    } else {
        note_end(unit);
    }
    static_cast<void>(save(record));
}

Result<void> ProcessRuntime::save(const ProcessRecord& record) const {
    const json::Document document = json::document_of(record);
    const Descriptor folder = TRY(open_folder(unit_folder(options_, record.name).string()));
    return replace_file_at(folder, "unit.json", json::text(document), 0600);
}

// --- what a runtime is asked ---------------------------------------------------------------

Capabilities ProcessRuntime::capabilities() {
    return {"process", false, false, false, true};
}

Result<Image> ProcessRuntime::image(const std::string& name) {
    return Image{name, {}};
}

Result<void> ProcessRuntime::ensure_network(const std::string&, const Labels&) {
    return no_networks();
}

Result<void> ProcessRuntime::remove_network(const std::string&) {
    return {};
}

Result<void> ProcessRuntime::join_network(const std::string&, const std::string&,
                                          const std::string&) {
    return no_networks();
}

Result<void> ProcessRuntime::ensure_volume(const std::string& name, const Labels& labels) {
    const std::lock_guard lock(mutex_);
    return drivers::ensure_volume(options_, name, labels);
}

Result<std::vector<Volume>> ProcessRuntime::volumes(const Labels& having) {
    const std::lock_guard lock(mutex_);
    return list_volumes(options_, having);
}

// A rename takes it away at once; the caller deletes it afterwards, without the lock.
Result<void> ProcessRuntime::move_away(const fs::path& folder, fs::path& moved) {
    moved = options_.root / "removed" / random_text(random_, 20, name_suffix_alphabet);
    if (rename(folder.c_str(), moved.c_str()) == 0 || errno == ENOENT) return {};
    return error_of_errno(errno, "cannot remove the folder", folder);
}

Result<void> ProcessRuntime::remove_volume(const std::string& name) {
    TRY(check_runtime_name("volume", name));
    fs::path moved;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, unit] : units_) {
            for (const auto& mount : unit.record.mounts) {
                if (mount.kind == Mount::Kind::volume && mount.source == name) {
                    return Error{Code::conflict, "volume \"" + name + "\" is in use"};
                }
            }
        }
        TRY(move_away(volume_folder(options_, name), moved));
    }
    std::error_code ignored;
    fs::remove_all(moved, ignored);
    return {};
}

Result<std::string> ProcessRuntime::logs(const std::string& id, std::size_t last_lines) {
    fs::path file;
    {
        const std::lock_guard lock(mutex_);
        file = unit_folder(options_, TRY(held(id))->record.name) / "log";
    }
    const std::string text = TRY(read_end(file, options_.log_bytes));
    return last_lines_of(text, last_lines);
}

// --- units ---------------------------------------------------------------------------------

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
    ProcessRecord record = TRY(record_of(spec, random_text(random_, 32, "0123456789abcdef")));
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
    for (const Mount& mount : spec.mounts) {
        // As a container engine does, makes a volume that is not there, without labels.
        if (mount.kind == Mount::Kind::volume) TRY(make_volume(options_, mount.source, {}));
    }
    TRY(make_directories(unit_folder(options_, spec.name) / "root", 0700));
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
    const UnitView view = view_of(options_, record);
    TRY(make_mounts(options_, view));
    const Descriptor folder = TRY(open_folder(unit_folder(options_, record.name).string()));
    unit.log = TRY(open_file_at(folder, "log", O_RDWR | O_APPEND | O_CREAT));

    const ProcessRecord before = record;
    record.phase = Phase::starting;
    record.pid = 0;
    TRY(save(record));
    auto pid = spawn({.command = rewritten(record.command, view),
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
        TRY(move_away(unit_folder(options_, ended->second.record.name), moved));
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

// --- files and commands --------------------------------------------------------------------

Result<void> ProcessRuntime::upload(const std::string& id, const std::string& folder,
                                    const Tree& tree, int, int) {
    UnitView view;
    {
        const std::lock_guard lock(mutex_);
        view = view_of(options_, TRY(held(id))->record);
    }
    const std::string plain = TRY(plain_folder(folder));
    const Mount* mount = mount_of_path(view.mounts, plain);
    if (mount && mount->read_only) {
        return Error{Code::forbidden,
                     "folder \"" + folder + "\" of unit \"" + view.name + "\" is read-only"};
    }
    if (mount && mount->kind == Mount::Kind::tmpfs) {
        return Error{Code::unsupported, "no upload is possible to a folder in memory"};
    }
    const fs::path base = mount ? source_of(options_, *mount, view.root) : view.root;
    const std::string_view below =
        without_slash(std::string_view(plain).substr(mount ? mount->target.size() : 0));
    const Descriptor to = TRY(open_folder_below(base, below));
    return write_tree_below(to, tree);
}

Result<ExecResult> ProcessRuntime::exec(const std::string& id,
                                        const std::vector<std::string>& command,
                                        Duration deadline) {
    UnitView view;
    {
        const std::lock_guard lock(mutex_);
        const Held* unit = TRY(held(id));
        if (unit->record.phase != Phase::running) {
            return Error{Code::conflict, "unit \"" + unit->record.name + "\" does not run"};
        }
        view = view_of(options_, unit->record);
    }
    if (command.empty() || command[0].empty()) {
        return Error{Code::invalid, "the command is empty"};
    }
    return run_to_end({rewritten(command, view), view.env, view.root}, deadline, most_output);
}

// --- events --------------------------------------------------------------------------------

void ProcessRuntime::announce(const Labels& labels) {
    events_.add(labels);
    changed_.notify_all();
}

Result<void> ProcessRuntime::events(std::stop_token stop, const Labels& having,
                                    const std::function<void(const Labels&)>& on_event) {
    events_.follow(stop, having, on_event);
    return {};
}

}  // namespace atelier::drivers
