// What every backend must keep. One suite, run on each.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/text.h"
#include "store/overlay.h"
#include "world.h"

namespace atelier::store {
namespace {

// What every Store promises, an Overlay too.
class StoreContract : public testing::TestWithParam<Where> {
  protected:
    void SetUp() override {
        std::shared_ptr<Place> place = GetParam().make();
        if (!place) return skip_without_postgres();
        world_ = std::make_unique<World>(place);
        world_->options().commit_inline = is_inline();
        must(world_->open());
        if (GetParam().overlay) overlay_ = std::make_unique<Overlay>(world_->store());
    }
    Store& store() { return overlay_ ? *overlay_ : world_->store(); }
    Result<ObjectPtr> put(Write write) { return write_and_wait(store(), std::move(write)); }
    bool is_inline() const { return GetParam().commit_inline || GetParam().overlay; }

    std::unique_ptr<World> world_;
    std::unique_ptr<Overlay> overlay_;
};

// What a Store with a history, subscribers and a database promises besides.
class Contract : public StoreContract {};

TEST_P(StoreContract, A_created_object_is_read_back_with_its_revision) {
    const ObjectPtr made = must(put(create(workspace("a"), "hello")));
    EXPECT_EQ(made->revision, 1);
    EXPECT_EQ(made->meta.revision, 1);
    EXPECT_EQ(made->meta.uid, "uid-of-a");
    EXPECT_NE(made->body.find("\"resourceVersion\":\"1\""), std::string::npos);
    EXPECT_EQ(text_of(*made), "hello");
    EXPECT_EQ(store().get(workspace("a")), made);
    EXPECT_EQ(store().get(workspace("b")), nullptr);
    EXPECT_EQ(store().get({"orgs.atelier.dev", "default", "a"}), nullptr);
}

TEST_P(StoreContract, Writers_that_saw_something_else_are_refused) {
    EXPECT_EQ(code_of(put(update(workspace("a"), 1, "x"))), Code::not_found);
    EXPECT_EQ(code_of(put(remove(workspace("a"), 1))), Code::not_found);
    const ObjectPtr made = must(put(create(workspace("a"))));
    EXPECT_EQ(code_of(put(create(workspace("a")))), Code::already_exists);
    const ObjectPtr changed = must(put(update(workspace("a"), made->revision, "second")));
    EXPECT_EQ(changed->revision, 2);
    EXPECT_EQ(code_of(put(update(workspace("a"), made->revision, "third"))), Code::conflict);
    EXPECT_EQ(code_of(put(remove(workspace("a"), made->revision))), Code::conflict);
    EXPECT_EQ(text_of(*store().get(workspace("a"))), "second");
    EXPECT_EQ(store().revision(), 2) << "a refused write takes no revision";
}

TEST_P(StoreContract, A_body_that_names_another_object_is_invalid) {
    Write write = create(workspace("a"));
    write.body = body_of(workspace("b"), "x");
    EXPECT_EQ(code_of(put(write)), Code::invalid);
    write.body = {"no json", 3};
    EXPECT_EQ(code_of(put(write)), Code::invalid);
    write.body = {};
    EXPECT_EQ(code_of(put(write)), Code::invalid);
    EXPECT_EQ(store().revision(), 0);
}

TEST_P(StoreContract, An_update_that_changes_nothing_makes_no_revision) {
    const ObjectPtr made = must(put(create(workspace("a"), "same")));
    const ObjectPtr again = must(put(update(workspace("a"), made->revision, "same")));
    EXPECT_EQ(again->revision, made->revision);
    EXPECT_EQ(store().revision(), 1);
    EXPECT_EQ(must(store().events("workspaces.atelier.dev", 0, 10)).size(), 1u);
}

TEST_P(StoreContract, A_removal_has_a_revision_of_its_own) {
    Write write = create(workspace("a"));
    // A label may be called like the field, and come before it.
    write.body = body_of(workspace("a"), "x", {{"resourceVersion", "1"}});
    const ObjectPtr made = must(put(write));
    const ObjectPtr removed = must(put(remove(workspace("a"), made->revision)));
    EXPECT_EQ(removed->revision, 2);
    EXPECT_EQ(removed->meta.revision, 2);
    const crds::Meta meta = must(crds::peek_meta(removed->body));
    EXPECT_EQ(meta.revision, 2);
    EXPECT_EQ(meta.label("resourceVersion"), "1");
    EXPECT_EQ(store().get(workspace("a")), nullptr);

    const auto events = must(store().events("workspaces.atelier.dev", 1, 10));
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0]->change, Change::deleted);
    EXPECT_EQ(events[0]->revision, 2);
    EXPECT_EQ(events[0]->object, removed);
    EXPECT_EQ(events[0]->previous, made);
    EXPECT_EQ(must(put(create(workspace("a"))))->revision, 3) << "the name is free again";
}

