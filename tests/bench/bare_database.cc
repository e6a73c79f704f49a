#include "tests/bench/bare_database.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "crds/meta.h"
#include "tests/bench/figures.h"
#include "tests/bench/objects.h"

namespace atelier::bench {
namespace {

constexpr const char* sqlite_tables = R"sql(
PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
CREATE TABLE IF NOT EXISTS counter (one INTEGER PRIMARY KEY, revision INTEGER);
INSERT OR IGNORE INTO counter VALUES (1, 0);
CREATE TABLE IF NOT EXISTS objects (id INTEGER PRIMARY KEY, resource TEXT, ns TEXT, name TEXT,
    revision INTEGER, body TEXT, UNIQUE (resource, ns, name));
CREATE TABLE IF NOT EXISTS log (revision INTEGER PRIMARY KEY, resource TEXT, ns TEXT, name TEXT,
    body TEXT))sql";

constexpr const char* postgres_tables = R"sql(
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS bare CASCADE; CREATE SCHEMA bare; CREATE SEQUENCE bare.revisions;
CREATE TABLE bare.objects (resource text, ns text, name text, revision bigint, body text,
    PRIMARY KEY (resource, ns, name));
CREATE TABLE bare.log (revision bigint PRIMARY KEY, resource text, ns text, name text,
    body text))sql";

constexpr const char* postgres_create = R"sql(
WITH made AS (INSERT INTO bare.objects VALUES ('workspaces', 'default', $1,
    nextval('bare.revisions'), $2) RETURNING revision)
INSERT INTO bare.log SELECT revision, 'workspaces', 'default', $1, $2 FROM made)sql";

class Sqlite {
  public:
    explicit Sqlite(const std::filesystem::path& file) { check(sqlite3_open(file.c_str(), &db_)); }
    ~Sqlite() {
        for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
        sqlite3_close(db_);
    }
    Sqlite(const Sqlite&) = delete;
    Sqlite& operator=(const Sqlite&) = delete;

    void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
    sqlite3_stmt* prepare(const char* sql) {
        sqlite3_stmt* statement = nullptr;
        check(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
        statements_.push_back(statement);
        return statement;
    }
    void step(sqlite3_stmt* statement) {
        check(sqlite3_step(statement));
        sqlite3_reset(statement);
    }

  private:
    void check(int result) {
        if (result == SQLITE_OK || result == SQLITE_DONE) return;
        fmt::print(stderr, "SQLite: {}\n", sqlite3_errmsg(db_));
        std::exit(1);
    }
    sqlite3* db_ = nullptr;
    std::vector<sqlite3_stmt*> statements_;
};

class Postgres {
  public:
    explicit Postgres(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
        if (PQstatus(connection_) != CONNECTION_OK) fail();
    }
    ~Postgres() { PQfinish(connection_); }
    Postgres(const Postgres&) = delete;
    Postgres& operator=(const Postgres&) = delete;

    void run(const char* sql) { take(PQexec(connection_, sql)); }
    void prepare(const char* sql) { take(PQprepare(connection_, "create", sql, 2, nullptr)); }
    void create(const std::string& name, const std::string& body) {
        const char* values[] = {name.c_str(), body.c_str()};
        take(PQexecPrepared(connection_, "create", 2, values, nullptr, nullptr, 0));
    }

  private:
    void take(PGresult* result) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) fail();
        PQclear(result);
    }
    [[noreturn]] void fail() {
        fmt::print(stderr, "PostgreSQL: {}\n", PQerrorMessage(connection_));
        std::exit(1);
    }
    PGconn* connection_;
};

}  // namespace

double bare_sqlite(const std::filesystem::path& file, int creates, int group) {
    Sqlite db(file);
    db.run(sqlite_tables);
    sqlite3_stmt* count = db.prepare("UPDATE counter SET revision = revision + 1");
    sqlite3_stmt* object = db.prepare(
        "INSERT INTO objects (resource, ns, name, revision, body) VALUES ('workspaces.atelier.dev',"
        " 'default', ?1, (SELECT revision FROM counter), ?2)");
    sqlite3_stmt* log = db.prepare(
        "INSERT INTO log (revision, resource, ns, name, body) VALUES ((SELECT revision FROM "
        "counter), 'workspaces.atelier.dev', 'default', ?1, ?2)");
    const auto begin = Steady::now();
    for (int i = 0; i < creates; ++i) {
        const std::string name = fmt::format("bare-{}-{}", begin.time_since_epoch().count(), i);
        const std::string body = workspace_body(name).with(i + 1);
        if (i % group == 0) db.run("BEGIN IMMEDIATE");
        db.step(count);
        for (sqlite3_stmt* statement : {object, log}) {
            sqlite3_bind_text(statement, 1, name.data(), static_cast<int>(name.size()),
                              SQLITE_STATIC);
            sqlite3_bind_text(statement, 2, body.data(), static_cast<int>(body.size()),
                              SQLITE_STATIC);
            db.step(statement);
        }
        if (i % group == group - 1 || i == creates - 1) db.run("COMMIT");
    }
    return creates / seconds_since(begin);
}

double bare_postgres(const std::string& url, int creates, int connections) {
    Postgres(url).run(postgres_tables);
    std::vector<std::unique_ptr<Postgres>> open;
    for (int i = 0; i < connections; ++i) {
        open.push_back(std::make_unique<Postgres>(url));
        open.back()->prepare(postgres_create);
    }
    const auto begin = Steady::now();
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < connections; ++t) {
            threads.emplace_back([&, t] {
                for (int i = t; i < creates; i += connections) {
                    const std::string name = fmt::format("bare-{}", i);
                    open[static_cast<std::size_t>(t)]->create(name,
                                                              workspace_body(name).with(i + 1));
                }
            });
        }
    }
    return creates / seconds_since(begin);
}

}  // namespace atelier::bench
