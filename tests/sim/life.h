// One simulated life of the whole control plane: store in memory, API core, controllers and
// reconcilers as they are, a fake runtime, fake git and fake plugins folders, in one thread, on
// simulated time, from one seed. People edit, upstream moves, things fail, and the server crashes
// at any call or write; then all is quiet, and the laws must hold (laws.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apiserver/api.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/metrics.h"
#include "base/random.h"
#include "controllers/core.h"
#include "controllers/garbage.h"
#include "crds/kind.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/reconciler.h"
#include "store/open.h"
#include "tests/fakes/fake_git.h"
#include "tests/fakes/fake_plugin_folder.h"
#include "tests/fakes/fake_runtime.h"
#include "tests/fakes/memory_tree_store.h"
#include "tests/sim/template_model.h"

namespace atelier::sim {

struct Crash {};  // the process ended here

class SimClock final : public Clock {
  public:
    Instant now() const override { return now_; }
    void set(Instant now) { now_ = now; }

  private:
    Instant now_{std::chrono::seconds(1'800'000'000)};
};

// The store as the server sees it: it may crash before or after any write.
class SimStore final : public store::Store {
  public:
    SimStore(store::Store& inner, std::function<void()> around)
        : inner_(inner), around_(std::move(around)) {}
    store::ObjectPtr get(const Key& key) const override { return inner_.get(key); }
    store::SnapshotPtr list(std::string_view resource) const override {
        return inner_.list(resource);
    }
    std::vector<store::ObjectPtr> by_index(const store::FieldIndex& index,
                                           std::string_view value) const override {
        return inner_.by_index(index, value);
    }
    Result<store::SnapshotPtr> list_at(std::string_view resource, Revision at) const override {
        return inner_.list_at(resource, at);
    }
    Result<std::vector<store::EventPtr>> events(std::string_view resource, Revision after,
                                                std::size_t most) const override {
        return inner_.events(resource, after, most);
    }
    Revision revision() const override { return inner_.revision(); }
    void write(store::Write write, store::Done done) override {
        around_();
        ++writes_[write.key.resource];
        inner_.write(std::move(write), std::move(done));
        around_();
    }
    void write_all(std::vector<store::Write> writes, store::AllDone done) override {
        around_();
        for (const store::Write& write : writes) ++writes_[write.key.resource];
        inner_.write_all(std::move(writes), std::move(done));
        around_();
    }
    std::unique_ptr<store::Subscription> on_commit(std::function<void(Revision)> wake) override {
        return inner_.on_commit(std::move(wake));
    }
    Result<void> healthy() const override { return inner_.healthy(); }
    const std::map<std::string, std::size_t>& writes() const { return writes_; }  // by resource

  private:
    store::Store& inner_;
    std::function<void()> around_;
    std::map<std::string, std::size_t> writes_;
};

class Life {
  public:
    Life(std::uint64_t seed, bool trace);
    ~Life();

    // What is wrong, or nothing.
    std::optional<std::string> live();
    const std::vector<std::string>& trace() const { return trace_; }
    std::string fingerprint();  // of the whole trace: equal for equal seeds

    static constexpr const char* ns = "default";
    static constexpr const char* org = "acme";

  private:
    friend class Laws;
    struct Server;
    // Volumes of a workspace that went, by their names, and until when they are to be there.
    struct Promise {
        std::set<std::string> volumes;
        Instant until;
    };

    void boot();
    void say(const std::string& line);
    void maybe_crash();
    void act();  // one random thing happens
    void act_on_world();
    void decide();
    void confirm_prune();
    void pin();
    void unpin();
    // A pinned Org runs what it is pinned to, however far the template has gone on.
    std::optional<std::string> check_pin() const;
    void run_until(Instant end);
    bool work_once();
    void guarded(const std::function<void()>& what);
    int request(const std::string& method, const std::string& path, const std::string& body,
                const std::string& content_type = "application/json");
    void push_plugin(const std::string& plugin);
    void declare();
    void note_approved();
    void note_promised();
    void check_promised();
    void undelete();
    void clear_undeleted();
    void check_live(const std::string& uid);
    bool running(const std::string& uid) const;

    SeededRandom random_;   // of the world
    SeededRandom chances_;  // of the server: ids and jitter
    SimClock clock_;
    Metrics metrics_;
    crds::Kinds kinds_;
    std::unique_ptr<store::Store> kept_;  // survives crashes
    fakes::FakeRuntime runtime_;
    fakes::FakeGit git_;
    fakes::FakePluginFolders folders_;
    fakes::MemoryTreeStore trees_;
    TemplateModel model_;
    const std::string volume_grace_;
    std::map<std::string, Promise> promised_;  // by the uid that the volumes are named after
    int undeleted_ = 0;
    std::map<std::string, int> pushes_;                     // by plugin
    std::map<std::string, std::set<std::string>> allowed_;  // digests, by plugin
    std::map<std::string, std::string> plugin_of_digest_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<store::Subscription> watching_;
    std::size_t until_crash_ = 0;  // calls and writes; 0: no crash is planned
    std::size_t crashes_ = 0;
    std::optional<std::string> broken_;  // a law that was seen broken on the way
    const bool keep_trace_;
    std::vector<std::string> trace_;
    Sha256 hash_;
};

}  // namespace atelier::sim
