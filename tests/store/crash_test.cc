// Real processes that die, disks that fill, and servers that restart.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <thread>

#include "base/text.h"
#include "process.h"
#include "world.h"

namespace atelier::store {
namespace {

constexpr int child_threads = 8;

// Not a test: what the child of the tests below does. Eight threads write, each to objects of its
// own, and tell on descriptor 3 what was acknowledged: "name revision text", or "name revision -"
// for a removal.
TEST(Child, DISABLED_Writes) {
    const char* url = std::getenv("ATELIER_STORE_CHILD_URL");
    ASSERT_NE(url, nullptr);
    World world(place_at(url));
    must(world.open());
    std::vector<std::thread> threads;
    for (int t = 0; t < child_threads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0;; ++i) {
                const Key key = workspace(fmt::format("w{}-{}", t, i % 20));
                const ObjectPtr seen = world.store().get(key);
                const bool removes = seen && i % 7 == 0;
                const std::string text = fmt::format("text-{}-{}", getpid(), i);
                Write write = !seen     ? create(key, text)
                              : removes ? remove(key, seen->revision)
                                        : update(key, seen->revision, text);
                const ObjectPtr made = must(write_and_wait(world.store(), std::move(write)));
                const std::string line =
                    fmt::format("{} {} {}\n", key.name, made->revision, removes ? "-" : text);
                if (::write(3, line.data(), line.size()) < 0) return;
            }
        });
    }
    for (auto& thread : threads) thread.join();
}

struct Acknowledged {
    Revision revision = 0;
    std::string text;
};

class Crash : public testing::TestWithParam<Where> {};