TEST_P(StoreContract, Events_tell_what_was_before) {
    const ObjectPtr first = must(put(create(workspace("a"), "1")));
    const ObjectPtr second = must(put(update(workspace("a"), 1, "2")));
    const auto events = must(store().events("workspaces.atelier.dev", 0, 10));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0]->change, Change::added);
    EXPECT_EQ(events[0]->previous, nullptr);
    EXPECT_EQ(events[1]->change, Change::modified);
    EXPECT_EQ(events[1]->object, second);
    EXPECT_EQ(events[1]->previous, first);
    EXPECT_EQ(must(store().events("workspaces.atelier.dev", 0, 1)).size(), 1u);
    EXPECT_TRUE(must(store().events("orgs.atelier.dev", 0, 10)).empty());
}

TEST_P(StoreContract, Lists_are_sorted_and_belong_to_one_resource) {
    for (const char* name : {"c", "a", "b"}) must(put(create(workspace(name))));
    must(put(create(workspace("z", "another"))));
    must(put(create({"orgs.atelier.dev", "default", "o"})));
    const SnapshotPtr list = store().list("workspaces.atelier.dev");
    std::vector<std::string> names;
    for (const ObjectPtr& object : list->objects) {
        names.push_back(object->key.ns + "/" + object->key.name);
    }
    EXPECT_EQ(names,
              (std::vector<std::string>{"another/z", "default/a", "default/b", "default/c"}));
    EXPECT_EQ(list->revision, 5);
    EXPECT_EQ(store().list("workspaces.atelier.dev"), list) << "nothing changed: the same list";
    EXPECT_TRUE(store().list("plugins.atelier.dev")->objects.empty());
    EXPECT_EQ(store().list("plugins.atelier.dev")->revision, 5);
}

std::vector<std::string> words_of(const Object& object) {
    std::vector<std::string> words;
    for (const std::string_view word : split(text_of(object), ' ')) {
        words.push_back(in_namespace(object.key.ns, word));
    }
    return words;
}
constexpr FieldIndex by_word{"workspaces.atelier.dev", "word", words_of};

std::string found_by(const Store& store, std::string_view word, std::string_view ns = "default") {
    std::string found;
    for (const ObjectPtr& object : store.by_index(by_word, in_namespace(ns, word))) {
        EXPECT_EQ(object, store.get(object->key));
        found += object->key.name + " ";
    }
    return found;
}

TEST_P(StoreContract, An_index_finds_the_objects_that_have_the_value_now) {
    EXPECT_EQ(found_by(store(), "red"), "") << "asked before there is an object";
    must(put(create(workspace("b"), "red blue")));
    must(put(create(workspace("a"), "red")));
    must(put(create(workspace("a", "other"), "red")));
    must(put(create({"orgs.atelier.dev", "default", "a"}, "red")));
    EXPECT_EQ(found_by(store(), "red"), "a b ");
    EXPECT_EQ(found_by(store(), "red", "other"), "a ");
    EXPECT_EQ(found_by(store(), "blue"), "b ");
    const Revision changed = must(put(update(workspace("b"), 1, "green green")))->revision;
    EXPECT_EQ(found_by(store(), "red"), "a ");
    EXPECT_EQ(found_by(store(), "blue"), "");
    EXPECT_EQ(found_by(store(), "green"), "b ");
    must(put(remove(workspace("b"), changed)));
    EXPECT_EQ(found_by(store(), "green"), "");
    // What is refused as a whole leaves the index as it was.
    EXPECT_FALSE(write_all_and_wait(
        store(), {create(workspace("c"), "green"), update(workspace("absent"), 1, "red")}));
    EXPECT_EQ(found_by(store(), "green"), "");
    must(put(create(workspace("c"), "red")));
    EXPECT_EQ(found_by(store(), "red"), "a c ");
}

