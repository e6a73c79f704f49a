#include "store/postgres_backend.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "store/change_names.h"
#include "store/postgres_array.h"
#include "store/postgres_session.h"
#include "store/schema.h"
#include "store/views.h"

namespace atelier::store {
namespace {

constexpr int rows_at_once = 5000;

// The whole transaction is one statement, and so one round trip. `moved` is empty when another
// writer moved the counter, or when this session does not hold the lock; then nothing else happens.
// Each line of the log carries in `expected` what must be in `objects`, when it is the last of the
// batch on its object. The division fails, and undoes everything, when a row was not as expected.
constexpr const char* commit_sql = R"sql(
WITH moved AS (
    UPDATE counter SET revision = $2::bigint
    WHERE one = 1 AND revision = $1::bigint AND pg_backend_pid() = $3::integer
    RETURNING revision),
line AS MATERIALIZED (
    SELECT * FROM unnest($4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::bigint[], $10::text[], $11::bytea[], $12::text[], $13::text[], $14::bytea[],
        $15::text[], $16::bigint[], $17::text[])
    AS l (revision, change, resource, ns, name, previous, body, sealed, key_id, previous_body,
        previous_sealed, previous_key_id, expected, uid)),
inserted AS (
    INSERT INTO objects (resource, ns, name, uid, revision, body, sealed, key_id)
    SELECT l.resource, l.ns, l.name, l.uid, l.revision, l.body, l.sealed, l.key_id
    FROM moved, line l WHERE l.expected = 0
    RETURNING 1),
updated AS (
    UPDATE objects o SET uid = l.uid, revision = l.revision, body = l.body, sealed = l.sealed,
        key_id = l.key_id
    FROM moved, line l
    WHERE l.expected > 0 AND l.change <> 'deleted' AND o.resource = l.resource AND o.ns = l.ns
        AND o.name = l.name AND o.revision = l.expected
    RETURNING 1),
deleted AS (
    DELETE FROM objects o USING moved, line l
    WHERE l.expected > 0 AND l.change = 'deleted' AND o.resource = l.resource AND o.ns = l.ns
        AND o.name = l.name AND o.revision = l.expected
    RETURNING 1),
logged AS (
    INSERT INTO log (revision, change, resource, ns, name, at, previous, body, sealed, key_id,
        previous_body, previous_sealed, previous_key_id)
    SELECT l.revision, l.change, l.resource, l.ns, l.name, $18::timestamptz, l.previous, l.body,
        l.sealed, l.key_id, l.previous_body, l.previous_sealed, l.previous_key_id
    FROM moved, line l
    RETURNING 1)
SELECT (SELECT count(*) FROM moved), pg_backend_pid(),
    1 / (CASE WHEN (SELECT count(*) FROM moved) = 0
        OR (SELECT count(*) FROM inserted) + (SELECT count(*) FROM updated)
            + (SELECT count(*) FROM deleted) = $19::bigint THEN 1 ELSE 0 END),
    (SELECT count(*) FROM logged))sql";

constexpr const char* objects_sql = R"sql(
SELECT resource, ns, name, revision, body, sealed, key_id FROM objects
WHERE (resource, ns, name) > ($1, $2, $3) ORDER BY resource, ns, name LIMIT $4)sql";

constexpr const char* log_sql = R"sql(
SELECT l.resource, l.ns, l.name, l.revision, l.change, coalesce(l.previous, 0), l.body, l.sealed,
    l.key_id, coalesce(l.previous_body, p.body), coalesce(l.previous_sealed, p.sealed),
    coalesce(l.previous_key_id, p.key_id)
FROM log l LEFT JOIN log p ON p.revision = l.previous AND p.revision <= $1
WHERE l.revision > $2 ORDER BY l.revision LIMIT $3)sql";

constexpr const char* trim_sql = R"sql(
DELETE FROM log WHERE revision IN (
    SELECT l.revision FROM log l WHERE l.revision <= $1 AND NOT EXISTS (
        SELECT 1 FROM log n WHERE n.previous = l.revision AND n.revision > $1)
    ORDER BY l.revision LIMIT $2))sql";

constexpr const char* set_meta_sql = R"sql(
INSERT INTO meta (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value)sql";

// A batch as the arrays of commit_sql.
struct Columns {
    explicit Columns(const Batch& batch) {
        std::vector<const Effect*> last(batch.log.size(), nullptr);
        for (const Effect& effect : batch.effects) last[effect.line] = &effect;
        for (std::size_t i = 0; i < batch.log.size(); ++i) add(batch.log[i], last[i]);
    }

    void add(const Entry& entry, const Effect* effect) {
        revision.add(entry.revision);
        change.add(name_of(entry.change));
        resource.add(entry.key->resource);
        ns.add(entry.key->ns);
        name.add(entry.key->name);
        if (entry.previous == 0) {
            previous.add_null();
        } else {
            previous.add(entry.previous);
        }
        add_content(content, entry.content);
        add_content(previous_content, entry.previous_content);
        if (effect) {
            expected.add(effect->expected);
            uid.add(effect->uid);
        } else {
            expected.add_null();
            uid.add_null();
        }
    }

