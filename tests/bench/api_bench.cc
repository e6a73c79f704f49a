// How fast the API is, over HTTP without TLS, beside its own server answering the same size with
// nothing done, and beside the bare database.
//
//   atelier_api_bench [--seconds N] [--rounds N] [--clients N] [--objects N] [--many N]
//                     [--watchers N,N] [--events N] [--postgres URL] [--folder PATH]
//
// --objects are stored while creates, gets, patches and lists are measured, --many for memory and
// the long list. The database of --postgres is used; the caller made it empty.
#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/text.h"
#include "tests/bench/bare_database.h"
#include "tests/bench/fan_out.h"
#include "tests/bench/http_client.h"
#include "tests/bench/objects.h"

namespace atelier::bench {
namespace {

constexpr std::string_view kinds = "/apis/atelier.dev/v1alpha1/namespaces";
constexpr std::size_t object_bytes = 700;

struct Settings {
    double seconds = 1;
    int rounds = 5;
    int clients = 32;
    int objects = 10'000;
    int many = 100'000;
    std::vector<int> watchers{1000, 5000};
    int events = 100;
    std::string postgres;
    std::filesystem::path folder = std::filesystem::temp_directory_path();
};

class Clients {
  public:
    Clients(const Server& server, int clients) {
        for (int i = 0; i < clients; ++i) {
            clients_.push_back(std::make_unique<Client>(server.port()));
        }
    }
    Client& operator[](int i) { return *clients_[static_cast<std::size_t>(i)]; }

