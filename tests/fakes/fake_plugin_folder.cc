#include "tests/fakes/fake_plugin_folder.h"

#include <algorithm>

#include "base/json.h"
#include "drivers/plugins/exec_plugin_folder.h"

namespace atelier::fakes {

using drivers::PluginState;
using drivers::Runtime;
using drivers::Tree;

class FakePluginFolders::Folder final : public drivers::PluginFolder {
  public:
    Folder(FakePluginFolders& all, std::string uid) : all_(all), uid_(std::move(uid)) {}

    std::string_view delivery() const override { return "mount"; }

    Result<PluginState> observe(const std::string& name) override {
        PluginState state;
        const auto look = [&](const World& world) -> Result<void> {
            TRY(drivers::check_plugin_name(name));
            state.staged = stamps(world.staging, name);
            state.previous = stamps(world.previous, name);
            const auto it = world.live.find(name);
            if (it == world.live.end()) return {};
            state.live = true;
            state.marker = it->second.marker;
            state.manifest = drivers::manifest_of(it->second.tree);
            return {};
        };
        TRY(read("observe", name, look));
        return state;
    }

    Result<std::vector<std::string>> names() override {
        std::vector<std::string> found;
        TRY(read("names", "", [&](const World& world) -> Result<void> {
            for (const auto& [name, kept] : world.live) found.push_back(name);
            return {};
        }));
        return found;
    }

    Result<void> stage(const std::string& name, const std::string& stamp,
                       const Tree& tree) override {
        return write("stage", name, [&]() -> Result<void> {
            TRY(drivers::check_plugin_name(name));
            TRY(drivers::check_stamp(stamp));
            const Tree content = TRY(drivers::deliverable(tree));
            // Half of it is there, without a marker, when a crash comes before the mark.
            Tree half = content;
            while (half.size() > content.size() / 2) half.erase(std::prev(half.end()));
            change([&](World& world) { world.staging[name + "." + stamp] = {half, ""}; });
            all_.step("stage: mark");
            change([&](World& world) {
                world.staging[name + "." + stamp] = {
                    content, drivers::digest_of(drivers::manifest_of(content))};
            });
            return {};
        });
    }

    Result<void> swap(const std::string& name, const std::string& stamp) override {
        return write("swap", name, [&]() -> Result<void> {
            TRY(drivers::check_plugin_name(name));
            TRY(drivers::check_stamp(stamp));
            const std::string staged = name + "." + stamp;
            std::optional<Error> wrong;
            bool had = false;
            change([&](World& world) {
                const auto it = world.staging.find(staged);
                if (it == world.staging.end()) {
                    wrong = Error{Code::not_found, "there is no such staged tree"};
                } else if (it->second.marker.empty()) {
                    wrong = Error{Code::conflict, "the staged tree is not complete"};
                } else if (world.live.contains(name)) {
                    had = true;
                    std::swap(world.live[name], it->second);
                } else {
                    world.live[name] = it->second;
                    world.staging.erase(it);
                }
            });
            if (wrong) return *wrong;
            all_.changed(uid_);
            if (!had) return {};
            all_.step("swap: set aside");
            change([&](World& world) {
                auto node = world.staging.extract(staged);
                world.previous.insert(std::move(node));
            });
            return {};
        });
    }

    Result<void> restore(const std::string& name) override {
        return write("restore", name, [&]() -> Result<void> {
            TRY(drivers::check_plugin_name(name));
            bool live = false;
            change([&](World& world) {
                live = world.live.contains(name);
                const auto found = stamps(world.previous, name);
                for (auto stamp = found.rbegin(); !live && stamp != found.rend(); ++stamp) {
                    const auto it = world.previous.find(name + "." + *stamp);
                    if (it->second.marker.empty()) continue;
                    world.live[name] = it->second;
                    world.previous.erase(it);
                    live = true;
                }
            });
            if (!live) return Error{Code::not_found, "there is no complete older tree"};
            all_.changed(uid_);
            return {};
        });
    }