TEST_P(StoreContract, An_index_that_is_built_under_writes_misses_none) {
    for (int i = 0; i < 300; ++i) must(put(create(workspace(fmt::format("w{:03}", i)), "old")));
    std::thread writer([&] {
        for (int i = 0; i < 300; ++i) {
            const Key key = workspace(fmt::format("w{:03}", i));
            const Revision at = store().get(key)->revision;
            must(put(i % 3 == 0 ? remove(key, at) : update(key, at, "new")));
        }
    });
    std::vector<std::thread> readers;
    for (int t = 0; t < 3; ++t) {
        readers.emplace_back([&] {
            for (int i = 0; i < 50; ++i) {
                EXPECT_LE(store().by_index(by_word, "default/old").size(), 300u);
                EXPECT_LE(store().by_index(by_word, "default/new").size(), 200u);
            }
        });
    }
    writer.join();
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(store().by_index(by_word, "default/new").size(), 200u);
    EXPECT_TRUE(store().by_index(by_word, "default/old").empty());
}

// Every state of an object is decoded once, however often the index is asked.
TEST_P(StoreContract, A_lookup_costs_what_changed_and_what_it_finds) {
    static std::atomic<int> decoded;
    static constexpr FieldIndex counted{"workspaces.atelier.dev", "counted",
                                        [](const Object& object) {
                                            ++decoded;
                                            return std::vector<std::string>{object.key.name};
                                        }};
    decoded = 0;
    for (int i = 0; i < 100; ++i) must(put(create(workspace(fmt::format("w{}", i)))));
    EXPECT_EQ(store().by_index(counted, "w7").size(), 1u);
    EXPECT_EQ(decoded, 100);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(store().by_index(counted, "w7").size(), 1u);
    must(put(update(workspace("w7"), 8, "again")));
    EXPECT_EQ(store().by_index(counted, "w7").size(), 1u);
    EXPECT_EQ(decoded, 101);
}

TEST_P(Contract, Pages_of_a_list_stay_at_their_revision) {
    constexpr int n = 700;
    for (int i = 0; i < n; ++i) must(put(create(workspace(fmt::format("w{:04}", i)), "old")));
    const Revision at = store().list("workspaces.atelier.dev")->revision;
    for (int i = 0; i < n; i += 2) {
        const Key key = workspace(fmt::format("w{:04}", i));
        const Revision seen = store().get(key)->revision;
        must(put(i % 4 == 0 ? remove(key, seen) : update(key, seen, "new")));
        must(put(create(workspace(fmt::format("x{:04}", i)), "new")));
    }
    // Also at a revision at which nobody took a list.
    for (const Revision revision : {at, at - 100}) {
        const SnapshotPtr page = must(store().list_at("workspaces.atelier.dev", revision));
        EXPECT_EQ(page->revision, revision);
        ASSERT_EQ(page->objects.size(), static_cast<std::size_t>(revision));
        int i = 0;
        for (const ObjectPtr& object : page->objects) {
            EXPECT_EQ(object->key.name, fmt::format("w{:04}", i++));
            EXPECT_EQ(text_of(*object), "old");
        }
    }
    EXPECT_EQ(code_of(store().list_at("workspaces.atelier.dev", store().revision() + 1)),
              Code::gone);
    EXPECT_TRUE(must(store().list_at("orgs.atelier.dev", at))->objects.empty());
}

TEST_P(Contract, History_that_is_no_longer_kept_is_gone) {
    world_->options().events_kept = 10;
    must(world_->open());
    must(put(create(workspace("first"))));
    const Revision begin = store().revision();
    const SnapshotPtr old = store().list("workspaces.atelier.dev");
    for (int i = 0; i < 11; ++i) must(put(create(workspace(fmt::format("w{}", i)))));
    EXPECT_EQ(code_of(store().events("workspaces.atelier.dev", begin, 100)), Code::gone);
    const auto rest = must(store().events("workspaces.atelier.dev", begin + 1, 100));
    ASSERT_EQ(rest.size(), 10u);
    EXPECT_EQ(rest.front()->revision, begin + 2);
    EXPECT_EQ(code_of(store().events("workspaces.atelier.dev", begin + 12, 100)), Code::gone)
        << "a revision that was never given out";
    // The list was handed out and stays; nothing is left of the one after it.
    EXPECT_EQ(must(store().list_at("workspaces.atelier.dev", begin)), old);
    for (int i = 0; i < 11; ++i) must(put(create(workspace(fmt::format("v{}", i)))));
    EXPECT_EQ(code_of(store().list_at("workspaces.atelier.dev", begin + 1)), Code::gone);
    world_->clock().advance(std::chrono::minutes(6));
    (void)store().list("workspaces.atelier.dev");
    EXPECT_EQ(code_of(store().list_at("workspaces.atelier.dev", begin)), Code::gone);
}