    using Content3 = std::array<ArrayLiteral, 3>;  // body, sealed, key_id
    static void add_content(Content3& columns, const Content& content) {
        const bool sealed = !content.key_id.empty();
        if (content.bytes.empty()) {
            for (ArrayLiteral& column : columns) column.add_null();
        } else if (sealed) {
            columns[0].add_null();
            columns[1].add_bytes(content.bytes);
            columns[2].add(content.key_id);
        } else {
            columns[0].add(content.bytes);
            columns[1].add_null();
            columns[2].add_null();
        }
    }

    ArrayLiteral revision, change, resource, ns, name, previous, expected, uid;
    Content3 content, previous_content;
};

std::string bytes_of(const pqxx::field& text, const pqxx::field& sealed) {
    if (!text.is_null()) return std::string(text.c_str(), text.size());
    return sealed.is_null() ? std::string() : pqxx::binarystring(sealed).str();
}

std::string text_of(const pqxx::field& field) {
    return field.is_null() ? std::string() : std::string(field.c_str(), field.size());
}

Key key_of(const pqxx::row& row) {
    return {text_of(row[0]), text_of(row[1]), text_of(row[2])};
}

class PostgresBackend final : public Backend {
  public:
    explicit PostgresBackend(std::string url) : url_(std::move(url)) {}

    Result<void> prepare() { return connected(); }

    Result<Marks> marks() override {
        Marks marks;
        TRY(transact([&](pqxx::work& work) -> Result<void> {
            marks.newest = work.exec1("SELECT revision FROM counter")[0].as<Revision>();
            marks.trimmed = work.exec1("SELECT value::bigint FROM meta WHERE name = 'trimmed'")[0]
                                .as<Revision>();
            return {};
        }));
        return marks;
    }

    Result<void> read_objects(const std::function<Result<void>(StoredObject&&)>& visit) override {
        Key after;
        bool more = true;
        const auto read_some = [&](pqxx::work& work) -> Result<void> {
            const auto rows =
                work.exec_params(objects_sql, after.resource, after.ns, after.name, rows_at_once);
            more = rows.size() == rows_at_once;
            for (const pqxx::row& row : rows) {
                after = key_of(row);
                TRY(visit(
                    {after, row[3].as<Revision>(), bytes_of(row[4], row[5]), text_of(row[6])}));
            }
            return {};
        };
        while (more) TRY(transact(read_some));
        return {};
    }

    Result<void> read_log(Revision after,
                          const std::function<Result<void>(StoredEntry&&)>& visit) override {
        Revision at = after;
        bool more = true;
        const auto read_some = [&](pqxx::work& work) -> Result<void> {
            const auto rows = work.exec_params(log_sql, after, at, rows_at_once);
            more = rows.size() == rows_at_once;
            for (const pqxx::row& row : rows) {
                StoredEntry line;
                line.key = key_of(row);
                line.revision = at = row[3].as<Revision>();
                line.change = TRY(change_of(text_of(row[4])));
                line.previous = row[5].as<Revision>();
                line.bytes = bytes_of(row[6], row[7]);
                line.key_id = text_of(row[8]);
                line.previous_bytes = bytes_of(row[9], row[10]);
                line.previous_key_id = text_of(row[11]);
                TRY(visit(std::move(line)));
            }
            return {};
        };
        while (more) TRY(transact(read_some));
        return {};
    }

    Result<Outcome> commit(const Batch& batch) override {
        TRY(connected());
        try {
            Columns c(batch);
            auto& [body, sealed, key_id] = c.content;
            auto& [previous_body, previous_sealed, previous_key_id] = c.previous_content;
            pqxx::nontransaction one_statement(session_->connection());
            const pqxx::row row = one_statement.exec_prepared1(
                "commit", batch.base, batch.base + static_cast<Revision>(batch.log.size()),
                session_->pid(), std::move(c.revision).take(), std::move(c.change).take(),
                std::move(c.resource).take(), std::move(c.ns).take(), std::move(c.name).take(),
                std::move(c.previous).take(), std::move(body).take(), std::move(sealed).take(),
                std::move(key_id).take(), std::move(previous_body).take(),
                std::move(previous_sealed).take(), std::move(previous_key_id).take(),
                std::move(c.expected).take(), std::move(c.uid).take(), rfc3339_micro(batch.at),
                batch.effects.size());
            if (row[0].as<int>() == 1) return Outcome::committed;
            if (row[1].as<int>() == session_->pid()) return Outcome::overtaken;
        } catch (const std::exception& e) {
            return failed(e);
        }
        return lost();
    }

