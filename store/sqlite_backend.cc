#include "store/sqlite_backend.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "store/change_names.h"
#include "store/schema.h"
#include "store/sqlite.h"
#include "store/views.h"

namespace atelier::store {
namespace {

using sqlite::Database;
using sqlite::Statement;

// The system releases it when the process ends, however it ends.
class FileLock {
  public:
    FileLock() = default;
    explicit FileLock(int fd) : fd_(fd) {}
    FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileLock& operator=(FileLock&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~FileLock() {
        if (fd_ >= 0) close(fd_);
    }

  private:
    int fd_ = -1;
};

Result<int> open_private(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return error_of_errno(errno, "cannot open", path);
    return fd;
}

Result<FileLock> lock_for(const std::filesystem::path& database) {
    std::filesystem::path path = database;
    path += ".lock";
    const int fd = TRY(open_private(path));
    FileLock lock(fd);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return Error{Code::unavailable,
                     fmt::format("the database \"{}\" is in use by another atelier server: stop "
                                 "that one, or give this one another folder",
                                 database.filename().string()),
                     path.string()};
    }
    return lock;
}

// Ends what was begun unless it was committed.
class Transaction {
  public:
    static Result<Transaction> begin(Database& database) {
        TRY(database.execute("BEGIN IMMEDIATE"));
        return Transaction(database);
    }
    Transaction(Transaction&& other) noexcept
        : database_(std::exchange(other.database_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction() {
        // A full disk may have rolled it back already.
        if (database_ && database_->in_transaction()) {
            if (auto rolled_back = database_->execute("ROLLBACK"); !rolled_back) return;
        }
    }
    Result<void> commit() {
        TRY(database_->execute("COMMIT"));
        database_ = nullptr;
        return {};
    }

  private:
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
};

void bind_content(Statement& statement, int at, const Content& content) {
    if (content.key_id.empty()) {
        statement.bind_text(at, content.bytes).bind_null(at + 1).bind_null(at + 2);
    } else {
        statement.bind_null(at).bind_blob(at + 1, content.bytes).bind_text(at + 2, content.key_id);
    }
}

void bind_key(Statement& statement, int at, const Key& key) {
    statement.bind_text(at, key.resource).bind_text(at + 1, key.ns).bind_text(at + 2, key.name);
}

Error tampered(const Key& key) {
    return Error{Code::internal, fmt::format("{} was changed in the database by something other "
                                             "than the server: restart the server",
                                             key.text())};
}

class SqliteBackend final : public Backend {
  public:
    SqliteBackend(FileLock lock, Database database)
        : lock_(std::move(lock)), database_(std::move(database)) {}

    Result<void> prepare() {
        TRY(migrate());
        count_ = TRY(
            database_.prepare("UPDATE counter SET revision = ?1 WHERE one = 1 AND revision = ?2"));
        insert_ = TRY(database_.prepare(
            "INSERT INTO objects (resource, ns, name, uid, revision, body, sealed, key_id) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING"));
        update_ = TRY(database_.prepare(
            "UPDATE objects SET uid = ?4, revision = ?5, body = ?6, sealed = ?7, key_id = ?8 "
            "WHERE resource = ?1 AND ns = ?2 AND name = ?3 AND revision = ?9"));
        delete_ = TRY(database_.prepare(
            "DELETE FROM objects WHERE resource = ?1 AND ns = ?2 AND name = ?3 AND revision = "
            "?4"));
        log_ = TRY(database_.prepare(
            "INSERT INTO log (resource, ns, name, revision, change, at, previous, body, sealed, "
            "key_id, previous_body, previous_sealed, previous_key_id) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"));
        trim_ = TRY(database_.prepare(
            "DELETE FROM log WHERE revision IN (SELECT l.revision FROM log l "
            "WHERE l.revision <= ?1 AND NOT EXISTS (SELECT 1 FROM log n "
            "WHERE n.previous = l.revision AND n.revision > ?1) ORDER BY l.revision LIMIT ?2)"));
        get_meta_ = TRY(database_.prepare("SELECT value FROM meta WHERE name = ?1"));
        set_meta_ =
            TRY(database_.prepare("INSERT INTO meta (name, value) VALUES (?1, ?2) "
                                  "ON CONFLICT (name) DO UPDATE SET value = excluded.value"));
        return {};
    }

    Result<Marks> marks() override {
        Statement newest = TRY(database_.prepare("SELECT revision FROM counter"));
        const bool found = TRY(newest.step());
        if (!found) return Error{Code::internal, "the database has no counter"};
        const std::string trimmed = TRY(meta("trimmed"));
        return Marks{newest.integer(0), std::atoll(trimmed.c_str())};
    }

    Result<void> read_objects(const std::function<Result<void>(StoredObject&&)>& visit) override {
        Statement select = TRY(database_.prepare(
            "SELECT resource, ns, name, revision, coalesce(body, sealed), key_id FROM objects"));
        while (true) {
            const bool more = TRY(select.step());
            if (!more) return {};
            StoredObject row{key_at(select), select.integer(3), std::string(select.text(4)),
                             std::string(select.text(5))};
            TRY(visit(std::move(row)));
        }
    }

    Result<void> read_log(Revision after,
                          const std::function<Result<void>(StoredEntry&&)>& visit) override {
        Statement select = TRY(database_.prepare(
            "SELECT l.resource, l.ns, l.name, l.revision, l.change, l.previous, "
            "coalesce(l.body, l.sealed), l.key_id, "
            "coalesce(l.previous_body, l.previous_sealed, p.body, p.sealed), "
            "coalesce(l.previous_key_id, p.key_id) "
            "FROM log l LEFT JOIN log p ON p.revision = l.previous AND p.revision <= ?1 "
            "WHERE l.revision > ?1 ORDER BY l.revision"));
        select.bind(1, after);
        while (true) {
            const bool more = TRY(select.step());
            if (!more) return {};
            StoredEntry line;
            line.key = key_at(select);
            line.revision = select.integer(3);
            line.change = TRY(change_of(select.text(4)));
            line.previous = select.integer(5);
            line.bytes = select.text(6);
            line.key_id = select.text(7);
            line.previous_bytes = select.text(8);
            line.previous_key_id = select.text(9);
            TRY(visit(std::move(line)));
        }
    }

    Result<Outcome> commit(const Batch& batch) override {
        Transaction transaction = TRY(Transaction::begin(database_));
        const Revision newest = batch.base + static_cast<Revision>(batch.log.size());
        TRY(count_.reset().bind(1, newest).bind(2, batch.base).run());
        if (database_.changes() != 1) return Outcome::overtaken;
        for (const Effect& effect : batch.effects) TRY(apply(effect));
        const std::string at = rfc3339_micro(batch.at);
        for (const Entry& entry : batch.log) TRY(append(entry, at));
        TRY(transaction.commit());
        return Outcome::committed;
    }

    Result<std::size_t> trim(Revision upto, std::size_t most) override {
        Transaction transaction = TRY(Transaction::begin(database_));
        const std::string text = std::to_string(upto);
        TRY(set_meta_.reset().bind_text(1, "trimmed").bind_text(2, text).run());
        TRY(trim_.reset().bind(1, upto).bind(2, static_cast<std::int64_t>(most)).run());
        const auto removed = static_cast<std::size_t>(database_.changes());
        TRY(transaction.commit());
        return removed;
    }

    // SQLite moves pages from the end of the file into the free ones, and cuts it at the next
    // checkpoint. A share of free pages stays, for what is written next.
    Result<bool> shrink() override {
        constexpr std::int64_t spare = 1024;  // pages
        constexpr std::int64_t step = 256;
        const std::int64_t unused = TRY(pragma("freelist_count"));
        const std::int64_t pages = TRY(pragma("page_count"));
        if (unused <= std::max(spare, pages / 8)) return false;
        TRY(database_.execute(fmt::format("PRAGMA incremental_vacuum({})", step)));
        return true;
    }

    Result<std::string> meta(std::string_view name) override {
        get_meta_.reset().bind_text(1, name);
        const bool found = TRY(get_meta_.step());
        std::string value(found ? get_meta_.text(0) : std::string_view());
        get_meta_.reset();
        return value;
    }

    Result<void> set_meta(std::string_view name, std::string_view value) override {
        return set_meta_.reset().bind_text(1, name).bind_text(2, value).run();
    }

    Result<std::size_t> reseal(const Reseal& anew, std::string_view key_id) override {
        TRY(database_.execute("PRAGMA secure_delete = ON"));
        std::size_t count = 0;
        {
            Transaction transaction = TRY(Transaction::begin(database_));
            for (const SealedColumns& columns : sealed_columns) {
                count += TRY(reseal_column(columns, anew, key_id));
            }
            TRY(set_meta_.reset().bind_text(1, "key_id").bind_text(2, key_id).run());
            TRY(transaction.commit());
        }
        // The write-ahead log holds pages from before: it is emptied into the database.
        Statement checkpoint = TRY(database_.prepare("PRAGMA wal_checkpoint(TRUNCATE)"));
        TRY(checkpoint.step());
        checkpoint.reset();
        TRY(database_.execute("PRAGMA secure_delete = OFF"));
        return count;
    }

    // A file does not go away like a connection; only a write shows whether it takes writes.
    Result<void> ping() override { return {}; }

    Result<void> probe() override { return set_meta("probe", "writable"); }

  private:
    static Key key_at(const Statement& row) {
        return {std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2))};
    }