  private:
    std::vector<std::unique_ptr<Client>> clients_;
};

using One = std::function<void(Client&, int)>;
using BareDatabase = std::function<double()>;  // creates a second

// One operation beside the bare server and, where it writes, the bare database.
void compare(std::string_view name, const Server& server, const Settings& settings, int clients,
             const One& one, std::size_t answer_bytes, const BareDatabase& database = {}) {
    Clients pool(server, clients);
    Rounds rounds{fmt::format("{}, {} client{}", name, clients, clients == 1 ? "" : "s")};
    const std::string bare = fmt::format("/bare/{}", answer_bytes);
    for (int round = 0; round < settings.rounds; ++round) {
        const auto run = [&](const One& what) {
            return measure(server.process(), clients, settings.seconds, 0,
                           [&](int worker, int number) { what(pool[worker], number); });
        };
        rounds.add(run(one));
        if (database) rounds.beside("the bare database", database());
        const Rate plain = run([&](Client& client, int) { CHECK(client.ask("GET", bare) == 200); });
        rounds.beside("a bare answer of that size", plain.per_second);
    }
    rounds.print();
}

void measure_list(const Server& server, const Settings& settings) {
    const std::string target = fmt::format("{}/stored/workspaces", kinds);
    std::size_t bytes = 0;
    const auto list = [&](Client& client, int) {
        CHECK(client.ask("GET", target) == 200);
        bytes = client.body().size();
    };
    Client first(server.port());
    list(first, 0);
    compare(fmt::format("list of {:.1f} MB", static_cast<double>(bytes) / 1e6), server, settings, 1,
            list, bytes);
}

void measure_verbs(const Server& server, const Settings& settings, const BareDatabase& alone,
                   const BareDatabase& together) {
    std::atomic<int> made{0};
    const std::string created = fmt::format("{}/default/workspaces", kinds);
    const std::string stored = fmt::format("{}/stored/workspaces", kinds);
    const One create = [&](Client& client, int) {
        const std::string name = fmt::format("made-{}", made.fetch_add(1));
        CHECK(client.ask("POST", created, workspace_json(name)) == 201);
    };
    compare("create", server, settings, settings.clients, create, object_bytes, together);
    compare("create", server, settings, 1, create, object_bytes, alone);
    compare(
        "get", server, settings, settings.clients,
        [&](Client& client, int number) {
            const int at = number % settings.objects;
            CHECK(client.ask("GET", fmt::format("{}/w-{}", stored, at)) == 200);
        },
        object_bytes);
    std::atomic<int> patched{0};
    compare(
        "merge patch", server, settings, settings.clients,
        [&](Client& client, int) {
            const int n = patched.fetch_add(1);
            const std::string patch =
                fmt::format(R"({{"metadata":{{"annotations":{{"n":"{}"}}}}}})", n);
            CHECK(client.ask("PATCH", fmt::format("{}/w-{}", stored, n % settings.objects), patch,
                             "application/merge-patch+json") == 200);
        },
        object_bytes, together);
    measure_list(server, settings);
}

void measure_many(const Settings& settings, const std::string& url) {
    fmt::print("\n{} objects stored\n", settings.many);
    {
        const Server server(url, settings.many);
        line("resident after they were written",
             fmt::format("{:.0f} MB", resident_bytes(server.process()) / 1e6));
    }
    const Server server(url, settings.many);
    line("resident after kill -9 and start",
         fmt::format("{:.0f} MB", resident_bytes(server.process()) / 1e6));
    line("start until it serves", fmt::format("{:.2f} s", server.seconds_to_serve()));
    measure_list(server, settings);
}

void run(const Settings& settings, const std::filesystem::path& folder) {
    const int creates = std::max(100, settings.objects / 10);
    const auto sqlite = [&](int of_one) {
        return [&, of_one] {
            const auto file = folder / fmt::format("bare{}.db", of_one);
            return bare_sqlite(file, of_one == 1 ? std::max(20, creates / 4) : creates, of_one);
        };
    };
    {
        const Server server("sqlite:" + (folder / "api.db").string(), settings.objects);
        fmt::print(
            "\nThe API on SQLite, {} objects stored; the database: one writer, as many "
            "creates a transaction as clients\n",
            settings.objects);
        measure_verbs(server, settings, sqlite(1), sqlite(settings.clients));
        fmt::print("\nWatching, a kind with {} objects\n", settings.objects);
        for (const int watchers : settings.watchers) {
            measure_fan_out(server, watchers, settings.events, settings.rounds);
        }
    }
    if (!settings.postgres.empty()) {
        const Server server(settings.postgres, settings.objects);
        fmt::print("\nThe API on PostgreSQL; the database: as many connections as clients\n");
        const auto postgres = [&](int connections) {
            return
                [&, connections] { return bare_postgres(settings.postgres, creates, connections); };
        };
        measure_verbs(server, settings, postgres(1), postgres(settings.clients));
    }
    measure_many(settings, "sqlite:" + (folder / "many.db").string());
}

Settings parse(int count, char** arguments) {
    Settings settings;
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string name = arguments[i];
        const std::string value = arguments[i + 1];
        if (name == "--seconds") settings.seconds = std::stod(value);
        if (name == "--rounds") settings.rounds = std::stoi(value);
        if (name == "--clients") settings.clients = std::stoi(value);
        if (name == "--objects") settings.objects = std::stoi(value);
        if (name == "--many") settings.many = std::stoi(value);
        if (name == "--events") settings.events = std::stoi(value);
        if (name == "--postgres") settings.postgres = value;
        if (name == "--folder") settings.folder = value;
        if (name == "--watchers") {
            settings.watchers.clear();
            for (const auto& one : split(value, ',')) settings.watchers.push_back(std::stoi(one));
        }
    }
    return settings;
}

int main_of(const Settings& settings) {
    std::signal(SIGPIPE, SIG_IGN);
    std::string pattern = (settings.folder / "atelier-api-bench-XXXXXX").string();
    if (!mkdtemp(pattern.data())) {
        fmt::print(stderr, "no folder below {}\n", settings.folder.string());
        return 1;
    }
    run(settings, pattern);
    std::filesystem::remove_all(pattern);
    return 0;
}

}  // namespace
}  // namespace atelier::bench

int main(int count, char** arguments) {
    return atelier::bench::main_of(atelier::bench::parse(count, arguments));
}