TEST_P(Crash, Nothing_acknowledged_is_lost_when_the_process_is_killed) {
    const std::shared_ptr<Place> place = GetParam().make();
    if (!place) return skip_without_postgres();
    std::map<std::string, Acknowledged> acknowledged;
    Revision newest = 0;
    for (int round = 0; round < 6; ++round) {
        Child child("Child.DISABLED_Writes", {"ATELIER_STORE_CHILD_URL=" + place->url()});
        const auto take = [&](const std::string& line) {
            const auto parts = split(line, ' ');
            ASSERT_EQ(parts.size(), 3u) << line;
            const Revision revision = std::stoll(parts[1]);
            newest = std::max(newest, revision);
            Acknowledged& kept = acknowledged[parts[0]];
            // Lines of one object come from one thread, in order.
            ASSERT_GT(revision, kept.revision);
            kept = {revision, parts[2]};
        };
        for (int i = 0; i < 150 + 37 * round; ++i) take(child.read_line());
        child.kill_now();
        for (std::string line = child.read_line(); !line.empty(); line = child.read_line()) {
            take(line);
        }
        World world(place);
        world.options().events_kept = 1'000'000;
        must(world.open());
        int lost = 0;
        for (const auto& [name, a] : acknowledged) {
            const ObjectPtr found = world.store().get(workspace(name));
            // One write of each thread may have been committed without being acknowledged.
            const Revision seen = found ? found->revision : 0;
            if (seen == a.revision && text_of(*found) == a.text) continue;
            if (!found && a.text == "-") continue;
            const auto later =
                must(world.store().events("workspaces.atelier.dev", a.revision, 100'000));
            const bool overwritten = std::any_of(later.begin(), later.end(), [&](const auto& e) {
                return e->object->key.name == name;
            });
            if (!overwritten) ++lost;
        }
        EXPECT_EQ(lost, 0) << "of " << acknowledged.size();
        EXPECT_GE(world.store().revision(), newest);
        EXPECT_LE(world.store().revision(), newest + child_threads);
        // History and state agree: replaying one gives the other.
        std::map<Key, Revision> replayed;
        Revision expected = 0;
        for (const EventPtr& e :
             must(world.store().events("workspaces.atelier.dev", 0, 1'000'000))) {
            ASSERT_EQ(e->revision, ++expected);
            if (e->change == Change::deleted) {
                replayed.erase(e->object->key);
            } else {
                replayed[e->object->key] = e->revision;
            }
        }
        const SnapshotPtr list = world.store().list("workspaces.atelier.dev");
        ASSERT_EQ(list->objects.size(), replayed.size());
        for (const ObjectPtr& o : list->objects) ASSERT_EQ(replayed[o->key], o->revision);
    }
}

INSTANTIATE_TEST_SUITE_P(All, Crash,
                         testing::Values(Where{"sqlite", sqlite_place},
                                         Where{"postgres", postgres_place}),
                         where_name);

bool required() {
    const char* value = std::getenv("ATELIER_TEST_REQUIRE");
    return value && std::string_view(value) == "1";
}

// A file system of two megabytes.
class SmallDisk final : public Place {
  public:
    SmallDisk() { mounted_ = mount("none", folder_.path().c_str(), "tmpfs", 0, "size=2m") == 0; }
    ~SmallDisk() override {
        if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
    }
    bool mounted() const { return mounted_; }
    std::string url() const override {
        return "sqlite:" + (folder_.path() / "atelier.db").string();
    }
    std::vector<std::string> query(const std::string&) override { return {}; }
    void grow() {
        EXPECT_EQ(mount("none", folder_.path().c_str(), "tmpfs", MS_REMOUNT, "size=64m"), 0);
    }

  private:
    Folder folder_;
    bool mounted_ = false;
};

TEST(DiskFull, Writes_are_refused_and_everything_agreed_stays) {
    const auto disk = std::make_shared<SmallDisk>();
    if (!disk->mounted()) {
        if (required()) FAIL() << "a file system of its own can only be mounted by root";
        GTEST_SKIP() << "a file system of its own can only be mounted by root";
    }
    World world(disk);
    must(world.open());
    const std::string large(20'000, 'x');
    int stored = 0;
    Result<ObjectPtr> last = Error{Code::internal, "none"};
    for (int i = 0; i < 500; ++i) {
        last = write_and_wait(world.store(), create(workspace(fmt::format("w{}", i)), large));
        if (!last) break;
        ++stored;
    }
    ASSERT_EQ(code_of(last), Code::exhausted);
    EXPECT_EQ(code_of(world.store().healthy()), Code::exhausted);
    EXPECT_GT(stored, 5);
    EXPECT_EQ(world.store().revision(), stored);
    EXPECT_EQ(world.store().list("workspaces.atelier.dev")->objects.size(),
              static_cast<std::size_t>(stored));
    must(world.open());
    EXPECT_EQ(world.store().list("workspaces.atelier.dev")->objects.size(),
              static_cast<std::size_t>(stored));
    disk->grow();
    const std::string next = fmt::format("w{}", stored);
    EXPECT_EQ(must(write_and_wait(world.store(), create(workspace(next), large)))->revision,
              stored + 1);
    must(world.store().healthy());
}

TEST(PostgresRestart, Writes_fail_with_unavailable_and_then_go_on) {
    if (test_postgres().empty()) return skip_without_postgres();
    const auto server = PostgresServer::start();
    ASSERT_NE(server, nullptr) << "initdb and pg_ctl of PostgreSQL are needed";
    World world{std::shared_ptr<Place>(postgres_place_at(server->url()))};
    must(world.open());
    Store& store = world.store();
    std::atomic<bool> stop = false;
    std::atomic<int> acknowledged = 0;
    std::atomic<int> unavailable = 0;
    std::mutex mutex;
    std::map<std::string, Revision> kept;
    std::vector<std::thread> writers;
    for (int t = 0; t < 4; ++t) {
        writers.emplace_back([&, t] {
            for (int i = 0; !stop; ++i) {
                const Key key = workspace(fmt::format("w{}-{}", t, i));
                auto answer = write_and_wait(store, create(key));
                if (answer) {
                    ++acknowledged;
                    const std::lock_guard lock(mutex);
                    kept[key.name] = (*answer)->revision;
                } else {
                    EXPECT_EQ(answer.error().code, Code::unavailable) << answer.error().message;
                    ++unavailable;
                }
            }
        });
    }
    const auto wait_for = [](const std::function<bool()>& done) {
        for (int i = 0; i < 1200 && !done(); ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(25));
        }
        ASSERT_TRUE(done());
    };
    for (int round = 0; round < 3; ++round) {
        const int before = acknowledged;
        wait_for([&] { return acknowledged > before + 50; });
        server->stop_immediately();
        const int failed = unavailable;
        wait_for([&] { return unavailable > failed + 5; });
        EXPECT_EQ(code_of(store.healthy()), Code::unavailable);
        const SnapshotPtr list = store.list("workspaces.atelier.dev");
        EXPECT_GE(list->objects.size(), static_cast<std::size_t>(before)) << "reads go on";
        server->start_again();
        const int again = acknowledged;
        wait_for([&] { return acknowledged > again + 50; });
        must(store.healthy());
    }
    stop = true;
    for (auto& writer : writers) writer.join();
    const auto check = [&] {
        for (const auto& [name, revision] : kept) {
            const ObjectPtr found = world.store().get(workspace(name));
            ASSERT_NE(found, nullptr) << name;
            ASSERT_EQ(found->revision, revision);
        }
    };
    check();
    const auto events = must(store.events("workspaces.atelier.dev", 0, 1'000'000));
    for (std::size_t i = 0; i < events.size(); ++i) {
        ASSERT_EQ(events[i]->revision, static_cast<Revision>(i) + 1);
    }
    const std::size_t objects = store.list("workspaces.atelier.dev")->objects.size();
    must(world.open());
    check();
    EXPECT_EQ(world.store().list("workspaces.atelier.dev")->objects.size(), objects)
        << "what was written without an answer was seen before the restart, too";
}

TEST(PostgresRestart, A_lost_connection_costs_no_write) {
    const std::shared_ptr<Place> place = postgres_place();
    if (!place) return skip_without_postgres();
    World world(place);
    must(world.open());
    for (int i = 0; i < 5; ++i) {
        must(write_and_wait(world.store(), create(workspace(fmt::format("w{}", i)))));
        // The server ends the session, as after a time-out of a proxy.
        const auto ended = place->query(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND "
            "objid::bigint = (hashtext(current_schema())::bigint & 4294967295) AND granted");
        ASSERT_EQ(ended, std::vector<std::string>{"t"});
    }
    EXPECT_EQ(world.store().revision(), 5);
}

}  // namespace
}  // namespace atelier::store