    Result<std::size_t> trim(Revision upto, std::size_t most) override {
        std::size_t removed = 0;
        TRY(transact([&](pqxx::work& work) -> Result<void> {
            work.exec_params0(set_meta_sql, "trimmed", std::to_string(upto));
            removed = work.exec_params(trim_sql, upto, most).affected_rows();
            return {};
        }));
        return removed;
    }

    Result<std::string> meta(std::string_view name) override {
        std::string value;
        TRY(transact([&](pqxx::work& work) -> Result<void> {
            const auto rows =
                work.exec_params("SELECT value FROM meta WHERE name = $1", std::string(name));
            if (!rows.empty()) value = text_of(rows[0][0]);
            return {};
        }));
        return value;
    }

    Result<void> set_meta(std::string_view name, std::string_view value) override {
        return transact([&](pqxx::work& work) -> Result<void> {
            work.exec_params0(set_meta_sql, std::string(name), std::string(value));
            return {};
        });
    }

    Result<std::size_t> reseal(const Reseal& anew, std::string_view key_id) override {
        std::size_t count = 0;
        const auto all = [&](pqxx::work& work) -> Result<void> {
            for (const SealedColumns& columns : sealed_columns) {
                count += TRY(reseal_column(work, columns, anew, std::string(key_id)));
            }
            work.exec_params0(set_meta_sql, "key_id", std::string(key_id));
            return {};
        };
        TRY(transact(all));
        return count;
    }

    Result<void> ping() override {
        TRY(connected());
        return transact([](pqxx::work& work) -> Result<void> {
            work.exec("SELECT 1");
            return {};
        });
    }

    Result<void> probe() override { return set_meta("probe", "writable"); }

  private:
    Result<void> connected() {
        if (session_ && session_->connection().is_open() && session_->is_same()) return {};
        session_.reset();
        session_ = TRY(PostgresSession::connect(url_));
        TRY(transact([](pqxx::work& work) { return migrate(work); }));
        try {
            session_->connection().prepare("commit", commit_sql);
        } catch (const std::exception& e) {
            return failed(e);
        }
        return {};
    }

    static Result<std::size_t> reseal_column(pqxx::work& work, const SealedColumns& columns,
                                             const Reseal& anew, const std::string& key_id) {
        const auto rows = work.exec(fmt::format(
            "SELECT resource, ns, name, {}, {}, {} FROM {} WHERE {} IS NOT NULL", columns.revision,
            columns.sealed, columns.key_id, columns.table, columns.sealed));
        const std::string update = fmt::format(
            "UPDATE {} SET {} = $1, {} = $2 WHERE resource = $3 AND ns = $4 AND name = $5 "
            "AND {} = $6",
            columns.table, columns.sealed, columns.key_id, columns.revision);
        for (const pqxx::row& row : rows) {
            const SealedContent content{key_of(row), row[3].as<Revision>(),
                                        pqxx::binarystring(row[4]).str(), text_of(row[5])};
            const std::string sealed = TRY(anew(content));
            work.exec_params0(update, pqxx::binarystring(sealed), key_id, content.key.resource,
                              content.key.ns, content.key.name, content.revision);
        }
        return rows.size();
    }

    static Result<void> migrate(pqxx::work& work) {
        work.exec("CREATE TABLE IF NOT EXISTS meta (name text PRIMARY KEY, value text NOT NULL)");
        const auto rows =
            work.exec("SELECT value::integer FROM meta WHERE name = 'schema_version'");
        const int found = rows.empty() ? 0 : rows[0][0].as<int>();
        TRY(check_version(found));
        if (found == schema_version) return {};
        for (int version = found + 1; version <= schema_version; ++version) {
            for (const auto& sql : migration(Dialect::postgres, version)) work.exec(sql);
        }
        for (const auto& sql : views(Dialect::postgres)) work.exec(sql);
        work.exec_params0(set_meta_sql, "schema_version", std::to_string(schema_version));
        return {};
    }

    // Runs `use` in a transaction and commits it.
    template <class Use>
    Result<void> transact(const Use& use) {
        if (!session_) TRY(connected());
        try {
            pqxx::work work(session_->connection());
            TRY(use(work));
            if (session_->is_same()) {
                work.commit();
                return {};
            }
        } catch (const std::exception& e) {
            return failed(e);
        }
        return lost();
    }

    Error failed(const std::exception& e) {
        Error error = error_of(e);
        // The state of the session is not known after a failure: the next call makes another one.
        if (error.code == Code::unavailable) session_.reset();
        return error;
    }
    Error lost() {
        session_.reset();
        return Error{Code::unavailable, "the connection to the database was lost: try again"};
    }

    const std::string url_;
    std::unique_ptr<PostgresSession> session_;
};

}  // namespace

Result<std::unique_ptr<Backend>> open_postgres(const std::string& url) {
    auto backend = std::make_unique<PostgresBackend>(url);
    if (auto prepared = backend->prepare(); !prepared) {
        return prepared.error().in("PostgreSQL");
    }
    return std::unique_ptr<Backend>(std::move(backend));
}

}  // namespace atelier::store
