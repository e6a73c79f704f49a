#include "tests/fakes/fake_runtime.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/digest.h"
#include "base/text.h"
#include "drivers/runtime_names.h"

namespace atelier::fakes {

using drivers::ExecResult;
using drivers::has_all;
using drivers::Labels;
using drivers::Mount;
using drivers::not_ours;
using drivers::Unit;
using drivers::UnitSpec;

namespace {

Error missing(std::string_view what, std::string_view name) {
    return {Code::not_found, std::string(what) + " \"" + std::string(name) + "\" is not there"};
}

std::string without_slashes(std::string_view path) {
    while (!path.empty() && path.front() == '/') path.remove_prefix(1);
    while (!path.empty() && path.back() == '/') path.remove_suffix(1);
    return std::string(path);
}

}  // namespace

FakeRuntime::FakeRuntime(const Clock& clock) : clock_(clock) {}

// --- the frame of every call ---------------------------------------------------------------

std::optional<Error> FakeRuntime::refusal(std::string_view name, std::string_view subject,
                                          std::optional<Error>& lost) {
    calls_.push_back(std::string(name) + (subject.empty() ? "" : " ") + std::string(subject));
    if (weather_ == Weather::away) return Error{Code::unavailable, "the runtime does not answer"};
    if (weather_ == Weather::slow) {
        return Error{Code::timeout, "the runtime did not answer in time"};
    }
    std::optional<Error> refused;
    for (Armed& armed : faults_) {
        if (armed.done || (!armed.fault.call.empty() && armed.fault.call != name)) continue;
        if (++armed.seen != armed.fault.nth) continue;
        armed.done = true;
        if (armed.fault.when == When::after) {
            lost = Error{armed.fault.code,
                         std::string(name) + " was done and its answer was made to be lost"};
        } else {
            refused = Error{armed.fault.code, std::string(name) + " was made to fail"};
        }
    }
    return refused;
}

template <class T>
Result<T> FakeRuntime::call(std::string_view name, std::string_view subject,
                            const std::function<Result<T>()>& effect) {
    if (on_call_) on_call_(name, When::before);
    Result<T> answer = [&]() -> Result<T> {
        const std::lock_guard lock(mutex_);
        std::optional<Error> lost;
        if (auto refused = refusal(name, subject, lost)) return *refused;
        Result<T> done = effect();
        if (lost) return *lost;
        return done;
    }();
    run_hooks();
    if (on_call_) on_call_(name, When::after);
    return answer;
}

void FakeRuntime::run_hooks() {
    for (;;) {
        std::vector<std::function<void()>> hooks;
        {
            const std::lock_guard lock(mutex_);
            hooks.swap(hooks_);
        }
        if (hooks.empty()) return;
        for (const auto& hook : hooks) hook();
    }
}

// --- the life of units ---------------------------------------------------------------------

FakeRuntime::Held* FakeRuntime::by_id(const std::string& id) {
    const auto it = units_.find(id);
    return it == units_.end() ? nullptr : &it->second;
}

const FakeRuntime::Held* FakeRuntime::by_name(const std::string& name) const {
    for (const auto& [id, held] : units_) {
        if (held.unit.name == name) return &held;
    }
    return nullptr;
}

FakeRuntime::Held* FakeRuntime::by_name(const std::string& name) {
    return const_cast<Held*>(std::as_const(*this).by_name(name));
}

std::string FakeRuntime::name_of_id(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto it = units_.find(id);
    return it == units_.end() ? id : it->second.unit.name;
}

std::string FakeRuntime::make(const UnitSpec& spec, bool foreign) {
    char id[16];
    std::snprintf(id, sizeof id, "u%08llu", static_cast<unsigned long long>(next_id_++));
    Held held;
    held.spec = spec;
    held.unit.id = id;
    held.unit.name = spec.name;
    held.unit.labels = spec.labels;
    const auto image = images_.find(spec.image);
    held.unit.image_id = image == images_.end() ? spec.image : image->second;
    held.unit.image = spec.image;
    if (!spec.network.empty()) held.unit.networks = {spec.network};
    held.unit.mounts = spec.mounts;
    std::sort(held.unit.mounts.begin(), held.unit.mounts.end(),
              [](const Mount& a, const Mount& b) { return a.target < b.target; });
    if (capabilities_.limits) {
        held.unit.memory_bytes = spec.memory_bytes;
        held.unit.nano_cpus = spec.nano_cpus;
        held.unit.pids = spec.pids;
    }
    held.foreign = foreign;
    for (const Mount& mount : spec.mounts) {
        // As Docker has it: a volume that is mounted and not there is made, without labels.
        if (mount.kind == Mount::Kind::volume) volumes_.try_emplace(mount.source);
    }
    units_.emplace(id, std::move(held));
    return id;
}

void FakeRuntime::announce(const Labels& labels) {
    if (dropping_) return;
    events_.push_back(labels);
    changed_.notify_all();
}

void FakeRuntime::begin(Held& held) {
    held.unit.state = Unit::State::running;
    held.unit.started_at = clock_.now();
    held.unit.finished_at.reset();
    held.unit.exit_code = 0;
    held.unit.out_of_memory = false;
    announce(held.unit.labels);
    if (on_start_) {
        hooks_.push_back([this, spec = held.spec, id = held.unit.id] { on_start_(spec, id); });
    }
    const auto crash = crashes_.find(held.spec.image);
    if (crash != crashes_.end()) return end(held, crash->second);
    const auto& command = held.spec.command;
    if (command.empty()) return;
    if (command[0] == "true" || command[0] == "false" || command[0] == "echo") {
        const auto result = run(held, command, Duration::max());
        held.log += result->out + result->err;
        end(held, result->exit_code);
    }
}

void FakeRuntime::end(Held& held, std::int64_t exit_code) {
    held.unit.state = Unit::State::exited;
    held.unit.exit_code = exit_code;
    held.unit.finished_at = clock_.now();
    announce(held.unit.labels);
    if (on_end_) {
        hooks_.push_back([this, spec = held.spec, id = held.unit.id] { on_end_(spec, id); });
    }
}

// --- files and programs --------------------------------------------------------------------

FakeRuntime::Place FakeRuntime::place(Held& held, std::string_view path) {
    const std::string whole = without_slashes(path);
    const Mount* nearest = nullptr;
    std::size_t depth = 0;
    for (const Mount& mount : held.spec.mounts) {
        const std::string target = without_slashes(mount.target);
        const bool below = whole == target || whole.starts_with(target + "/");
        if (below && (!nearest || target.size() > depth)) {
            nearest = &mount;
            depth = target.size();
        }
    }
    if (!nearest || nearest->kind == Mount::Kind::tmpfs) {
        return {&held.files, whole, !nearest && held.spec.read_only_root};
    }
    const std::string rest = without_slashes(std::string_view(whole).substr(depth));
    if (nearest->kind == Mount::Kind::host) {
        return {nullptr, nearest->source + "/" + rest, nearest->read_only};
    }
    return {&volumes_[nearest->source].files, rest, nearest->read_only};
}

Result<std::string> FakeRuntime::read(Held& held, std::string_view path) {
    const Place where = place(held, path);
    if (!where.files) {
        if (!on_host_read_) return missing("file", path);
        return on_host_read_(where.path);
    }
    const auto it = where.files->find(where.path);
    if (it == where.files->end()) return missing("file", path);
    return it->second.bytes;
}

Result<ExecResult> FakeRuntime::run(Held& held, const std::vector<std::string>& command,
                                    Duration deadline) {
    ExecResult result;
    const std::string& program = command[0];
    if (program == "false") {
        result.exit_code = 1;
    } else if (program == "echo") {
        result.out = join({command.begin() + 1, command.end()}, " ") + "\n";
    } else if (program == "cat" && command.size() == 2) {
        if (auto bytes = read(held, command[1])) {
            result.out = *bytes;
        } else {
            result.exit_code = 1;
            result.err = "cat: " + command[1] + ": No such file or directory\n";
        }
    } else if (program == "test" && command.size() == 3 && command[1] == "-f") {
        result.exit_code = read(held, command[2]) ? 0 : 1;
    } else if (program == "sleep" && command.size() == 2) {
        const double seconds = std::strtod(command[1].c_str(), nullptr);
        if (std::chrono::duration<double>(seconds) > deadline) {
            return Error{Code::timeout, "the command did not end in time"};
        }
    }
    return result;
}

// --- the world -----------------------------------------------------------------------------

void FakeRuntime::set_capabilities(drivers::Capabilities capabilities) {
    const std::lock_guard lock(mutex_);
    capabilities_ = std::move(capabilities);
}

void FakeRuntime::add_image(const std::string& name) {
    const std::lock_guard lock(mutex_);
    images_[name] = "sha256:" + sha256_hex(name);
}

void FakeRuntime::forget_image(const std::string& name) {
    const std::lock_guard lock(mutex_);
    images_.erase(name);
}

void FakeRuntime::crash_on_start(const std::string& image, std::optional<std::int64_t> exit_code) {
    const std::lock_guard lock(mutex_);
    crashes_.erase(image);
    if (exit_code) crashes_[image] = *exit_code;
}

std::string FakeRuntime::add_foreign_unit(const UnitSpec& spec, bool running) {
    const std::lock_guard lock(mutex_);
    const std::string id = make(spec, true);
    if (running) units_.at(id).unit.state = Unit::State::running;
    return id;
}

void FakeRuntime::add_foreign_volume(const std::string& name, const Labels& labels) {
    const std::lock_guard lock(mutex_);
    volumes_[name] = {labels, {}, true};
}

void FakeRuntime::add_foreign_network(const std::string& name) {
    const std::lock_guard lock(mutex_);
    networks_[name] = {{}, true};
}

bool FakeRuntime::untouched() const {
    const std::lock_guard lock(mutex_);
    return !touched_;
}

bool FakeRuntime::kill(const std::string& unit, std::int64_t exit_code) {
    {
        const std::lock_guard lock(mutex_);
        Held* held = by_name(unit);
        if (!held || held->unit.state != Unit::State::running) return false;
        end(*held, exit_code);
    }
    run_hooks();
    return true;
}

bool FakeRuntime::kill_for_memory(const std::string& unit) {
    {
        const std::lock_guard lock(mutex_);
        Held* held = by_name(unit);
        if (!held || held->unit.state != Unit::State::running) return false;
        held->unit.out_of_memory = true;
        end(*held, 137);
    }
    run_hooks();
    return true;
}

bool FakeRuntime::change(const std::string& unit, Unit::State from,
                         const std::function<void(Held&)>& change) {
    const std::lock_guard lock(mutex_);
    Held* held = by_name(unit);
    if (!held || held->unit.state != from) return false;
    change(*held);
    announce(held->unit.labels);
    return true;
}

bool FakeRuntime::pause(const std::string& unit) {
    return change(unit, Unit::State::running,
                  [](Held& held) { held.unit.state = Unit::State::paused; });
}

bool FakeRuntime::unpause(const std::string& unit) {
    return change(unit, Unit::State::paused,
                  [](Held& held) { held.unit.state = Unit::State::running; });
}

bool FakeRuntime::set_health(const std::string& unit, Unit::Health health,
                             const std::string& output) {
    return change(unit, Unit::State::running, [&](Held& held) {
        held.unit.health = health;
        held.unit.health_output = output;
    });
}

bool FakeRuntime::disconnect(const std::string& unit, const std::string& network) {
    return change(unit, Unit::State::running,
                  [&](Held& held) { std::erase(held.unit.networks, network); });
}

bool FakeRuntime::lose_network(const std::string& network) {
    const std::lock_guard lock(mutex_);
    for (auto& [id, held] : units_) {
        // As with Docker, one that does not run keeps the name, and cannot start.
        if (held.unit.state != Unit::State::running) continue;
        if (std::erase(held.unit.networks, network) > 0) announce(held.unit.labels);
    }
    return networks_.erase(network) > 0;
}

void FakeRuntime::pull_slowly(const std::string& image, std::optional<std::string> progress) {
    const std::lock_guard lock(mutex_);
    pulls_.erase(image);
    if (progress) pulls_[image] = *progress;
}

bool FakeRuntime::vanish(const std::string& unit) {
    {
        const std::lock_guard lock(mutex_);
        Held* held = by_name(unit);
        if (!held) return false;
        if (held->unit.state == Unit::State::running) end(*held, 137);
        announce(held->unit.labels);
        units_.erase(held->unit.id);
    }
    run_hooks();
    return true;
}

bool FakeRuntime::lose_volume(const std::string& volume) {
    const std::lock_guard lock(mutex_);
    return volumes_.erase(volume) > 0;
}

void FakeRuntime::kill_all() {
    {
        const std::lock_guard lock(mutex_);
        for (auto& [id, held] : units_) {
            if (held.unit.state == Unit::State::running && !held.foreign) end(held, 137);
        }
    }
    run_hooks();
}

void FakeRuntime::set_weather(Weather weather) {
    const std::lock_guard lock(mutex_);
    weather_ = weather;
    if (weather != Weather::fair) ++breaks_;
    changed_.notify_all();
}

void FakeRuntime::plan(Fault fault) {
    const std::lock_guard lock(mutex_);
    faults_.push_back({std::move(fault)});
}

bool FakeRuntime::faults_left() const {
    const std::lock_guard lock(mutex_);
    return std::any_of(faults_.begin(), faults_.end(), [](const Armed& a) { return !a.done; });
}

void FakeRuntime::break_events() {
    const std::lock_guard lock(mutex_);
    ++breaks_;
    changed_.notify_all();
}

void FakeRuntime::drop_events(bool on) {
    const std::lock_guard lock(mutex_);
    dropping_ = on;
}

// --- what is there -------------------------------------------------------------------------

std::optional<Unit> FakeRuntime::unit(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const Held* held = by_name(name);
    return held ? std::optional(held->unit) : std::nullopt;
}

std::optional<UnitSpec> FakeRuntime::spec(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const Held* held = by_name(name);
    return held ? std::optional(held->spec) : std::nullopt;
}

std::vector<Unit> FakeRuntime::all_units() const {
    const std::lock_guard lock(mutex_);
    std::vector<Unit> units;
    for (const auto& [id, held] : units_) units.push_back(held.unit);
    return units;
}

std::optional<drivers::Tree> FakeRuntime::volume_files(const std::string& volume) const {
    const std::lock_guard lock(mutex_);
    const auto it = volumes_.find(volume);
    return it == volumes_.end() ? std::nullopt : std::optional(it->second.files);
}

std::set<std::string> FakeRuntime::volume_names() const {
    const std::lock_guard lock(mutex_);
    std::set<std::string> names;
    for (const auto& [name, volume] : volumes_) names.insert(name);
    return names;
}

std::set<std::string> FakeRuntime::network_names() const {
    const std::lock_guard lock(mutex_);
    std::set<std::string> names;
    for (const auto& [name, network] : networks_) names.insert(name);
    return names;
}

std::optional<std::string> FakeRuntime::file(const std::string& unit,
                                             const std::string& path) const {
    const std::lock_guard lock(mutex_);
    auto* self = const_cast<FakeRuntime*>(this);
    Held* held = self->by_name(unit);
    if (!held) return std::nullopt;
    auto bytes = self->read(*held, path);
    return bytes ? std::optional(*bytes) : std::nullopt;
}

void FakeRuntime::write_file(const std::string& unit, const std::string& path,
                             const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    Held* held = by_name(unit);
    CHECK(held != nullptr);
    const Place where = place(*held, path);
    CHECK(where.files != nullptr);
    (*where.files)[where.path] = {drivers::File::Kind::regular, false, bytes};
}

std::vector<std::string> FakeRuntime::calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
}

