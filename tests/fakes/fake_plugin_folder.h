// Plugins folders in memory, by the contract of drivers/plugins/plugin_folder.h: for simulation and
// for tests of reconcilers. Each rename of the real one is a step of its own here, so that a crash
// between two of them leaves the same leftovers.
//
// Thread-safe. Hooks are called without any lock held and may call back.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "drivers/plugins/plugin_folders.h"
#include "tests/fakes/fake_runtime.h"

namespace atelier::fakes {

class FakePluginFolders final : public drivers::PluginFolders {
  public:
    // Around the effect of every call, and before each inner step ("swap: set aside"); may throw,
    // to stand for the crash of the caller there.
    void on_call(std::function<void(std::string_view call, When when)> hook);
    // After the live trees of a workspace changed; where a fake agent loads them.
    void on_change(std::function<void(const std::string& uid)> hook);
    void plan(Fault fault);  // by the names "observe", "stage", "swap", "restore", "remove", …
    bool faults_left() const;

    // Digests of what is live and complete, by name.
    std::map<std::string, std::string> live(const std::string& uid) const;
    std::size_t leftovers(const std::string& uid) const;
    bool is_prepared(const std::string& uid) const;
    // What the agent of that workspace says; nullopt: it says nothing.
    void report(const std::string& uid, std::optional<std::string> status);
    // The agent's text that names what is live now.
    std::string report_of_live(const std::string& uid) const;
    // Behind everybody's back: another content under an old marker; a live tree that is gone.
    void tamper(const std::string& uid, const std::string& name);
    void lose(const std::string& uid, const std::string& name);

    std::vector<std::string> calls() const;  // "stage x", "swap x", ...; without reads
    void clear_calls();

    bool mounted(drivers::Runtime& runtime) override;
    std::unique_ptr<drivers::PluginFolder> open(drivers::Runtime& runtime, const std::string& uid,
                                                const std::string& unit_id) override;
    std::vector<drivers::Mount> mounts(drivers::Runtime& runtime, const std::string& uid) override;
    Result<void> prepare(drivers::Runtime& runtime, const std::string& uid) override;
    Result<void> destroy(const std::string& uid) override;
    Result<bool> exists(const std::string& uid) override;

  private:
    class Folder;
    struct Kept {
        drivers::Tree tree;
        std::string marker;
    };
    struct World {
        std::map<std::string, Kept> live;
        std::map<std::string, Kept> staging;   // by "<name>.<stamp>"
        std::map<std::string, Kept> previous;  // by "<name>.<stamp>"
        std::optional<std::string> status;
    };
    struct Armed {
        Fault fault;
        std::size_t seen = 0;
        bool done = false;
    };

    Result<void> call(const std::string& name, const std::string& subject, bool writes,
                      const std::function<Result<void>()>& effect);
    void step(std::string_view name);
    void changed(const std::string& uid);

    mutable std::mutex mutex_;
    std::function<void(std::string_view, When)> on_call_;
    std::function<void(const std::string&)> on_change_;
    std::map<std::string, World> worlds_;  // by uid; there: prepared
    std::vector<Armed> faults_;
    std::vector<std::string> calls_;
};

}  // namespace atelier::fakes
