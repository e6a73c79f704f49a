// How fast the store is, against what the same machine can do in the same minute.
//
//   atelier_store_bench [--objects N] [--rounds N] [--postgres URL] [--folder PATH]
//
// Durable creates by 32 writers are interleaved with a bare loop over SQLite that writes the same
// rows, one transaction each; a ratio above 1 says that the store is faster. With --postgres, the
// database named is used in a schema that the caller has made empty.
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "base/json.h"
#include "store/open.h"

namespace atelier {
namespace {

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point begin) {
    return std::chrono::duration<double>(Steady::now() - begin).count();
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    double pages = 0;
    statm >> pages >> pages;
    return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

struct Settings {
    int objects = 10'000;
    int rounds = 3;
    std::string postgres;
    std::filesystem::path folder = std::filesystem::temp_directory_path();
};

// About half a kilobyte, as the published measurements of other API servers have it.
crds::Body body_of(const std::string& name) {
    json::Document object(rapidjson::kObjectType);
    auto& allocator = object.GetAllocator();
    json::set(object, "apiVersion", "atelier.dev/v1alpha1", allocator);
    json::set(object, "kind", "Workspace", allocator);
    crds::Meta meta;
    meta.name = name;
    meta.ns = "default";
    meta.uid = "11111111-1111-4111-8111-111111111111";
    meta.generation = 1;
    meta.labels = {{"atelier.dev/org", "acme"}, {"atelier.dev/tier", "production"}};
    json::set(object, "metadata", crds::write_meta(meta, allocator), allocator);
    json::Value spec(rapidjson::kObjectType);
    json::set(spec, "role", std::string(300, 'r'), allocator);
    json::set(object, "spec", std::move(spec), allocator);
    return crds::encode_body(object);
}

Key key_of(const std::string& name) {
    return {"workspaces.atelier.dev", "default", name};
}

template <class T>
T must(Result<T> result) {
    if (!result) {
        fmt::print(stderr, "{} ({})\n", result.error().message, result.error().detail);
        std::exit(1);
    }
    return *std::move(result);
}

struct Rate {
    double per_second = 0;
    double cpu_micros = 0;  // of this process, an operation
    double p50_ms = 0;
    double p99_ms = 0;
};

struct Opened {
    explicit Opened(const std::string& url) {
        store = must(store::open({.url = url, .encryption_key = std::string(32, 'k')}, clock,
                                 random, metrics, Log()));
    }
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    std::unique_ptr<store::Store> store;
};

Rate creates(store::Store& store, int writers, int each, const std::string& prefix) {
    std::vector<std::vector<double>> latencies(static_cast<std::size_t>(writers));
    std::vector<std::thread> threads;
    const double cpu = cpu_seconds();
    const auto begin = Steady::now();
    for (int t = 0; t < writers; ++t) {
        threads.emplace_back([&, t] {
            auto& own = latencies[static_cast<std::size_t>(t)];
            for (int i = 0; i < each; ++i) {
                const std::string name = fmt::format("{}-{}-{}", prefix, t, i);
                const auto start = Steady::now();
                must(write_and_wait(store,
                                    {store::Write::Kind::create, key_of(name), body_of(name), 0}));
                own.push_back(seconds_since(start) * 1000);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    const double took = seconds_since(begin);
    std::vector<double> all;
    for (const auto& own : latencies) all.insert(all.end(), own.begin(), own.end());
    std::sort(all.begin(), all.end());
    const double n = static_cast<double>(all.size());
    return {n / took, (cpu_seconds() - cpu) / n * 1e6, all[all.size() / 2],
            all[all.size() * 99 / 100]};
}

// The same three rows a create, as few calls as SQLite allows, `group` of them a transaction.
double bare_sqlite(const std::filesystem::path& file, int n, int group) {
    sqlite3* db = nullptr;
    const auto check = [&](int result) {
        if (result == SQLITE_OK || result == SQLITE_DONE) return;
        fmt::print(stderr, "SQLite: {}\n", sqlite3_errmsg(db));
        std::exit(1);
    };
    const auto run = [&](const char* sql) {
        check(sqlite3_exec(db, sql, nullptr, nullptr, nullptr));
    };
    check(sqlite3_open(file.c_str(), &db));
    run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;"
        "CREATE TABLE IF NOT EXISTS counter (one INTEGER PRIMARY KEY, revision INTEGER);"
        "INSERT OR IGNORE INTO counter VALUES (1, 0);"
        "CREATE TABLE IF NOT EXISTS objects (id INTEGER PRIMARY KEY, resource TEXT, ns TEXT, name "
        "TEXT, revision INTEGER, body TEXT, UNIQUE (resource, ns, name));"
        "CREATE TABLE IF NOT EXISTS log (revision INTEGER PRIMARY KEY, resource TEXT, ns TEXT, "
        "name TEXT, body TEXT)");
    const auto prepare = [&](const char* sql) {
        sqlite3_stmt* statement = nullptr;
        check(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
        return statement;
    };
    sqlite3_stmt* count = prepare("UPDATE counter SET revision = revision + 1");
    sqlite3_stmt* object = prepare(
        "INSERT INTO objects (resource, ns, name, revision, body) VALUES ('workspaces.atelier.dev',"
        " 'default', ?1, (SELECT revision FROM counter), ?2)");
    sqlite3_stmt* line = prepare(
        "INSERT INTO log (revision, resource, ns, name, body) VALUES ((SELECT revision FROM "
        "counter), 'workspaces.atelier.dev', 'default', ?1, ?2)");
    const auto begin = Steady::now();
    for (int i = 0; i < n; ++i) {
        const std::string name = fmt::format("bare-{}-{}", begin.time_since_epoch().count(), i);
        const std::string body = body_of(name).with(i + 1);
        if (i % group == 0) run("BEGIN IMMEDIATE");
        check(sqlite3_step(count));
        sqlite3_reset(count);
        for (sqlite3_stmt* statement : {object, line}) {
            sqlite3_bind_text(statement, 1, name.data(), static_cast<int>(name.size()),
                              SQLITE_STATIC);
            sqlite3_bind_text(statement, 2, body.data(), static_cast<int>(body.size()),
                              SQLITE_STATIC);
            check(sqlite3_step(statement));
            sqlite3_reset(statement);
        }
        if (i % group == group - 1 || i == n - 1) run("COMMIT");
    }
    const double took = seconds_since(begin);
    for (sqlite3_stmt* statement : {count, object, line}) sqlite3_finalize(statement);
    sqlite3_close(db);
    return n / took;
}

void print(const char* what, const Rate& rate) {
    fmt::print("{:<44} {:>9.0f}/s  cpu {:>6.1f} us  p50 {:>6.2f} ms  p99 {:>6.2f} ms\n", what,
               rate.per_second, rate.cpu_micros, rate.p50_ms, rate.p99_ms);
}

void bench_creates(const Settings& settings, const std::filesystem::path& folder) {
    std::vector<double> ratios;
    for (int round = 0; round < settings.rounds; ++round) {
        const int bare_n = std::max(500, settings.objects / 4);
        const double bare = bare_sqlite(folder / "bare.db", bare_n, 1);
        const double grouped = bare_sqlite(folder / "grouped.db", settings.objects, 32);
        Opened opened("sqlite:" + (folder / fmt::format("store{}.db", round)).string());
        const Rate through =
            creates(*opened.store, 32, settings.objects / 32, fmt::format("r{}", round));
        fmt::print("bare SQLite, one a transaction                {:>9.0f}/s\n", bare);
        fmt::print("bare SQLite, 32 a transaction                 {:>9.0f}/s\n", grouped);
        print("store on SQLite, 32 writers", through);
        print("store on SQLite, 1 writer", creates(*opened.store, 1, 500, "alone"));
        ratios.push_back(through.per_second / bare);
    }
    fmt::print("store with 32 writers / bare SQLite: {:.2f} (median of {})\n\n", median(ratios),
               ratios.size());
    if (settings.postgres.empty()) return;
    Opened opened(settings.postgres);
    const std::string prefix = fmt::format("p{}", Steady::now().time_since_epoch().count());
    print("store on PostgreSQL, 32 writers",
          creates(*opened.store, 32, settings.objects / 32, prefix));
    print("store on PostgreSQL, 1 writer", creates(*opened.store, 1, 500, prefix + "-alone"));
    fmt::print("\n");
}

void bench_reads(store::Store& store, int objects) {
    const std::string resource = "workspaces.atelier.dev";
    const auto list = store.list(resource);
    std::vector<Key> keys;
    for (const auto& object : list->objects) keys.push_back(object->key);
    std::size_t found = 0;
    auto begin = Steady::now();
    for (int i = 0; i < 1'000'000; ++i) {
        const auto at = static_cast<std::size_t>(i) * 7919 % keys.size();
        found += store.get(keys[at]) != nullptr;
    }
    fmt::print("get, one thread                               {:>9.0f}/s\n",
               static_cast<double>(found) / seconds_since(begin));
    begin = Steady::now();
    std::size_t bytes = 0;
    const auto snapshot = store.list(resource);
    const double listing = seconds_since(begin);
    std::string out;
    for (const auto& object : snapshot->objects) out += object->body;
    bytes = out.size();
    fmt::print("list of {}: {:.1f} us; its {:.1f} MB copied: {:.2f} ms\n", snapshot->objects.size(),
               listing * 1e6, static_cast<double>(bytes) / 1e6, seconds_since(begin) * 1e3);
    constexpr int changes = 2000;
    begin = Steady::now();
    for (int i = 0; i < changes; ++i) {
        const auto seen = store.get(keys[static_cast<std::size_t>(i) * 17 % keys.size()]);
        must(write_and_wait(store, {store::Write::Kind::remove, seen->key, {}, seen->revision}));
        must(write_and_wait(store,
                            {store::Write::Kind::create, seen->key, body_of(seen->key.name), 0}));
        (void)store.list(resource);
    }
    fmt::print("a change and a list after it, {} stored: {:.1f} us each\n", objects,
               seconds_since(begin) / (2 * changes) * 1e6);
}

void bench_size(const Settings& settings, const std::filesystem::path& folder) {
    const std::string url = "sqlite:" + (folder / "large.db").string();
    {
        Opened opened(url);
        (void)creates(*opened.store, 32, settings.objects * 10 / 32, "large");
    }
    const double before = resident_bytes();
    const auto begin = Steady::now();
    const double cpu = cpu_seconds();
    Opened opened(url);
    const double took = seconds_since(begin);
    const double worked = cpu_seconds() - cpu;
    const auto n =
        static_cast<double>(opened.store->list("workspaces.atelier.dev")->objects.size());
    fmt::print(
        "opening {:.0f} objects: {:.0f} ms (cpu {:.0f} ms); {:.0f} bytes each in memory ({} of "
        "body)\n",
        n, took * 1e3, worked * 1e3, (resident_bytes() - before) / n,
        body_of("large-1-1").text.size());
}

Settings parse(int argc, char** argv) {
    Settings settings;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view option = argv[i];
        if (option == "--objects") settings.objects = std::atoi(argv[i + 1]);
        if (option == "--rounds") settings.rounds = std::atoi(argv[i + 1]);
        if (option == "--postgres") settings.postgres = argv[i + 1];
        if (option == "--folder") settings.folder = argv[i + 1];
    }
    return settings;
}

int run(const Settings& settings) {
    std::string pattern = (settings.folder / "atelier-store-bench-XXXXXX").string();
    if (!mkdtemp(pattern.data())) {
        fmt::print(stderr, "no folder below {}\n", settings.folder.string());
        return 1;
    }
    const std::filesystem::path folder = pattern;
    bench_creates(settings, folder);
    {
        SystemClock clock;
        SystemRandom random;
        Metrics metrics;
        const auto store = must(
            store::open({.url = "memory:", .commit_inline = true}, clock, random, metrics, Log()));
        print("store in memory, committing inline", creates(*store, 1, settings.objects, "m"));
        bench_reads(*store, settings.objects);
    }
    bench_size(settings, folder);
    std::filesystem::remove_all(folder);
    return 0;
}

}  // namespace
}  // namespace atelier

int main(int argc, char** argv) {
    return atelier::run(atelier::parse(argc, argv));
}