std::size_t FakeRuntime::count(std::string_view call) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(calls_.begin(), calls_.end(), [&](const std::string& line) {
            return line == call || line.starts_with(std::string(call) + " ");
        }));
}

void FakeRuntime::clear_calls() {
    const std::lock_guard lock(mutex_);
    calls_.clear();
}

std::vector<Labels> FakeRuntime::take_events() {
    const std::lock_guard lock(mutex_);
    std::vector<Labels> taken(events_.begin() + static_cast<std::ptrdiff_t>(taken_), events_.end());
    taken_ = events_.size();
    return taken;
}

// --- Runtime -------------------------------------------------------------------------------

drivers::Capabilities FakeRuntime::capabilities() {
    const std::lock_guard lock(mutex_);
    return capabilities_;
}

Result<void> FakeRuntime::ping() {
    return call<void>("ping", "", [] { return Result<void>(); });
}

Result<std::vector<Unit>> FakeRuntime::list(const Labels& having) {
    return call<std::vector<Unit>>("list", "", [&]() -> Result<std::vector<Unit>> {
        std::vector<Unit> units;
        for (const auto& [id, held] : units_) {
            if (has_all(held.unit.labels, having)) units.push_back(held.unit);
        }
        return units;
    });
}

Result<drivers::Image> FakeRuntime::image(const std::string& name) {
    return call<drivers::Image>("image", name, [&]() -> Result<drivers::Image> {
        const auto pull = pulls_.find(name);
        if (pull != pulls_.end()) return drivers::Image{{}, pull->second};
        const auto it = images_.find(name);
        if (it == images_.end()) return missing("image", name);
        return drivers::Image{it->second, {}};
    });
}

