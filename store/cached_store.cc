#include "store/cached_store.h"

#include <fmt/format.h>

#include <future>
#include <utility>

#include "store/transition.h"

namespace atelier::store {
namespace {

// How often an idle writer looks whether there is anything to clear away or to mend.
constexpr std::chrono::seconds idle_for{1};
constexpr std::size_t trim_most = 256;
// So far behind, trimming goes on between commits instead of waiting for a quiet moment.
constexpr Revision trim_backlog_most = 50'000;
constexpr std::size_t time_marks_most = 64;
constexpr int idle_rounds_between_pings = 5;
constexpr Duration gather_most = std::chrono::milliseconds(2);

const std::vector<double>& commit_buckets() {
    static const std::vector<double> bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                            0.025,  0.05,    0.1,    0.25,  0.5,    1,     5};
    return bounds;
}

// The answers of writes that hold together, which come one after the other on one thread.
struct Together {
    Together(AllDone all_done, std::size_t count) : done(std::move(all_done)), left(count) {}
    void add(const Result<ObjectPtr>& answer) {
        if (answer) {
            objects.push_back(*answer);
        } else {
            error = answer.error();
        }
        if (--left > 0) return;
        if (error) return done(*std::move(error));
        done(std::move(objects));
    }
    AllDone done;
    std::size_t left;
    std::vector<ObjectPtr> objects;
    std::optional<Error> error;
};

}  // namespace

CachedStore::Meters::Meters(Metrics& metrics)
    : commit_seconds(metrics.histogram("atelier_store_commit_seconds",
                                       "Time of one durable transaction.", {}, commit_buckets())),
      batch_writes(metrics.histogram("atelier_store_batch_writes", "Writes of one transaction.", {},
                                     {1, 2, 4, 8, 16, 32, 64, 128, 256, 512})),
      revision(metrics.gauge("atelier_store_revision", "Newest committed revision.")),
      queued(metrics.gauge("atelier_store_queue_depth", "Writes that wait for the writer.")),
      failed(metrics.counter("atelier_store_commit_failures_total",
                             "Transactions that the database did not take.")),
      trimmed(metrics.counter("atelier_store_log_trimmed_total",
                              "Lines removed from the log for their age.")) {}

CachedStore::CachedStore(std::unique_ptr<Backend> backend, Sealer sealer, const Options& options,
                         const Clock& clock, Metrics& metrics, Log log)
    : backend_(std::move(backend)),
      sealer_(std::move(sealer)),
      options_(options),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)),
      meters_(metrics),
      cache_(options.events_kept) {}

Result<std::unique_ptr<Store>> CachedStore::start(std::unique_ptr<Backend> backend, Sealer sealer,
                                                  const Options& options, const Clock& clock,
                                                  Metrics& metrics, Log log) {
    std::unique_ptr<CachedStore> store(new CachedStore(std::move(backend), std::move(sealer),
                                                       options, clock, metrics, std::move(log)));
    TRY(store->load());
    if (!options.commit_inline) {
        store->writer_ = std::thread([s = store.get()] { s->run(); });
    }
    return std::unique_ptr<Store>(std::move(store));
}

CachedStore::~CachedStore() {
    if (!writer_.joinable()) return;
    {
        const std::lock_guard lock(queue_mutex_);
        stopping_ = true;
    }
    queued_.notify_one();
    writer_.join();
}

void CachedStore::write(Write write, Done done) {
    auto meta = checked_meta(write);
    if (!meta) return done(std::move(meta).error());
    std::vector<Pending> alone;
    alone.push_back({std::move(write), *std::move(meta), std::move(done)});
    take(std::move(alone));
}

void CachedStore::write_all(std::vector<Write> writes, AllDone done) {
    if (writes.empty()) return done(std::vector<ObjectPtr>());
    std::vector<Pending> joined;
    joined.reserve(writes.size());
    const auto together = std::make_shared<Together>(std::move(done), writes.size());
    for (Write& write : writes) {
        auto meta = checked_meta(write);
        if (!meta) return together->done(std::move(meta).error());
        joined.push_back({std::move(write), *std::move(meta),
                          [together](Result<ObjectPtr> answer) { together->add(answer); }, true});
    }
    joined.back().joined = false;
    take(std::move(joined));
}

