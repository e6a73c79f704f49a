// The folder of the process runtime: what is in it at the start, volumes, logs, events.
#include "drivers/process/process.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/file.h>

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

constexpr std::size_t most_events = 1024;
constexpr std::size_t most_record = 4 << 20;

struct VolumeRecord {
    Labels labels;

    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("labels", self.labels);
    }
};

Error no_networks() {
    return {Code::unsupported, "units that are processes have no network of their own"};
}

std::vector<fs::path> folders_in(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
        if (entry.is_directory(failed)) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

Result<std::unique_ptr<Runtime>> make_process_runtime(ProcessOptions options, const Clock& clock,
                                                      Random& random) {
    auto runtime = std::make_unique<ProcessRuntime>(std::move(options), clock, random);
    TRY(runtime->open());
    return std::unique_ptr<Runtime>(std::move(runtime));
}

// --- the folder ----------------------------------------------------------------------------

fs::path ProcessRuntime::unit_folder(const std::string& name) const {
    return options_.root / "units" / name;
}

fs::path ProcessRuntime::volume_folder(const std::string& name) const {
    return options_.root / "volumes" / name;
}

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
    const auto text = read_file_at(opened, "unit.json", most_record);
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
    if (held.record.phase == ProcessRecord::Phase::created) {
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
    using Phase = ProcessRecord::Phase;
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
    if (const auto folder = open_folder(unit_folder(record.name).string())) {
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
    const Descriptor folder = TRY(open_folder(unit_folder(record.name).string()));
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

Result<Labels> ProcessRuntime::volume_labels(const std::string& name) const {
    const Descriptor folder = TRY(open_folder(volume_folder(name).string()));
    const FolderFile file = TRY(read_file_at(folder, "volume.json", most_record));
    const json::Document document = TRY(json::parse(file.bytes));
    return TRY(json::read<VolumeRecord>(document)).labels;
}

Result<void> ProcessRuntime::ensure_volume(const std::string& name, const Labels& labels) {
    TRY(check_runtime_name("volume", name));
    const std::lock_guard lock(mutex_);
    auto there = volume_labels(name);
    if (there) {
        if (!has_all(*there, labels)) return not_ours("volume", name);
        return {};
    }
    if (there.error().code != Code::not_found) return std::move(there).error();
    return make_volume(name, labels);
}

// A volume that is there stays as it is.
Result<void> ProcessRuntime::make_volume(const std::string& name, const Labels& labels) const {
    std::error_code ignored;
    if (fs::exists(volume_folder(name) / "volume.json", ignored)) return {};
    TRY(make_directories(volume_folder(name) / "data"));
    const json::Document document = json::document_of(VolumeRecord{labels});
    return write_file_atomically(volume_folder(name) / "volume.json", json::text(document), 0600);
}

Result<std::vector<Volume>> ProcessRuntime::volumes(const Labels& having) {
    const std::lock_guard lock(mutex_);
    std::vector<Volume> found;
    for (const fs::path& folder : folders_in(options_.root / "volumes")) {
        const std::string name = folder.filename();
        auto labels = volume_labels(name);
        if (!labels && labels.error().code == Code::not_found) continue;  // half made
        if (!labels) return std::move(labels).error();
        if (has_all(*labels, having)) found.push_back({name, std::move(*labels)});
    }
    return found;
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
        TRY(move_away(volume_folder(name), moved));
    }
    std::error_code ignored;
    fs::remove_all(moved, ignored);
    return {};
}

Result<std::string> ProcessRuntime::logs(const std::string& id, std::size_t last_lines) {
    fs::path file;
    {
        const std::lock_guard lock(mutex_);
        file = unit_folder(TRY(held(id))->record.name) / "log";
    }
    const std::string text = TRY(read_end(file, options_.log_bytes));
    std::size_t from = text.size();
    if (last_lines == 0) return std::string();
    if (from > 0 && text[from - 1] == '\n') --from;
    for (std::size_t lines = 0; from > 0; --from) {
        if (text[from - 1] == '\n' && ++lines == last_lines) break;
    }
    return text.substr(from);
}

// --- events --------------------------------------------------------------------------------

void ProcessRuntime::announce(const Labels& labels) {
    events_.push_back(labels);
    if (events_.size() > most_events) {
        events_.pop_front();
        ++events_from_;
    }
    changed_.notify_all();
}

Result<void> ProcessRuntime::events(std::stop_token stop, const Labels& having,
                                    const std::function<void(const Labels&)>& on_event) {
    std::unique_lock lock(mutex_);
    std::uint64_t& next = followed_.try_emplace(having, 0).first->second;
    while (!stop.stop_requested()) {
        next = std::max(next, events_from_);
        if (next == events_from_ + events_.size()) {
            changed_.wait(lock, stop, [&] { return next < events_from_ + events_.size(); });
            continue;
        }
        const Labels labels = events_[next++ - events_from_];
        if (!has_all(labels, having)) continue;
        lock.unlock();
        on_event(labels);
        lock.lock();
    }
    return {};
}

}  // namespace atelier::drivers