Result<void> FakeRuntime::ensure_network(const std::string& name, const Labels& labels) {
    return call<void>("ensure_network", name, [&]() -> Result<void> {
        const auto [it, made] = networks_.try_emplace(name, HeldNetwork{labels, false});
        if (!has_all(it->second.labels, labels)) return not_ours("network", name);
        return {};
    });
}

Result<void> FakeRuntime::remove_network(const std::string& name) {
    return call<void>("remove_network", name, [&]() -> Result<void> {
        const auto it = networks_.find(name);
        if (it == networks_.end()) return {};
        if (it->second.foreign) touched_ = true;
        for (const auto& [id, held] : units_) {
            const auto& joined = held.unit.networks;
            if (held.unit.state == Unit::State::running &&
                std::find(joined.begin(), joined.end(), name) != joined.end()) {
                return Error{Code::conflict, "network \"" + name + "\" is in use"};
            }
        }
        networks_.erase(it);
        return {};
    });
}

Result<void> FakeRuntime::join_network(const std::string& id, const std::string& network,
                                       const std::string&) {
    return call<void>("join_network", name_of_id(id) + " " + network, [&]() -> Result<void> {
        Held* held = by_id(id);
        if (!held) return missing("unit", id);
        if (!networks_.contains(network)) return missing("network", network);
        if (held->foreign) touched_ = true;
        std::vector<std::string>& joined = held->unit.networks;
        if (std::find(joined.begin(), joined.end(), network) != joined.end()) return {};
        joined.insert(std::upper_bound(joined.begin(), joined.end(), network), network);
        announce(held->unit.labels);
        return {};
    });
}