// Writes that hold together, or one.
void CachedStore::take(std::vector<Pending> joined) {
    if (options_.commit_inline) return commit_group(std::move(joined));
    std::size_t bytes = 0;
    for (const Pending& pending : joined) bytes += pending.write.body.text.size();
    {
        const std::lock_guard lock(queue_mutex_);
        const std::size_t before = queue_.size();
        if (before + joined.size() <= queue_most && queue_bytes_ + bytes <= queue_bytes_most) {
            queue_bytes_ += bytes;
            for (Pending& pending : joined) queue_.push_back(std::move(pending));
            meters_.queued.set(static_cast<double>(queue_.size()));
            if (before < wake_at_ && queue_.size() >= wake_at_) queued_.notify_one();
            return;
        }
    }
    const Error full{Code::exhausted, "too many writes wait for the database: try again later"};
    for (const Pending& pending : joined) pending.done(full);
}

Result<void> CachedStore::healthy() const {
    const std::lock_guard lock(health_mutex_);
    if (unhealthy_) return *unhealthy_;
    return {};
}

void CachedStore::set_health(Result<void> health) {
    const std::lock_guard lock(health_mutex_);
    if (health && unhealthy_) log_.info("the database takes writes again");
    if (!health && (!unhealthy_ || unhealthy_->code != health.error().code)) {
        log_.error("the database does not take writes", health.error());
    }
    unhealthy_ = health ? std::nullopt : std::optional(std::move(health).error());
}

void CachedStore::run() {
    while (true) {
        std::vector<Pending> group = next_group();
        if (!group.empty()) {
            commit_group(std::move(group));
            continue;
        }
        {
            const std::lock_guard lock(queue_mutex_);
            if (stopping_ && queue_.empty()) return;
        }
        when_idle();
    }
}

// Writers that were answered together come back one after another. To begin with the first of them
// would leave the others to wait for a whole commit more, and half of all commits nearly empty. So
// the next commit waits for as many as came lately, for a part of the time that it will take.
void CachedStore::gather(std::unique_lock<std::mutex>& lock) {
    const std::size_t usual = std::min(std::max(last_group_, group_before_), batch_most);
    if (queue_.empty() || queue_.size() >= usual || stopping_) return;
    wake_at_ = usual;
    queued_.wait_for(lock, std::min(commit_took_ / 4, gather_most),
                     [&] { return stopping_ || queue_.size() >= usual; });
    wake_at_ = 1;
}

