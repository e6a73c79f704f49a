// Whether the store stays as large as it is under steady writes: memory and database must be flat
// in the second half of the run, though there is never a quiet moment.
//
//   atelier_store_soak [--seconds N] [--rate N] [--objects N] [--bytes N] [--folder PATH]
//
// Runs an hour unless told otherwise. History is kept for a sixth of the run, and for ten minutes
// at most, so that a short run sees it trimmed, too. Ends with 1 when the second half grew by more
// than a tenth.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "store/open.h"
#include "tests/bench/figures.h"
#include "tests/bench/objects.h"

namespace atelier::bench {
namespace {

constexpr int samples = 12;
constexpr double most_growth = 1.1;

struct Settings {
    double seconds = 3600;
    int rate = 100;     // writes a second
    int objects = 200;  // that are written in turn
    std::size_t bytes = 2000;
    std::filesystem::path folder = std::filesystem::temp_directory_path();
};

struct Sample {
    double memory = 0;    // MiB
    double database = 0;  // MiB, with the write-ahead log
};

double mebibytes_of(const std::filesystem::path& database) {
    double bytes = 0;
    for (const std::string_view end : {"", "-wal"}) {
        std::error_code absent;
        const auto size = std::filesystem::file_size(database.string() + std::string(end), absent);
        if (!absent) bytes += static_cast<double>(size);
    }
    return bytes / (1 << 20);
}

crds::Body padded(const std::string& name, int round, std::size_t bytes) {
    auto object = json::parse(workspace_json(name));
    CHECK(object);
    auto& allocator = object->GetAllocator();
    json::Value& metadata = json::object_at(*object, "metadata", allocator);
    json::set(metadata, "namespace", "default", allocator);
    json::set(json::object_at(metadata, "annotations", allocator), "round",
              std::to_string(round) + std::string(bytes, 'x'), allocator);
    return crds::encode_body(*object);
}

void write_one(store::Store& store, const Settings& settings, int number) {
    const std::string name = fmt::format("w-{}", number % settings.objects);
    const auto seen = store.get(workspace_key(name));
    store::Write write{store::Write::Kind::create, workspace_key(name),
                       padded(name, number, settings.bytes), 0};
    if (seen) {
        write.kind = store::Write::Kind::update;
        write.expected = seen->revision;
    }
    const auto written = store::write_and_wait(store, std::move(write));
    if (written) return;
    fmt::print(stderr, "{}\n", written.error().message);
    std::exit(1);
}

std::vector<Sample> soak(const Settings& settings, const std::filesystem::path& database) {
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    store::Options options{.url = "sqlite:" + database.string(),
                           .encryption_key = std::string(32, 'k')};
    const auto age = std::chrono::duration<double>(settings.seconds / 6);
    options.history_kept =
        std::min(options.history_kept, std::chrono::duration_cast<Duration>(age));
    const auto opened = store::open(options, clock, random, metrics, Log());
    CHECK(opened);
    std::vector<Sample> taken;
    const auto begin = Steady::now();
    int number = 0;
    while (taken.size() < samples) {
        write_one(**opened, settings, number++);
        const double next = static_cast<double>(number) / settings.rate;
        const double elapsed = seconds_since(begin);
        if (next > elapsed) {
            std::this_thread::sleep_for(std::chrono::duration<double>(next - elapsed));
        }
        if (elapsed * samples < settings.seconds * static_cast<double>(taken.size() + 1)) continue;
        taken.push_back({resident_bytes(getpid()) / (1 << 20), mebibytes_of(database)});
        fmt::print("{:6.0f} s {:8} writes {:8.1f} MiB of memory {:8.1f} MiB of database\n", elapsed,
                   number, taken.back().memory, taken.back().database);
    }
    return taken;
}

bool is_flat(const std::vector<Sample>& taken, std::string_view what, double Sample::*figure) {
    const auto largest = [&](std::size_t from, std::size_t to) {
        double most = 0;
        for (std::size_t i = from; i < to; ++i) most = std::max(most, taken[i].*figure);
        return most;
    };
    const double first = largest(0, taken.size() / 2);
    const double second = largest(taken.size() / 2, taken.size());
    const bool flat = second <= first * most_growth;
    fmt::print("{}: {:.1f} MiB in the first half, {:.1f} MiB in the second: {}\n", what, first,
               second, flat ? "flat" : "it grows");
    return flat;
}

Settings parse(int count, char** arguments) {
    Settings settings;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string_view name = arguments[i];
        const char* value = arguments[i + 1];
        if (name == "--seconds") settings.seconds = std::atof(value);
        if (name == "--rate") settings.rate = std::max(1, std::atoi(value));
        if (name == "--objects") settings.objects = std::max(1, std::atoi(value));
        if (name == "--bytes") settings.bytes = static_cast<std::size_t>(std::atoll(value));
        if (name == "--folder") settings.folder = value;
    }
    return settings;
}

int run(const Settings& settings) {
    std::string folder = (settings.folder / "atelier-soak-XXXXXX").string();
    CHECK(mkdtemp(folder.data()));
    const auto taken = soak(settings, std::filesystem::path(folder) / "store.db");
    std::filesystem::remove_all(folder);
    const bool memory = is_flat(taken, "memory", &Sample::memory);
    const bool database = is_flat(taken, "database", &Sample::database);
    return memory && database ? 0 : 1;
}

}  // namespace
}  // namespace atelier::bench

int main(int count, char** arguments) {
    return atelier::bench::run(atelier::bench::parse(count, arguments));
}