Result<void> FakeRuntime::ensure_volume(const std::string& name, const Labels& labels) {
    return call<void>("ensure_volume", name, [&]() -> Result<void> {
        const auto [it, made] = volumes_.try_emplace(name, HeldVolume{labels, {}, false});
        if (!has_all(it->second.labels, labels)) return not_ours("volume", name);
        return {};
    });
}

Result<std::vector<drivers::Volume>> FakeRuntime::volumes(const Labels& having) {
    using Volumes = std::vector<drivers::Volume>;
    return call<Volumes>("volumes", "", [&]() -> Result<Volumes> {
        Volumes found;
        for (const auto& [name, volume] : volumes_) {
            if (has_all(volume.labels, having)) found.push_back({name, volume.labels});
        }
        return found;
    });
}

Result<void> FakeRuntime::remove_volume(const std::string& name) {
    return call<void>("remove_volume", name, [&]() -> Result<void> {
        const auto it = volumes_.find(name);
        if (it == volumes_.end()) return {};
        if (it->second.foreign) touched_ = true;
        for (const auto& [id, held] : units_) {
            for (const Mount& mount : held.spec.mounts) {
                if (mount.kind == Mount::Kind::volume && mount.source == name) {
                    return Error{Code::conflict, "volume \"" + name + "\" is in use"};
                }
            }
        }
        volumes_.erase(it);
        return {};
    });
}