    Result<void> remove(const std::string& name, const std::string& stamp) override {
        return write("remove", name, [&]() -> Result<void> {
            TRY(drivers::check_plugin_name(name));
            TRY(drivers::check_stamp(stamp));
            bool had = false;
            change([&](World& world) {
                auto node = world.live.extract(name);
                had = !node.empty();
                if (had) world.staging[name + "." + stamp] = node.mapped();
            });
            if (!had) return {};
            all_.changed(uid_);
            all_.step("remove: delete");
            change([&](World& world) { world.staging.erase(name + "." + stamp); });
            return {};
        });
    }

    Result<void> collect(const std::string& name) override {
        return write("collect", name, [&]() -> Result<void> {
            TRY(drivers::check_plugin_name(name));
            change([&](World& world) {
                for (auto* leftovers : {&world.staging, &world.previous}) {
                    for (const std::string& stamp : stamps(*leftovers, name)) {
                        leftovers->erase(name + "." + stamp);
                    }
                }
            });
            return {};
        });
    }

    Result<std::string> agent_status() override {
        std::optional<std::string> status;
        TRY(read("agent_status", "", [&](const World& world) -> Result<void> {
            status = world.status;
            return {};
        }));
        if (!status) return Error{Code::not_found, "nobody reports"};
        return *status;
    }

  private:
    static std::vector<std::string> stamps(const std::map<std::string, Kept>& kept,
                                           const std::string& name) {
        std::vector<std::string> found;
        for (const auto& [stamped, tree] : kept) {
            const auto parsed = drivers::parse_stamped(stamped);
            if (parsed && parsed->name == name) found.push_back(parsed->stamp);
        }
        return found;
    }

    void change(const std::function<void(World&)>& how) {
        const std::lock_guard lock(all_.mutex_);
        how(all_.worlds_[uid_]);
    }

    Result<void> read(const std::string& call, const std::string& subject,
                      const std::function<Result<void>(const World&)>& how) {
        return all_.call(call, subject, false, [&]() -> Result<void> {
            const std::lock_guard lock(all_.mutex_);
            const auto it = all_.worlds_.find(uid_);
            return how(it == all_.worlds_.end() ? World() : it->second);
        });
    }

    Result<void> write(const std::string& call, const std::string& subject,
                       const std::function<Result<void>()>& how) {
        return all_.call(call, subject, true, how);
    }

    FakePluginFolders& all_;
    const std::string uid_;
};

Result<void> FakePluginFolders::call(const std::string& name, const std::string& subject,
                                     bool writes, const std::function<Result<void>()>& effect) {
    std::optional<Error> refused;
    std::optional<Error> lost;
    {
        const std::lock_guard lock(mutex_);
        if (writes) calls_.push_back(subject.empty() ? name : name + " " + subject);
        for (Armed& armed : faults_) {
            if (armed.done || (!armed.fault.call.empty() && armed.fault.call != name)) continue;
            if (++armed.seen < armed.fault.nth) continue;
            armed.done = true;
            (armed.fault.when == When::before ? refused : lost) =
                Error{armed.fault.code, "planned fault of " + name};
        }
    }
    if (refused) return *refused;
    if (on_call_) on_call_(name, When::before);
    auto done = effect();
    if (on_call_) on_call_(name, When::after);
    if (done && lost) return *lost;
    return done;
}

void FakePluginFolders::step(std::string_view name) {
    if (on_call_) on_call_(name, When::before);
}

void FakePluginFolders::changed(const std::string& uid) {
    if (on_change_) on_change_(uid);
}

void FakePluginFolders::on_call(std::function<void(std::string_view, When)> hook) {
    on_call_ = std::move(hook);
}

void FakePluginFolders::on_change(std::function<void(const std::string&)> hook) {
    on_change_ = std::move(hook);
}

void FakePluginFolders::plan(Fault fault) {
    const std::lock_guard lock(mutex_);
    faults_.push_back({std::move(fault)});
}

bool FakePluginFolders::faults_left() const {
    const std::lock_guard lock(mutex_);
    return std::any_of(faults_.begin(), faults_.end(), [](const Armed& a) { return !a.done; });
}

std::map<std::string, std::string> FakePluginFolders::live(const std::string& uid) const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, std::string> digests;
    const auto it = worlds_.find(uid);
    if (it == worlds_.end()) return digests;
    for (const auto& [name, kept] : it->second.live) {
        const std::string digest = drivers::digest_of(drivers::manifest_of(kept.tree));
        if (digest == kept.marker) digests[name] = digest;
    }
    return digests;
}

