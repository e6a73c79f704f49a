#include "store/schema.h"

#include <fmt/format.h>

namespace atelier::store {
namespace {

// A body is JSON in `body`, or sealed in `sealed` under the key `key_id`; never both.
std::vector<std::string> first_sqlite() {
    return {
        R"sql(CREATE TABLE counter (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            revision INTEGER NOT NULL))sql",
        R"sql(CREATE TABLE objects (
            id INTEGER PRIMARY KEY,
            resource TEXT NOT NULL,
            ns TEXT NOT NULL,
            name TEXT NOT NULL,
            uid TEXT NOT NULL,
            revision INTEGER NOT NULL,
            body TEXT,
            sealed BLOB,
            key_id TEXT,
            UNIQUE (resource, ns, name)))sql",
        R"sql(CREATE TABLE log (
            revision INTEGER PRIMARY KEY,
            change TEXT NOT NULL CHECK (change IN ('added', 'modified', 'deleted')),
            resource TEXT NOT NULL,
            ns TEXT NOT NULL,
            name TEXT NOT NULL,
            at TEXT NOT NULL,
            previous INTEGER,
            body TEXT,
            sealed BLOB,
            key_id TEXT,
            previous_body TEXT,
            previous_sealed BLOB,
            previous_key_id TEXT))sql",
        "CREATE INDEX log_previous ON log (previous) WHERE previous IS NOT NULL",
        "INSERT INTO counter (one, revision) VALUES (1, 0)",
        "INSERT INTO meta (name, value) VALUES ('trimmed', '0')",
    };
}

// COLLATE "C" compares bytes, whatever the locale of the database is.
std::vector<std::string> first_postgres() {
    return {
        R"sql(CREATE TABLE counter (
            one integer PRIMARY KEY CHECK (one = 1),
            revision bigint NOT NULL) WITH (fillfactor = 10))sql",
        R"sql(CREATE TABLE objects (
            resource text COLLATE "C" NOT NULL,
            ns text COLLATE "C" NOT NULL,
            name text COLLATE "C" NOT NULL,
            uid text NOT NULL,
            revision bigint NOT NULL,
            body text,
            sealed bytea,
            key_id text,
            PRIMARY KEY (resource, ns, name)) WITH (fillfactor = 80))sql",
        R"sql(CREATE TABLE log (
            revision bigint PRIMARY KEY,
            change text NOT NULL CHECK (change IN ('added', 'modified', 'deleted')),
            resource text COLLATE "C" NOT NULL,
            ns text COLLATE "C" NOT NULL,
            name text COLLATE "C" NOT NULL,
            at timestamptz NOT NULL,
            previous bigint,
            body text,
            sealed bytea,
            key_id text,
            previous_body text,
            previous_sealed bytea,
            previous_key_id text))sql",
        "CREATE INDEX log_previous ON log (previous) WHERE previous IS NOT NULL",
        "INSERT INTO counter (one, revision) VALUES (1, 0)",
        "INSERT INTO meta (name, value) VALUES ('trimmed', '0')",
    };
}

}  // namespace

std::vector<std::string> migration(Dialect dialect, int version) {
    CHECK(version == 1);
    return dialect == Dialect::sqlite ? first_sqlite() : first_postgres();
}

Result<void> check_version(int found) {
    if (found <= schema_version) return {};
    return Error{Code::unsupported,
                 fmt::format("the database has schema version {}, this program knows {}: it was "
                             "used by a newer release; start that one, or restore a backup",
                             found, schema_version)};
}

}  // namespace atelier::store