Result<std::string> FakeRuntime::create(const UnitSpec& spec) {
    return call<std::string>("create", spec.name, [&]() -> Result<std::string> {
        if (by_name(spec.name)) {
            return Error{Code::already_exists, "a unit named \"" + spec.name + "\" is there"};
        }
        const bool known = std::any_of(images_.begin(), images_.end(), [&](const auto& image) {
            return image.first == spec.image || image.second == spec.image;
        });
        if (capabilities_.images && !known) return missing("image", spec.image);
        return make(spec, false);
    });
}

Result<void> FakeRuntime::start(const std::string& id) {
    return call<void>("start", name_of_id(id), [&]() -> Result<void> {
        Held* held = by_id(id);
        if (!held) return missing("unit", id);
        if (held->foreign) touched_ = true;
        if (held->unit.state == Unit::State::running) return {};
        for (const std::string& network : held->unit.networks) {
            if (!networks_.contains(network)) return missing("network", network);
        }
        begin(*held);
        return {};
    });
}

Result<void> FakeRuntime::stop(const std::string& id, Duration) {
    return call<void>("stop", name_of_id(id), [&]() -> Result<void> {
        Held* held = by_id(id);
        if (!held) return {};
        if (held->foreign) touched_ = true;
        const bool runs =
            held->unit.state == Unit::State::running || held->unit.state == Unit::State::paused;
        if (runs) end(*held, 143);
        return {};
    });
}