std::size_t FakePluginFolders::leftovers(const std::string& uid) const {
    const std::lock_guard lock(mutex_);
    const auto it = worlds_.find(uid);
    return it == worlds_.end() ? 0 : it->second.staging.size() + it->second.previous.size();
}

bool FakePluginFolders::is_prepared(const std::string& uid) const {
    const std::lock_guard lock(mutex_);
    return worlds_.contains(uid);
}

void FakePluginFolders::report(const std::string& uid, std::optional<std::string> status) {
    const std::lock_guard lock(mutex_);
    worlds_[uid].status = std::move(status);
}

std::string FakePluginFolders::report_of_live(const std::string& uid) const {
    json::Document report(rapidjson::kObjectType);
    auto& allocator = report.GetAllocator();
    json::Value plugins(rapidjson::kArrayType);
    for (const auto& [name, digest] : live(uid)) {
        json::Value plugin(rapidjson::kObjectType);
        json::set(plugin, "name", name, allocator);
        json::set(plugin, "digest", digest, allocator);
        plugins.PushBack(std::move(plugin), allocator);
    }
    json::set(report, "plugins", std::move(plugins), allocator);
    json::set(report, "child", "running", allocator);
    return json::text(report);
}

void FakePluginFolders::tamper(const std::string& uid, const std::string& name) {
    const std::lock_guard lock(mutex_);
    worlds_[uid].live[name].tree["tampered"].bytes = "with";
}

void FakePluginFolders::lose(const std::string& uid, const std::string& name) {
    const std::lock_guard lock(mutex_);
    worlds_[uid].live.erase(name);
}

std::vector<std::string> FakePluginFolders::calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
}

void FakePluginFolders::clear_calls() {
    const std::lock_guard lock(mutex_);
    calls_.clear();
}

bool FakePluginFolders::mounted(Runtime& runtime) {
    return runtime.capabilities().shares_file_system;
}

std::unique_ptr<drivers::PluginFolder> FakePluginFolders::open(Runtime& runtime,
                                                               const std::string& uid,
                                                               const std::string& unit_id) {
    if (!mounted(runtime)) return drivers::exec_plugin_folder(runtime, {.unit_id = unit_id});
    return std::make_unique<Folder>(*this, uid);
}

std::vector<drivers::Mount> FakePluginFolders::mounts(Runtime& runtime, const std::string& uid) {
    if (!mounted(runtime)) return {};
    const std::string folder = "/home/workspaces/" + uid;
    return {{drivers::Mount::Kind::host, folder + "/plugins", "/configs/plugins", true},
            {drivers::Mount::Kind::host, folder + "/run", "/run/atelier", false}};
}

Result<void> FakePluginFolders::prepare(Runtime& runtime, const std::string& uid) {
    return call("prepare", "", true, [&]() -> Result<void> {
        const std::lock_guard lock(mutex_);
        if (mounted(runtime)) worlds_[uid].status.reset();
        return {};
    });
}

Result<void> FakePluginFolders::destroy(const std::string& uid) {
    return call("destroy", "", true, [&]() -> Result<void> {
        const std::lock_guard lock(mutex_);
        worlds_.erase(uid);
        return {};
    });
}

Result<bool> FakePluginFolders::exists(const std::string& uid) {
    return is_prepared(uid);
}

}  // namespace atelier::fakes
