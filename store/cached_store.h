// The Store over any Backend: one writer that commits groups of writes, and the watch cache.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "store/backend.h"
#include "store/cache.h"
#include "store/commit.h"
#include "store/open.h"
#include "store/subscribers.h"

namespace atelier::store {

class CachedStore final : public Store {
  public:
    // How many writes may wait, and bytes of their bodies; more are refused with Code::exhausted.
    // A group of joined writes that finds the queue empty is taken whatever its size.
    static constexpr std::size_t queue_most = 10'000;
    static constexpr std::size_t queue_bytes_most = std::size_t{256} << 20;
    // A transaction takes at most so many writes, or about so many bytes; joined writes that began
    // within that are taken to their end.
    static constexpr std::size_t batch_most = 512;
    static constexpr std::size_t batch_bytes_most = std::size_t{8} << 20;

    // Loads the backend and starts the writer. Collaborators outlive the store.
    static Result<std::unique_ptr<Store>> start(std::unique_ptr<Backend> backend, Sealer sealer,
                                                const Options& options, const Clock& clock,
                                                Metrics& metrics, Log log);
    ~CachedStore() override;  // commits the writes that wait

    ObjectPtr get(const Key& key) const override { return cache_.get(key); }
    SnapshotPtr list(std::string_view resource) const override {
        return cache_.list(resource, clock_.now());
    }
    std::vector<ObjectPtr> by_index(const FieldIndex& index,
                                    std::string_view value) const override {
        return cache_.by_index(index, value);
    }
    Result<SnapshotPtr> list_at(std::string_view resource, Revision revision) const override {
        return cache_.list_at(resource, revision, clock_.now());
    }
    Result<std::vector<EventPtr>> events(std::string_view resource, Revision after,
                                         std::size_t most) const override {
        return cache_.events(resource, after, most);
    }
    Revision revision() const override { return cache_.revision(); }
    std::string identity() const override { return identity_; }
    void write(Write write, Done done) override;
    void write_all(std::vector<Write> writes, AllDone done) override;
    std::unique_ptr<Subscription> on_commit(std::function<void(Revision)> wake) override {
        return subscribers_.add(std::move(wake));
    }
    Result<void> healthy() const override;

  private:
    using Answers = std::vector<Result<ObjectPtr>>;
    struct Meters {
        explicit Meters(Metrics& metrics);
        Histogram& commit_seconds;
        Histogram& batch_writes;
        Gauge& revision;
        Gauge& queued;
        Counter& failed;
        Counter& trimmed;
        Histogram& answer_seconds;
    };
    struct TimeMark {
        Instant at;
        Revision revision;
        std::size_t bytes;  // logged up to then
    };

    CachedStore(std::unique_ptr<Backend> backend, Sealer sealer, const Options& options,
                const Clock& clock, Metrics& metrics, Log log);

    // What follows runs on the writer thread, or under commit_mutex_ when commits are inline.
    Result<void> load();
    void run();
    std::vector<Pending> next_group();
    void gather(std::unique_lock<std::mutex>& lock);
    void commit_group(std::vector<Pending> group);
    void answer(std::vector<Pending>& group, Answers& answers);
    Answers commit(std::vector<Pending>& group);
    // Whether the commit is now in the database; false: another writer was first, prepare again.
    Result<bool> write_commit(const Commit& commit);
    Result<bool> settle(const Commit* commit);
    Answers commit_apart(std::vector<Pending>& group);
    void take(std::vector<Pending> joined);
    void publish(const std::vector<EventPtr>& events);
    void count(const std::vector<EventPtr>& events);
    void mark_time();
    void drop_old_history();
    bool is_trim_due() const;
    bool trim_some(std::size_t most);
    void shrink();
    void when_idle();
    void set_health(Result<void> health);

    Result<ObjectPtr> object_of(const Key& key, Revision revision, std::string bytes,
                                const std::string& key_id) const;

    const std::unique_ptr<Backend> backend_;
    const Sealer sealer_;
    const Options options_;
    const Clock& clock_;
    Metrics& metrics_;
    const Log log_;
    const Meters meters_;
    std::string identity_;  // constant after start()
    Cache cache_;
    Subscribers subscribers_;

    std::mutex commit_mutex_;  // one commit at a time when they are inline
    Revision trimmed_ = 0;     // the log has every revision after this one
    Revision trim_to_ = 0;
    // Bytes of the log: written so far, up to trim_to_, and up to trimmed_.
    std::size_t logged_ = 0;
    std::size_t trim_to_bytes_ = 0;
    std::size_t trimmed_bytes_ = 0;
    Instant trimmed_at_;
    bool trimming_ = false;
    bool behind_ = false;  // the database may hold what the cache does not
    std::deque<TimeMark> time_marks_;
    int idle_rounds_ = 0;
    Duration commit_took_{0};  // the last one
    // The numbers of writes in the last two groups.
    std::size_t last_group_ = 0;
    std::size_t group_before_ = 0;
    struct Counted {
        Gauge* gauge = nullptr;
        double objects = 0;
    };
    std::map<std::string, Counted, std::less<>> counted_;

    mutable std::mutex health_mutex_;
    std::optional<Error> unhealthy_;

    mutable std::mutex queue_mutex_;  // guards what follows
    std::condition_variable queued_;
    std::deque<Pending> queue_;
    std::size_t queue_bytes_ = 0;
    std::size_t wake_at_ = 1;  // length of the queue at which the writer is woken
    bool stopping_ = false;
    std::thread writer_;
};

}  // namespace atelier::store
