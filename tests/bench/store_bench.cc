// How fast the store is, in this process, beside the bare database in the same rounds.
//
//   atelier_store_bench [--objects N] [--rounds N] [--postgres URL] [--folder PATH]
//
// A ratio above 1 says that the store is faster: it commits what waits together. The database of
// --postgres is used; the caller made it empty.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "store/open.h"
#include "tests/bench/bare_database.h"
#include "tests/bench/figures.h"
#include "tests/bench/objects.h"

namespace atelier::bench {
namespace {

constexpr int writers = 32;

struct Settings {
    int objects = 10'000;
    int rounds = 5;
    std::string postgres;
    std::filesystem::path folder = std::filesystem::temp_directory_path();
};

template <class T>
T must(Result<T> result) {
    if (!result) {
        fmt::print(stderr, "{} ({})\n", result.error().message, result.error().detail);
        std::exit(1);
    }
    return *std::move(result);
}

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

Rate creates(store::Store& store, int threads, int most, const std::string& prefix) {
    return measure(getpid(), threads, 3600, most, [&](int, int number) {
        const std::string name = fmt::format("{}-{}", prefix, number);
        must(write_and_wait(
            store, {store::Write::Kind::create, workspace_key(name), workspace_body(name), 0}));
    });
}

void bench_sqlite(const Settings& settings, const std::filesystem::path& folder) {
    const int alone = std::max(20, settings.objects / 40);
    Rounds together(fmt::format("creates, {} writers", writers));
    Rounds single("creates, 1 writer");
    Opened opened("sqlite:" + (folder / "store.db").string());
    for (int round = 0; round < settings.rounds; ++round) {
        together.add(creates(*opened.store, writers, settings.objects, fmt::format("r{}", round)));
        together.beside(fmt::format("the database, {} a transaction", writers),
                        bare_sqlite(folder / "grouped.db", settings.objects, writers));
        single.add(creates(*opened.store, 1, alone, fmt::format("alone{}", round)));
        const double bare = bare_sqlite(folder / "bare.db", alone, 1);
        together.beside("the database, one a transaction", bare);
        single.beside("the database, one a transaction", bare);
    }
    fmt::print("\nThe store on SQLite\n");
    together.print();
    single.print();
}

void bench_postgres(const Settings& settings) {
    const int alone = std::max(20, settings.objects / 40);
    Rounds together(fmt::format("creates, {} writers", writers));
    Rounds single("creates, 1 writer");
    Opened opened(settings.postgres);
    for (int round = 0; round < settings.rounds; ++round) {
        together.add(creates(*opened.store, writers, settings.objects, fmt::format("r{}", round)));
        together.beside(fmt::format("the database, {} connections", writers),
                        bare_postgres(settings.postgres, settings.objects, writers));
        single.add(creates(*opened.store, 1, alone, fmt::format("alone{}", round)));
        single.beside("the database, 1 connection", bare_postgres(settings.postgres, alone, 1));
    }
    fmt::print("\nThe store on PostgreSQL\n");
    together.print();
    single.print();
}

void bench_memory(const Settings& settings) {
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    const auto store =
        must(store::open({.url = "memory:", .commit_inline = true}, clock, random, metrics, Log()));
    fmt::print("\nThe store without a disk, {} objects\n", settings.objects);
    Rounds made("creates, 1 writer, committing inline");
    made.add(creates(*store, 1, settings.objects, "m"));
    made.print();
    std::vector<Key> keys;
    const std::string resource = workspace_key("").resource;
    const auto all = store->list(resource);
    for (const auto& object : all->objects) keys.push_back(object->key);
    const auto key = [&](int i) { return keys[static_cast<std::size_t>(i) * 7919 % keys.size()]; };
    constexpr int gets = 1'000'000;
    auto begin = Steady::now();
    std::size_t found = 0;
    for (int i = 0; i < gets; ++i) found += store->get(key(i)) != nullptr;
    CHECK(found == gets);
    line("get, 1 thread", fmt::format("{:.0f}/s", gets / seconds_since(begin)));
    const int changes = std::max(10, settings.objects / 5);
    begin = Steady::now();
    for (int i = 0; i < changes; ++i) {
        const auto seen = store->get(key(i));
        must(write_and_wait(*store, {store::Write::Kind::remove, seen->key, {}, seen->revision}));
        must(write_and_wait(
            *store, {store::Write::Kind::create, seen->key, workspace_body(seen->key.name), 0}));
        static_cast<void>(store->list(resource));
    }
    line("remove, create and list again",
         fmt::format("{:.1f} us", seconds_since(begin) / changes * 1e6));
}

void bench_size(const Settings& settings, const std::filesystem::path& folder) {
    const std::string url = "sqlite:" + (folder / "large.db").string();
    const int objects = settings.objects * 10;
    fill(*Opened(url).store, objects, "default");
    const double before = resident_bytes(getpid());
    const double cpu = cpu_seconds(getpid());
    const auto begin = Steady::now();
    const Opened opened(url);
    line(fmt::format("opening {} objects", objects),
         fmt::format("{:.0f} ms, cpu {:.0f} ms, {:.0f} bytes each in memory",
                     seconds_since(begin) * 1e3, (cpu_seconds(getpid()) - cpu) * 1e3,
                     (resident_bytes(getpid()) - before) / objects));
}

Settings parse(int count, char** arguments) {
    Settings settings;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string_view option = arguments[i];
        if (option == "--objects") settings.objects = std::stoi(arguments[i + 1]);
        if (option == "--rounds") settings.rounds = std::stoi(arguments[i + 1]);
        if (option == "--postgres") settings.postgres = arguments[i + 1];
        if (option == "--folder") settings.folder = arguments[i + 1];
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
    bench_sqlite(settings, folder);
    if (!settings.postgres.empty()) bench_postgres(settings);
    bench_memory(settings);
    bench_size(settings, folder);
    std::filesystem::remove_all(folder);
    return 0;
}

}  // namespace
}  // namespace atelier::bench

int main(int count, char** arguments) {
    return atelier::bench::run(atelier::bench::parse(count, arguments));
}
