// What the store makes of a database that fails, forgets to answer, or is written by others.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "shared_log.h"
#include "store/cached_store.h"
#include "world.h"

namespace atelier::store {
namespace {

// Everything as the inner backend does it, but for what a test overrides.
class Forwarding : public Backend {
  public:
    explicit Forwarding(std::unique_ptr<Backend> inner) : inner_(std::move(inner)) {}
    Result<Marks> marks() override { return inner_->marks(); }
    Result<void> read_objects(const std::function<Result<void>(StoredObject&&)>& visit) override {
        return inner_->read_objects(visit);
    }
    Result<void> read_log(Revision after,
                          const std::function<Result<void>(StoredEntry&&)>& visit) override {
        return inner_->read_log(after, visit);
    }
    Result<Outcome> commit(const Batch& batch) override { return inner_->commit(batch); }
    Result<std::size_t> trim(Revision upto, std::size_t most) override {
        return inner_->trim(upto, most);
    }
    Result<std::string> meta(std::string_view name) override { return inner_->meta(name); }
    Result<void> set_meta(std::string_view name, std::string_view value) override {
        return inner_->set_meta(name, value);
    }
    Result<std::size_t> reseal(const Reseal& anew, std::string_view key_id) override {
        return inner_->reseal(anew, key_id);
    }
    Result<void> ping() override { return inner_->ping(); }
    Result<void> probe() override { return inner_->probe(); }

  private:
    std::unique_ptr<Backend> inner_;
};

class Faults : public SharedLogTest {
  protected:
    static Result<ObjectPtr> put(Store& store, Write write) {
        return write_and_wait(store, std::move(write));
    }
    void set_down(bool down) {
        const std::lock_guard lock(shared_->mutex);
        shared_->down = down;
    }
};

TEST_F(Faults, A_full_disk_fails_the_writes_and_the_store_goes_on) {
    const auto store = open();
    must(put(*store, create(workspace("a"))));
    fail_next({Fault::refuse});
    EXPECT_EQ(code_of(put(*store, create(workspace("b")))), Code::exhausted);
    EXPECT_EQ(code_of(store->healthy()), Code::exhausted);
    EXPECT_EQ(store->get(workspace("b")), nullptr) << "never seen before it is committed";
    EXPECT_EQ(store->revision(), 1);
    EXPECT_EQ(must(put(*store, create(workspace("b"))))->revision, 2);
    must(store->healthy());
}

TEST_F(Faults, A_write_whose_answer_was_lost_is_found_in_the_log) {
    const auto store = open();
    int woken = 0;
    const auto subscription = store->on_commit([&](Revision) { ++woken; });
    fail_next({Fault::lose_answer});
    EXPECT_EQ(must(put(*store, create(workspace("a"))))->revision, 1);
    EXPECT_EQ(store->revision(), 1);
    EXPECT_EQ(woken, 1);
    EXPECT_EQ(shared_->log.size(), 1u) << "once, not twice";
    EXPECT_EQ(must(store->events("workspaces.atelier.dev", 0, 10)).size(), 1u);
}

TEST_F(Faults, A_write_that_did_not_arrive_is_sent_again) {
    const auto store = open();
    fail_next({Fault::unreachable});
    EXPECT_EQ(must(put(*store, create(workspace("a"))))->revision, 1);
    fail_next({Fault::unreachable, Fault::unreachable});
    EXPECT_EQ(code_of(put(*store, create(workspace("b")))), Code::unavailable);
    EXPECT_EQ(code_of(store->healthy()), Code::unavailable);
    EXPECT_EQ(must(put(*store, create(workspace("b"))))->revision, 2);
    must(store->healthy());
}

TEST_F(Faults, Reads_go_on_while_the_database_is_away) {
    const auto store = open();
    must(put(*store, create(workspace("a"))));
    set_down(true);
    EXPECT_EQ(code_of(put(*store, create(workspace("b")))), Code::unavailable);
    EXPECT_NE(store->get(workspace("a")), nullptr);
    EXPECT_EQ(store->list("workspaces.atelier.dev")->objects.size(), 1u);
    set_down(false);
    EXPECT_EQ(must(put(*store, create(workspace("b"))))->revision, 2);
}

TEST_F(Faults, A_write_of_unknown_outcome_is_seen_when_the_database_is_back) {
    // Written, but neither the answer nor the log can be had.
    fail_next({Fault::lose_answer});
    class DownAfterCommit final : public Forwarding {
      public:
        explicit DownAfterCommit(const std::shared_ptr<SharedLog>& shared)
            : Forwarding(backend_over(shared)), shared_(shared) {}
        Result<Outcome> commit(const Batch& batch) override {
            auto outcome = Forwarding::commit(batch);
            const std::lock_guard lock(shared_->mutex);
            if (!outcome) shared_->down = true;
            return outcome;
        }

      private:
        std::shared_ptr<SharedLog> shared_;
    };
    Options options;
    options.commit_inline = true;
    const auto store =
        must(CachedStore::start(std::make_unique<DownAfterCommit>(shared_),
                                must(Sealer::make({}, random_)), options, clock_, metrics_, Log()));
    EXPECT_EQ(code_of(put(*store, create(workspace("a")))), Code::unavailable);
    EXPECT_EQ(store->get(workspace("a")), nullptr);
    set_down(false);
    // It was committed after all, so the name is taken, and the watchers are told.
    EXPECT_EQ(code_of(put(*store, create(workspace("a")))), Code::already_exists);
    EXPECT_NE(store->get(workspace("a")), nullptr);
    const auto events = must(store->events("workspaces.atelier.dev", 0, 10));
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0]->revision, 1);
}