    Result<std::size_t> reseal_column(const SealedColumns& columns, const Reseal& anew,
                                      std::string_view key_id) {
        std::vector<std::pair<std::int64_t, SealedContent>> rows;
        Statement select = TRY(database_.prepare(fmt::format(
            "SELECT resource, ns, name, rowid, {}, {}, {} FROM {} WHERE {} NOTNULL",
            columns.revision, columns.sealed, columns.key_id, columns.table, columns.sealed)));
        while (TRY(select.step())) {
            rows.push_back({select.integer(3),
                            {key_at(select), select.integer(4), std::string(select.text(5)),
                             std::string(select.text(6))}});
        }
        Statement update =
            TRY(database_.prepare(fmt::format("UPDATE {} SET {} = ?1, {} = ?2 WHERE rowid = ?3",
                                              columns.table, columns.sealed, columns.key_id)));
        for (const auto& [row, content] : rows) {
            const std::string sealed = TRY(anew(content));
            TRY(update.reset().bind_blob(1, sealed).bind_text(2, key_id).bind(3, row).run());
        }
        return rows.size();
    }

    Result<std::int64_t> pragma(std::string_view name) {
        Statement select = TRY(database_.prepare(fmt::format("PRAGMA {}", name)));
        const bool found = TRY(select.step());
        return found ? select.integer(0) : 0;
    }

