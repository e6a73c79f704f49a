#include "store/cached_store.h"

#include <fmt/format.h>

#include <utility>

#include "store/answering.h"
#include "store/transition.h"

namespace atelier::store {
namespace {

// How often an idle writer checks whether there is history to trim or a database to come back to.
constexpr std::chrono::seconds idle_for{1};
constexpr std::size_t trim_most = 256;
// Under load, trimming runs between commits at least this often: the queue may never be empty.
constexpr Duration trim_every = std::chrono::seconds(10);
constexpr Revision trim_backlog_most = 1'000;
// A callback of a write that takes longer holds up every other writer, and is logged.
constexpr Duration answer_most = std::chrono::milliseconds(100);
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
                              "Lines removed from the log for their age or its size.")),
      answer_seconds(metrics.histogram("atelier_store_answer_seconds",
                                       "Time that the callbacks of one commit took on the writer.",
                                       {}, commit_buckets())) {}

CachedStore::CachedStore(std::unique_ptr<Backend> backend, Sealer sealer, const Options& options,
                         const Clock& clock, Metrics& metrics, Log log)
    : backend_(std::move(backend)),
      sealer_(std::move(sealer)),
      options_(options),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)),
      meters_(metrics),
      cache_(options.events_kept, options.events_bytes) {}

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
        // Writes that hold together may be more than that: alone, they are taken whatever their
        // size.
        if (before == 0 ||
            (before + joined.size() <= queue_most && queue_bytes_ + bytes <= queue_bytes_most)) {
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
        // At least twice what a commit adds, so that it catches up under any load.
        if (is_trim_due()) trim_some(std::max(trim_most, 2 * group.size()));
    }
    const Revision newest = cache_.revision();
    if (newest != before) subscribers_.wake(newest);
    answer(group, answers);
}

void CachedStore::answer(std::vector<Pending>& group, Answers& answers) {
    const auto begin = std::chrono::steady_clock::now();
    {
        const AnsweringScope scope;
        for (std::size_t i = 0; i < group.size(); ++i) group[i].done(std::move(answers[i]));
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    meters_.answer_seconds.observe(took.count());
    if (took < answer_most) return;
    log_.warning("callbacks of writes held up the other writers",
                 {{"seconds", fmt::format("{:.3f}", took.count())},
                  {"callbacks", std::to_string(group.size())}});
}

CachedStore::Answers CachedStore::commit(std::vector<Pending>& group) {
    // The second attempt is for a commit that another writer overtook: it is prepared on what that
    // one wrote.
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

// The database refused a value of the batch: each write is committed alone to find out which one,
// and the others go through.
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
    // Another writer was first, or the database's answer was lost: the log shows which.
    behind_ = true;
    auto settled = settle(&commit);
    if (!settled && !outcome) return std::move(outcome).error();
    return settled;
}

void CachedStore::publish(const std::vector<EventPtr>& events) {
    constexpr std::size_t row = 200;  // about what a line of the log takes besides its bodies
    for (const EventPtr& event : events) {
        logged_ += event->object->body.size() + row;
        const bool carried = event->previous && event->previous->revision <= trimmed_;
        if (carried) logged_ += event->previous->body.size();
    }
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

// A few marks record when a revision was the newest, and how much had been logged by then.
void CachedStore::mark_time() {
    const Instant now = clock_.now();
    // A clock that was set back: what was logged is at least as old as the marks say by now.
    for (TimeMark& mark : time_marks_) mark.at = std::min(mark.at, now);
    const Duration step = options_.history_kept / static_cast<int>(time_marks_most);
    const std::size_t bytes = options_.history_bytes / time_marks_most;
    if (time_marks_.empty() || now - time_marks_.back().at >= step ||
        logged_ - time_marks_.back().bytes >= bytes) {
        time_marks_.push_back({now, cache_.revision(), logged_});
    }
    drop_old_history();
}

void CachedStore::drop_old_history() {
    const Instant now = clock_.now();
    Revision aged = 0;
    while (!time_marks_.empty()) {
        const TimeMark& oldest = time_marks_.front();
        const bool is_old = now - oldest.at >= options_.history_kept;
        if (!is_old && logged_ - oldest.bytes <= options_.history_bytes) break;
        if (is_old) aged = oldest.revision;
        trim_to_ = oldest.revision;
        trim_to_bytes_ = oldest.bytes;
        time_marks_.pop_front();
    }
    if (aged > 0) cache_.forget(aged);
}

bool CachedStore::is_trim_due() const {
    if (trimming_ || options_.commit_inline) return true;
    const Duration since = clock_.now() - trimmed_at_;  // negative: the clock was set back
    return trim_to_ - trimmed_ >= trim_backlog_most ||
           trim_to_bytes_ - trimmed_bytes_ >= options_.history_bytes / time_marks_most ||
           (trim_to_ > trimmed_ && (since >= trim_every || since < Duration{0}));
}

// True when there may be more to trim.
bool CachedStore::trim_some(std::size_t most) {
    if (trim_to_ <= trimmed_ && !trimming_) return false;
    trimming_ = true;
    // From now on, updates carry their state before along where it may be trimmed away.
    trimmed_ = trim_to_;
    trimmed_bytes_ = trim_to_bytes_;
    trimmed_at_ = clock_.now();
    auto removed = backend_->trim(trim_to_, most);
    if (!removed) {
        trimming_ = false;
        set_health(std::move(removed).error());
        return false;
    }
    meters_.trimmed.add(static_cast<double>(*removed));
    trimming_ = *removed == most;
    if (!trimming_) shrink();
    return trimming_;
}

void CachedStore::shrink() {
    if (const auto shrunk = backend_->shrink(); !shrunk) {
        log_.warning("the database does not give space back",
                     {{"err", shrunk.error().message}, {"detail", shrunk.error().detail}});
    }
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
        // Without this, readiness would learn only from the next write that the database is away.
        if (auto reached = backend_->ping(); !reached) set_health(std::move(reached));
    } else if (!trim_some(trim_most)) {
        shrink();
    }
    if (const Revision newest = cache_.revision(); newest != before) subscribers_.wake(newest);
}

}  // namespace atelier::store