TEST_F(Faults, One_refused_value_does_not_fail_its_neighbours) {
    fail_next({Fault::reject});
    auto store = open(false);
    std::mutex mutex;
    std::map<std::string, std::optional<Code>> outcome;
    for (const char* name : {"a", "poison", "b", "c"}) {
        store->write(create(workspace(name)), [&, name](Result<ObjectPtr> answer) {
            const std::lock_guard lock(mutex);
            outcome[name] = answer ? std::nullopt : std::optional(answer.error().code);
        });
    }
    store.reset();
    EXPECT_EQ(outcome["poison"], Code::invalid);
    for (const char* name : {"a", "b", "c"}) EXPECT_EQ(outcome[name], std::nullopt) << name;
    EXPECT_EQ(shared_->marks.newest, 3) << "and no revision is lost";
}

TEST_F(Faults, An_idle_store_finds_out_that_the_database_is_back) {
    const auto store = open(false);
    set_down(true);
    EXPECT_EQ(code_of(put(*store, create(workspace("a")))), Code::unavailable);
    EXPECT_EQ(code_of(store->healthy()), Code::unavailable);
    set_down(false);
    // Nobody writes; the writer asks by itself, about once a second.
    for (int i = 0; i < 600 && !store->healthy(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    must(store->healthy());
    const std::lock_guard lock(shared_->mutex);
    EXPECT_GT(shared_->probes, 0);
}

TEST_F(Faults, An_idle_store_finds_out_that_the_database_is_away) {
    const auto store = open(false);
    must(put(*store, create(workspace("a"))));
    set_down(true);
    for (int i = 0; i < 600 && store->healthy(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(code_of(store->healthy()), Code::unavailable);
}

TEST_F(Faults, Two_stores_on_one_log_never_overwrite_each_other) {
    const auto one = open();
    const auto two = open();
    must(put(*one, create(workspace("a"), "one")));
    EXPECT_EQ(code_of(put(*two, create(workspace("a"), "two"))), Code::already_exists)
        << "the counter tells that somebody else wrote";
    EXPECT_EQ(text_of(*two->get(workspace("a"))), "one");
    EXPECT_EQ(must(put(*two, update(workspace("a"), 1, "two")))->revision, 2);
    EXPECT_EQ(code_of(put(*one, update(workspace("a"), 1, "late"))), Code::conflict);
    const auto seen = must(one->events("workspaces.atelier.dev", 0, 10));
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_EQ(seen[1]->previous->revision, 1);
}

TEST_F(Faults, Many_writers_on_many_stores_leave_one_gapless_history) {
    constexpr int stores = 3;
    constexpr int each = 150;
    std::vector<std::unique_ptr<Store>> all;
    for (int i = 0; i < stores; ++i) all.push_back(open(false));
    std::vector<std::thread> writers;
    std::mutex mutex;
    std::set<Revision> given;
    std::atomic<int> unlucky = 0;
    for (int s = 0; s < stores; ++s) {
        writers.emplace_back([&, s] {
            for (int i = 0; i < each; ++i) {
                auto answer =
                    put(*all[std::size_t(s)], create(workspace(fmt::format("w{}-{}", s, i))));
                if (!answer) {
                    // Overtaken twice in a row; nothing was written.
                    EXPECT_EQ(answer.error().code, Code::unavailable);
                    ++unlucky;
                    continue;
                }
                const std::lock_guard lock(mutex);
                EXPECT_TRUE(given.insert((*answer)->revision).second);
            }
        });
    }
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(static_cast<int>(given.size()) + unlucky, stores * each);
    EXPECT_EQ(*given.rbegin(), static_cast<Revision>(given.size()));
    EXPECT_EQ(shared_->log.size(), given.size());
}

TEST_F(Faults, A_store_left_far_behind_lists_again) {
    const auto one = open();
    const auto two = open();
    must(put(*one, create(workspace("a"))));
    must(put(*one, create(workspace("b"))));
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->marks.trimmed = 2;
        shared_->log.clear();
    }
    must(put(*one, create(workspace("c"))));
    EXPECT_EQ(must(put(*two, create(workspace("d"))))->revision, 4);
    EXPECT_EQ(two->list("workspaces.atelier.dev")->objects.size(), 4u);
    EXPECT_EQ(code_of(two->events("workspaces.atelier.dev", 0, 10)), Code::gone);
}

TEST_F(Faults, A_database_that_went_back_in_time_is_not_written_to) {
    const auto store = open();
    must(put(*store, create(workspace("a"))));
    must(put(*store, create(workspace("b"))));
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->marks.newest = 1;
        shared_->log.resize(1);
        shared_->objects.erase(workspace("b"));
    }
    EXPECT_EQ(code_of(put(*store, create(workspace("c")))), Code::internal);
    EXPECT_EQ(code_of(store->healthy()), Code::internal);
    EXPECT_EQ(shared_->log.size(), 1u);
}

TEST_F(Faults, More_writes_than_may_wait_are_refused_at_once) {
    // The database is busy until it is released.
    class Stuck final : public Forwarding {
      public:
        explicit Stuck(const std::shared_ptr<SharedLog>& shared)
            : Forwarding(backend_over(shared)) {}
        Result<Outcome> commit(const Batch& batch) override {
            const std::lock_guard lock(busy);
            return Forwarding::commit(batch);
        }
        std::mutex busy;
    };
    auto backend = std::make_unique<Stuck>(shared_);
    std::unique_lock busy(backend->busy);
    auto store = must(CachedStore::start(std::move(backend), must(Sealer::make({}, random_)), {},
                                         clock_, metrics_, Log()));
    std::atomic<int> committed = 0;
    std::atomic<int> refused = 0;
    const int n = static_cast<int>(CachedStore::queue_most + CachedStore::batch_most) + 10;
    for (int i = 0; i < n; ++i) {
        store->write(create(workspace(fmt::format("w{}", i))), [&](Result<ObjectPtr> answer) {
            ++(answer ? committed : refused);
            if (!answer) {
                EXPECT_EQ(answer.error().code, Code::exhausted);
            }
        });
    }
    EXPECT_GE(refused, 10);
    busy.unlock();
    store.reset();
    EXPECT_EQ(committed + refused, n);
    EXPECT_GE(committed, static_cast<int>(CachedStore::queue_most));
}

}  // namespace
}  // namespace atelier::store