Result<void> FakeRuntime::remove(const std::string& id) {
    return call<void>("remove", name_of_id(id), [&]() -> Result<void> {
        Held* held = by_id(id);
        if (!held) return {};
        if (held->foreign) touched_ = true;
        if (held->unit.state == Unit::State::running) end(*held, 137);
        announce(held->unit.labels);
        units_.erase(id);
        return {};
    });
}

Result<void> FakeRuntime::upload(const std::string& id, const std::string& folder,
                                 const drivers::Tree& tree, int, int) {
    return call<void>("upload", name_of_id(id), [&]() -> Result<void> {
        Held* held = by_id(id);
        if (!held) return missing("unit", id);
        if (held->foreign) touched_ = true;
        for (const auto& [path, file] : tree) {
            if (!is_safe_relative_path(path)) {
                return Error{Code::invalid, "path \"" + path + "\" may not be in a tree"};
            }
            const Place where = place(*held, folder + "/" + path);
            if (!where.files || where.read_only) {
                return Error{Code::forbidden, "folder \"" + folder + "\" is read-only"};
            }
            (*where.files)[where.path] = file;
        }
        return {};
    });
}

Result<ExecResult> FakeRuntime::exec(const std::string& id, const std::vector<std::string>& command,
                                     Duration deadline) {
    if (on_call_) on_call_("exec", When::before);
    const std::string name = name_of_id(id);
    std::optional<Error> lost;
    UnitSpec spec;
    {
        const std::lock_guard lock(mutex_);
        if (auto refused = refusal("exec", name, lost)) return *refused;
        Held* held = by_id(id);
        if (!held) return missing("unit", id);
        if (held->foreign) touched_ = true;
        if (held->unit.state != Unit::State::running) {
            return Error{Code::conflict, "unit \"" + name + "\" does not run"};
        }
        if (command.empty()) return Error{Code::invalid, "the command is empty"};
        spec = held->spec;
    }
    std::optional<Result<ExecResult>> answer;
    if (on_exec_) answer = on_exec_(spec, command);
    if (!answer) {
        const std::lock_guard lock(mutex_);
        Held* held = by_id(id);
        answer = held ? run(*held, command, deadline) : missing("unit", id);
    }
    if (on_call_) on_call_("exec", When::after);
    if (lost) return *lost;
    return *answer;
}

Result<std::string> FakeRuntime::logs(const std::string& id, std::size_t last_lines) {
    return call<std::string>("logs", name_of_id(id), [&]() -> Result<std::string> {
        const Held* held = by_id(id);
        if (!held) return missing("unit", id);
        std::vector<std::string> lines = split(held->log, '\n');
        if (!lines.empty() && lines.back().empty()) lines.pop_back();
        const std::size_t from = lines.size() > last_lines ? lines.size() - last_lines : 0;
        std::string text;
        for (std::size_t i = from; i < lines.size(); ++i) text += lines[i] + "\n";
        return text;
    });
}

Result<void> FakeRuntime::events(std::stop_token stop, const Labels& having,
                                 const std::function<void(const Labels&)>& on_event) {
    std::unique_lock lock(mutex_);
    const std::uint64_t breaks = breaks_;
    if (weather_ != Weather::fair) {
        return Error{Code::unavailable, "the runtime does not answer"};
    }
    // As with Docker's `since`, a second call goes on where the first one broke.
    const auto [cursor, first] = followed_.try_emplace(having, 0);
    while (!stop.stop_requested()) {
        if (breaks_ != breaks) return Error{Code::unavailable, "the stream of events broke"};
        if (cursor->second == events_.size()) {
            changed_.wait(lock, stop,
                          [&] { return cursor->second < events_.size() || breaks_ != breaks; });
            continue;
        }
        const Labels labels = events_[cursor->second++];
        if (!has_all(labels, having)) continue;
        lock.unlock();
        on_event(labels);
        lock.lock();
    }
    return {};
}

}  // namespace atelier::fakes