std::vector<Pending> CachedStore::next_group() {
    std::vector<Pending> group;
    std::unique_lock lock(queue_mutex_);
    if (!trimming_) {
        queued_.wait_for(lock, idle_for, [&] { return stopping_ || !queue_.empty(); });
        gather(lock);
    }
    std::size_t bytes = 0;
    const auto is_full = [&] {
        if (!group.empty() && group.back().joined) return false;
        return group.size() >= batch_most || bytes >= batch_bytes_most;
    };
    while (!queue_.empty() && !is_full()) {
        bytes += queue_.front().write.body.text.size();
        queue_bytes_ -= queue_.front().write.body.text.size();
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    meters_.queued.set(static_cast<double>(queue_.size()));
    if (!group.empty()) group_before_ = std::exchange(last_group_, group.size());
    return group;
}

void CachedStore::commit_group(std::vector<Pending> group) {
    const Revision before = cache_.revision();
    Answers answers;
    {
        const std::lock_guard lock(commit_mutex_);
        answers = commit(group);
        mark_time();
        const bool overdue = trimming_ || trim_to_ - trimmed_ > trim_backlog_most;
        if (options_.commit_inline || overdue) trim_some();
    }
    const Revision newest = cache_.revision();
    if (newest != before) subscribers_.wake(newest);
    for (std::size_t i = 0; i < group.size(); ++i) group[i].done(std::move(answers[i]));
}

CachedStore::Answers CachedStore::commit(std::vector<Pending>& group) {
    // Twice: once more after what others had written is taken in.
    Error error{Code::unavailable, "the database is busy with other writers: try again"};
    for (int attempt = 0; attempt < 2; ++attempt) {
        if (behind_) {
            auto settled = settle(nullptr);
            if (!settled) {
                error = std::move(settled).error();
                break;
            }
        }
        Commit commit = prepare(group, {cache_.revision(), trimmed_, clock_.now(), sealer_,
                                        [&](const Key& key) { return cache_.get(key); }});
        if (commit.events.empty()) return std::move(commit.answers);
        auto committed = write_commit(commit);
        if (!committed) {
            error = std::move(committed).error();
            break;
        }
        if (!*committed) continue;
        set_health({});
        publish(commit.events);
        return std::move(commit.answers);
    }
    meters_.failed.add();
    if (error.code == Code::invalid) {
        if (end_of_joined(group, 0) < group.size()) return commit_apart(group);
    } else {
        set_health(error);
    }
    return Answers(group.size(), Result<ObjectPtr>(error));
}

// The database refused a value: find out whose it is, and let the others through.
CachedStore::Answers CachedStore::commit_apart(std::vector<Pending>& group) {
    Answers answers;
    for (std::size_t i = 0; i < group.size();) {
        const std::size_t end = end_of_joined(group, i);
        std::vector<Pending> alone;
        for (; i < end; ++i) {
            Pending& pending = group[i];
            alone.push_back(
                {std::move(pending.write), std::move(pending.meta), nullptr, i + 1 < end});
        }
        for (auto& answer : commit(alone)) answers.push_back(std::move(answer));
    }
    return answers;
}

Result<bool> CachedStore::write_commit(const Commit& commit) {
    const Instant begin = clock_.now();
    auto outcome = backend_->commit(commit.batch);
    if (outcome && *outcome == Outcome::committed) {
        commit_took_ = clock_.now() - begin;
        meters_.commit_seconds.observe(std::chrono::duration<double>(commit_took_).count());
        meters_.batch_writes.observe(static_cast<double>(commit.events.size()));
        return true;
    }
    if (!outcome && outcome.error().code != Code::unavailable) return std::move(outcome).error();
    // Somebody else wrote, or the answer was lost: the log tells which.
    behind_ = true;
    auto settled = settle(&commit);
    if (!settled && !outcome) return std::move(outcome).error();
    return settled;
}

void CachedStore::publish(const std::vector<EventPtr>& events) {
    cache_.apply(events);
    count(events);
    meters_.revision.set(static_cast<double>(cache_.revision()));
}

void CachedStore::count(const std::vector<EventPtr>& events) {
    for (const EventPtr& event : events) {
        const std::string& resource = event->object->key.resource;
        Counted& counted = counted_[resource];
        if (!counted.gauge) {
            counted.gauge = &metrics_.gauge("atelier_store_objects", "Objects stored.",
                                            {{"resource", resource}});
        }
        if (event->change == Change::added) ++counted.objects;
        if (event->change == Change::deleted) --counted.objects;
        counted.gauge->set(counted.objects);
    }
}

// Revisions are trimmed by their age; a few marks tell how old a revision is.
void CachedStore::mark_time() {
    const Instant now = clock_.now();
    const Duration step = options_.history_kept / static_cast<int>(time_marks_most);
    if (time_marks_.empty() || now - time_marks_.back().at >= step) {
        time_marks_.push_back({now, cache_.revision()});
    }
    while (!time_marks_.empty() && now - time_marks_.front().at >= options_.history_kept) {
        trim_to_ = time_marks_.front().revision;
        time_marks_.pop_front();
    }
}

// True when there may be more to trim.
bool CachedStore::trim_some() {
    if (trim_to_ <= trimmed_ && !trimming_) return false;
    trimming_ = true;
    // From now on, updates carry their state before along where it may be trimmed away.
    trimmed_ = trim_to_;
    auto removed = backend_->trim(trim_to_, trim_most);
    if (!removed) {
        trimming_ = false;
        set_health(std::move(removed).error());
        return false;
    }
    meters_.trimmed.add(static_cast<double>(*removed));
    trimming_ = *removed == trim_most;
    return trimming_;
}

void CachedStore::when_idle() {
    Revision before = cache_.revision();
    mark_time();
    if (behind_ || !healthy()) {
        auto probed = backend_->probe();
        if (probed && behind_) {
            auto settled = settle(nullptr);
            if (!settled) probed = std::move(settled).error();
        }
        set_health(std::move(probed));
    } else if (++idle_rounds_ % idle_rounds_between_pings == 0) {
        // Readiness should not wait for the next write to learn that the database is away.
        if (auto reached = backend_->ping(); !reached) set_health(std::move(reached));
    } else {
        trim_some();
    }
    if (const Revision newest = cache_.revision(); newest != before) subscribers_.wake(newest);
}

Result<std::vector<ObjectPtr>> write_all_and_wait(Store& store, std::vector<Write> writes) {
    std::promise<Result<std::vector<ObjectPtr>>> promise;
    auto answer = promise.get_future();
    store.write_all(std::move(writes), [&promise](Result<std::vector<ObjectPtr>> result) {
        promise.set_value(std::move(result));
    });
    return answer.get();
}

Result<ObjectPtr> write_and_wait(Store& store, Write write) {
    std::promise<Result<ObjectPtr>> promise;
    auto answer = promise.get_future();
    store.write(std::move(write),
                [&promise](Result<ObjectPtr> result) { promise.set_value(std::move(result)); });
    return answer.get();
}

}  // namespace atelier::store