    // auto_vacuum is a property of the file: one of an earlier release is rewritten once. When the
    // disk has no room for that, the file stays as it is, and only does not shrink.
    Result<void> make_shrinkable() {
        constexpr std::int64_t incremental = 2;
        TRY(database_.execute("PRAGMA auto_vacuum = INCREMENTAL"));
        const std::int64_t mode = TRY(pragma("auto_vacuum"));
        if (mode == incremental) return {};
        if (const auto rewritten = database_.execute("VACUUM"); !rewritten) return {};
        return {};
    }

    Result<void> migrate() {
        TRY(database_.execute("PRAGMA busy_timeout = 5000"));
        TRY(make_shrinkable());
        Statement mode = TRY(database_.prepare("PRAGMA journal_mode = WAL"));
        const bool answered = TRY(mode.step());
        if (!answered || mode.text(0) != "wal") {
            return Error{Code::unsupported,
                         "the file system cannot hold an SQLite database that is read while it is "
                         "written (WAL): put it on a local disk"};
        }
        mode.reset();
        TRY(database_.execute(
            "PRAGMA synchronous = FULL; "
            "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; "
            "PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY"));
        Transaction transaction = TRY(Transaction::begin(database_));
        TRY(database_.execute(
            "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)"));
        Statement select =
            TRY(database_.prepare("SELECT value FROM meta WHERE name = 'schema_version'"));
        const bool migrated = TRY(select.step());
        const int found = migrated ? static_cast<int>(select.integer(0)) : 0;
        select.reset();
        TRY(check_version(found));
        if (found == schema_version) return {};
        for (int version = found + 1; version <= schema_version; ++version) {
            for (const auto& sql : migration(Dialect::sqlite, version)) {
                TRY(database_.execute(sql));
            }
        }
        for (const auto& sql : views(Dialect::sqlite)) TRY(database_.execute(sql));
        TRY(database_.execute(
            fmt::format("INSERT OR REPLACE INTO meta (name, value) VALUES ('schema_version', '{}')",
                        schema_version)));
        return transaction.commit();
    }

    Result<void> apply(const Effect& effect) {
        Statement& statement =
            effect.revision == 0 ? delete_ : (effect.expected == 0 ? insert_ : update_);
        bind_key(statement.reset(), 1, *effect.key);
        if (effect.revision == 0) {
            statement.bind(4, effect.expected);
        } else {
            statement.bind_text(4, effect.uid).bind(5, effect.revision);
            bind_content(statement, 6, effect.content);
            if (effect.expected != 0) statement.bind(9, effect.expected);
        }
        TRY(statement.run());
        if (database_.changes() != 1) return tampered(*effect.key);
        return {};
    }

    Result<void> append(const Entry& entry, const std::string& at) {
        bind_key(log_.reset(), 1, *entry.key);
        log_.bind(4, entry.revision).bind_text(5, name_of(entry.change)).bind_text(6, at);
        if (entry.previous == 0) {
            log_.bind_null(7);
        } else {
            log_.bind(7, entry.previous);
        }
        bind_content(log_, 8, entry.content);
        if (entry.previous_content.bytes.empty()) {
            log_.bind_null(11).bind_null(12).bind_null(13);
        } else {
            bind_content(log_, 11, entry.previous_content);
        }
        return log_.run();
    }

    FileLock lock_;
    Database database_;  // outlives the statements
    Statement count_;
    Statement insert_;
    Statement update_;
    Statement delete_;
    Statement log_;
    Statement trim_;
    Statement get_meta_;
    Statement set_meta_;
};

}  // namespace

Result<std::unique_ptr<Backend>> open_sqlite(const std::filesystem::path& path) {
    if (path.empty()) return Error{Code::invalid, "the store's URL names no file: sqlite:<path>"};
    if (path.has_parent_path()) TRY(make_directories(path.parent_path(), 0700));
    FileLock lock = TRY(lock_for(path));
    // SQLite gives its other files the mode of this one.
    const int fd = TRY(open_private(path));
    close(fd);
    Database database = TRY(Database::open(path));
    auto backend = std::make_unique<SqliteBackend>(std::move(lock), std::move(database));
    if (auto prepared = backend->prepare(); !prepared) {
        return prepared.error().in(fmt::format("\"{}\"", path.filename().string()));
    }
    return std::unique_ptr<Backend>(std::move(backend));
}

}  // namespace atelier::store