TEST_P(StoreContract, Revisions_have_no_gap_under_sixteen_writers) {
    constexpr int threads = 16;
    constexpr int each = 60;
    std::mutex mutex;
    std::vector<Revision> given;
    std::atomic<int> refused = 0;
    std::vector<std::thread> writers;
    for (int t = 0; t < threads; ++t) {
        writers.emplace_back([&, t] {
            for (int i = 0; i < each; ++i) {
                // Every fourth write is to an object that all fight for.
                const Key shared = workspace("shared");
                Write write = create(workspace(fmt::format("w{}-{}", t, i)));
                if (i % 4 == 0) {
                    const ObjectPtr seen = store().get(shared);
                    write = seen ? update(shared, seen->revision, fmt::format("{} {}", t, i))
                                 : create(shared);
                }
                auto answer = put(std::move(write));
                if (!answer) {
                    ++refused;
                    continue;
                }
                EXPECT_GE(store().revision(), (*answer)->revision);
                const std::lock_guard lock(mutex);
                given.push_back((*answer)->revision);
            }
        });
    }
    for (auto& writer : writers) writer.join();
    std::sort(given.begin(), given.end());
    ASSERT_EQ(given.size() + static_cast<std::size_t>(refused), std::size_t{threads * each});
    for (std::size_t i = 0; i < given.size(); ++i) {
        ASSERT_EQ(given[i], static_cast<Revision>(i) + 1);
    }
    EXPECT_EQ(store().revision(), static_cast<Revision>(given.size()));
}

TEST_P(StoreContract, A_writer_reads_its_own_write) {
    std::vector<std::thread> writers;
    for (int t = 0; t < 4; ++t) {
        writers.emplace_back([&, t] {
            const Key key = workspace(fmt::format("own{}", t));
            Revision seen = must(put(create(key)))->revision;
            for (int i = 0; i < 50; ++i) {
                const std::string text = fmt::format("text {}", i);
                seen = must(put(update(key, seen, text)))->revision;
                const ObjectPtr read = store().get(key);
                ASSERT_EQ(read->revision, seen);
                ASSERT_EQ(text_of(*read), text);
                const SnapshotPtr list = store().list("workspaces.atelier.dev");
                ASSERT_GE(list->revision, seen);
                ASSERT_EQ(list->objects.find("default", key.name)->revision, seen);
            }
        });
    }
    for (auto& writer : writers) writer.join();
}

// A watcher as the API server has them: a cursor, woken by commits.
class Watcher {
  public:
    explicit Watcher(Store& store, Revision after = 0) : store_(store), at_(after) {
        subscription_ = store.on_commit([this](Revision newest) {
            const std::lock_guard lock(mutex_);
            EXPECT_GT(newest, woken_);
            woken_ = newest;
            changed_.notify_all();
        });
        thread_ = std::thread([this] { run(); });
    }
    void stop_at(Revision last) {
        {
            const std::lock_guard lock(mutex_);
            last_ = last;
        }
        changed_.notify_all();
        thread_.join();
        subscription_.reset();
    }
    const std::vector<EventPtr>& seen() const { return seen_; }

  private:
    void run() {
        std::unique_lock lock(mutex_);
        while (last_ == 0 || at_ < last_) {
            lock.unlock();
            const auto events = store_.events("workspaces.atelier.dev", at_, 7);
            lock.lock();
            if (!events) {
                ADD_FAILURE() << events.error().message;
                return;
            }
            for (const EventPtr& event : *events) seen_.push_back(event);
            if (!events->empty()) at_ = events->back()->revision;
            if (events->empty() && (last_ == 0 || at_ < last_) && woken_ <= at_) {
                changed_.wait(lock);
            }
        }
    }
    Store& store_;
    std::mutex mutex_;
    std::condition_variable changed_;
    Revision at_;
    Revision woken_ = 0;
    Revision last_ = 0;
    std::vector<EventPtr> seen_;
    std::unique_ptr<Subscription> subscription_;
    std::thread thread_;
};

TEST_P(Contract, Watchers_see_every_event_once_in_order) {
    if (is_inline()) return;  // one thread at a time commits there
    constexpr int threads = 4;
    constexpr int each = 100;
    std::vector<std::unique_ptr<Watcher>> watchers;
    for (int i = 0; i < 3; ++i) watchers.push_back(std::make_unique<Watcher>(store()));
    std::vector<std::thread> writers;
    for (int t = 0; t < threads; ++t) {
        writers.emplace_back([&, t] {
            for (int i = 0; i < each; ++i) {
                const Key key = workspace(fmt::format("w{}-{}", t, i));
                const Revision made = must(put(create(key)))->revision;
                if (i % 3 == 0) must(put(remove(key, made)));
            }
        });
    }
    for (auto& writer : writers) writer.join();
    const Revision last = store().revision();
    for (const auto& watcher : watchers) {
        watcher->stop_at(last);
        ASSERT_EQ(watcher->seen().size(), static_cast<std::size_t>(last));
        std::map<Key, ObjectPtr> state;
        for (std::size_t i = 0; i < watcher->seen().size(); ++i) {
            const Event& event = *watcher->seen()[i];
            ASSERT_EQ(event.revision, static_cast<Revision>(i) + 1);
            ASSERT_EQ(event.previous, state[event.object->key]);
            state[event.object->key] = event.change == Change::deleted ? nullptr : event.object;
        }
        std::erase_if(state, [](const auto& s) { return !s.second; });
        const SnapshotPtr list = store().list("workspaces.atelier.dev");
        ASSERT_EQ(state.size(), list->objects.size());
    }
}

TEST_P(Contract, Answers_come_after_the_cache_and_the_watchers_and_in_order) {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Revision> answered;
    Revision woken = 0;
    const auto subscription = store().on_commit([&](Revision newest) {
        const std::lock_guard lock(mutex);
        woken = newest;
    });
    constexpr int n = 200;
    for (int i = 0; i < n; ++i) {
        const Key key = workspace(fmt::format("w{}", i));
        store().write(create(key), [&, key](Result<ObjectPtr> answer) {
            ASSERT_TRUE(answer);
            EXPECT_EQ(store().get(key), *answer);
            EXPECT_GE(store().revision(), (*answer)->revision);
            const std::lock_guard lock(mutex);
            EXPECT_GE(woken, (*answer)->revision);
            answered.push_back((*answer)->revision);
            changed.notify_all();
        });
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return answered.size() == n; });
    EXPECT_TRUE(std::is_sorted(answered.begin(), answered.end()));
}

TEST_P(StoreContract, An_answer_may_write_again) {
    std::mutex mutex;
    std::condition_variable changed;
    bool finished = false;
    std::function<void(int)> next = [&](int i) {
        store().write(create(workspace(fmt::format("chain{}", i))), [&, i](Result<ObjectPtr> a) {
            ASSERT_TRUE(a);
            if (i < 20) return next(i + 1);
            const std::lock_guard lock(mutex);
            finished = true;
            changed.notify_all();
        });
        if (is_inline()) {
            EXPECT_NE(store().get(workspace(fmt::format("chain{}", i))), nullptr);
        }
    };
    next(0);
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return finished; });
    EXPECT_EQ(store().revision(), 21);
}

TEST_P(Contract, A_subscriber_may_end_its_own_subscription) {
    std::unique_ptr<Subscription> subscription;
    int calls = 0;
    subscription = store().on_commit([&](Revision) {
        ++calls;
        subscription.reset();
    });
    must(put(create(workspace("a"))));
    must(put(create(workspace("b"))));
    EXPECT_EQ(calls, 1);
}

TEST_P(Contract, What_was_agreed_is_there_after_reopening) {
    if (!world_->place().survives_reopening()) return;
    must(put(create(workspace("kept"), "1")));
    must(put(update(workspace("kept"), 1, "2")));
    must(put(create(workspace("short-lived"))));
    must(put(remove(workspace("short-lived"), 3)));
    must(put(create(secret("token"), "very secret")));
    const auto before = must(store().events("workspaces.atelier.dev", 0, 100));
    must(world_->open());
    EXPECT_EQ(store().revision(), 5);
    EXPECT_EQ(text_of(*store().get(workspace("kept"))), "2");
    EXPECT_EQ(store().get(workspace("kept"))->revision, 2);
    EXPECT_EQ(store().get(workspace("short-lived")), nullptr);
    EXPECT_EQ(text_of(*store().get(secret("token"))), "very secret");

    const auto after = must(store().events("workspaces.atelier.dev", 0, 100));
    ASSERT_EQ(after.size(), before.size());
    for (std::size_t i = 0; i < after.size(); ++i) {
        EXPECT_EQ(after[i]->change, before[i]->change);
        EXPECT_EQ(after[i]->revision, before[i]->revision);
        EXPECT_EQ(after[i]->object->body, before[i]->object->body);
        ASSERT_EQ(after[i]->previous == nullptr, before[i]->previous == nullptr);
        if (before[i]->previous) {
            EXPECT_EQ(after[i]->previous->body, before[i]->previous->body);
        }
    }
    EXPECT_EQ(must(put(create(workspace("next"))))->revision, 6);
}

TEST_P(Contract, Old_history_is_trimmed_but_never_what_a_watcher_needs) {
    if (!world_->place().survives_reopening()) return;
    world_->options().commit_inline = true;  // so that trimming is done when a write returns
    world_->options().history_kept = std::chrono::minutes(10);
    must(world_->open());
    must(put(create(workspace("a"), "1")));
    must(put(create(workspace("b"), "1")));
    world_->clock().advance(std::chrono::minutes(11));
    must(put(update(workspace("a"), 1, "2")));
    world_->clock().advance(std::chrono::minutes(11));
    // Now the first two lines are trimmed, though the update of "a" refers to the first.
    must(put(create(workspace("c"), "1")));
    world_->clock().advance(std::chrono::minutes(5));
    must(put(update(workspace("b"), 2, "2")));
    must(world_->open());
    EXPECT_EQ(code_of(store().events("workspaces.atelier.dev", 0, 100)), Code::gone);
    const auto events = must(store().events("workspaces.atelier.dev", 3, 100));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[1]->object->key, workspace("b"));
    ASSERT_NE(events[1]->previous, nullptr) << "carried along, for its own line is trimmed";
    EXPECT_EQ(events[1]->previous->revision, 2);
    EXPECT_EQ(text_of(*events[1]->previous), "1");
    EXPECT_EQ(store().list("workspaces.atelier.dev")->objects.size(), 3u);
}

TEST_P(Contract, What_waits_is_committed_before_the_store_ends) {
    std::atomic<int> answered = 0;
    for (int i = 0; i < 500; ++i) {
        store().write(create(workspace(fmt::format("w{}", i))), [&](Result<ObjectPtr> answer) {
            EXPECT_TRUE(answer);
            ++answered;
        });
    }
    world_->close();
    EXPECT_EQ(answered, 500);
    if (!world_->place().survives_reopening()) return;
    must(world_->open());
    EXPECT_EQ(store().list("workspaces.atelier.dev")->objects.size(), 500u);
}

TEST_P(Contract, The_metrics_tell_how_many_objects_there_are) {
    must(put(create(workspace("a"))));
    must(put(create(workspace("b"))));
    must(put(remove(workspace("a"), 1)));
    const std::string text = world_->metrics().text();
    EXPECT_NE(text.find("atelier_store_objects{resource=\"workspaces.atelier.dev\"} 1"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("atelier_store_revision 3"), std::string::npos);
    EXPECT_NE(text.find("atelier_store_commit_seconds_count"), std::string::npos);
    must(store().healthy());
}

INSTANTIATE_TEST_SUITE_P(All, StoreContract,
                         testing::Values(Where{"memory_threaded", memory_place},
                                         Where{"memory_inline", memory_place, true},
                                         Where{"sqlite_threaded", sqlite_place},
                                         Where{"sqlite_inline", sqlite_place, true},
                                         Where{"postgres_threaded", postgres_place},
                                         Where{"postgres_inline", postgres_place, true},
                                         Where{"overlay", memory_place, true, true}),
                         where_name);

INSTANTIATE_TEST_SUITE_P(Memory, Contract,
                         testing::Values(Where{"threaded", memory_place},
                                         Where{"inline", memory_place, true}),
                         where_name);

INSTANTIATE_TEST_SUITE_P(Sqlite, Contract,
                         testing::Values(Where{"threaded", sqlite_place},
                                         Where{"inline", sqlite_place, true}),
                         where_name);
INSTANTIATE_TEST_SUITE_P(Postgres, Contract,
                         testing::Values(Where{"threaded", postgres_place},
                                         Where{"inline", postgres_place, true}),
                         where_name);

}  // namespace
}  // namespace atelier::store
