#include "store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>

namespace atelier::store::sqlite {
namespace {

struct Meaning {
    Code code;
    std::string_view why;
};

Meaning meaning_of(int result, int system_error) {
    switch (result & 0xff) {
        case SQLITE_FULL:
            return {Code::exhausted, "the disk is full"};
        case SQLITE_IOERR:
            if (system_error == ENOSPC || system_error == EDQUOT) {
                return {Code::exhausted, "the disk is full"};
            }
            return {Code::unavailable, "the disk could not be read or written"};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {Code::unavailable, "another program holds the database"};
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return {Code::unavailable, "the database may not be written"};
        case SQLITE_CANTOPEN:
            return {Code::unavailable, "the database could not be opened"};
        case SQLITE_NOTADB:
            return {Code::invalid, "the file is not an SQLite database"};
        case SQLITE_CORRUPT:
            return {Code::internal, "the database file is damaged: restore it from a backup"};
        case SQLITE_TOOBIG:
            return {Code::invalid, "a value is too large for the database"};
        case SQLITE_CONSTRAINT:
            return {Code::internal, "the database was changed by something else"};
        default:
            return {Code::internal, "the database answered in an unforeseen way"};
    }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}
void Database::Close::operator()(sqlite3* connection) const {
    sqlite3_close_v2(connection);
}

Statement& Statement::reset() {
    // Its result repeats the failure that step() returned.
    (void)sqlite3_reset(statement_.get());
    bound_ = SQLITE_OK;
    return *this;
}

Statement& Statement::bind(int at, std::int64_t value) {
    if (const int r = sqlite3_bind_int64(statement_.get(), at, value); r != SQLITE_OK) bound_ = r;
    return *this;
}

Statement& Statement::bind_text(int at, std::string_view value) {
    const char* bytes = value.data() ? value.data() : "";
    const int r =
        sqlite3_bind_text64(statement_.get(), at, bytes, value.size(), SQLITE_STATIC, SQLITE_UTF8);
    if (r != SQLITE_OK) bound_ = r;
    return *this;
}

Statement& Statement::bind_blob(int at, std::string_view value) {
    const char* bytes = value.data() ? value.data() : "";
    const int r = sqlite3_bind_blob64(statement_.get(), at, bytes, value.size(), SQLITE_STATIC);
    if (r != SQLITE_OK) bound_ = r;
    return *this;
}

Statement& Statement::bind_null(int at) {
    if (const int r = sqlite3_bind_null(statement_.get(), at); r != SQLITE_OK) bound_ = r;
    return *this;
}

Result<bool> Statement::step() {
    if (bound_ != SQLITE_OK) return database_->error(bound_, "cannot pass a value");
    const int result = sqlite3_step(statement_.get());
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) return false;
    return database_->error(result, "cannot use the database");
}

Result<void> Statement::run() {
    auto stepped = step();
    reset();
    if (!stepped) return std::move(stepped).error();
    return {};
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
    return bytes ? std::string_view(bytes, size) : std::string_view();
}

Result<Database> Database::open(const std::filesystem::path& path) {
    sqlite3* connection = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int result = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
    Database database;
    database.connection_.reset(connection);
    if (result != SQLITE_OK) return database.error(result, "cannot open the database");
    sqlite3_extended_result_codes(connection, 1);
    return database;
}

Error Database::error(int result, std::string_view doing) const {
    const int system_error = connection_ ? sqlite3_system_errno(connection_.get()) : 0;
    const Meaning meaning = meaning_of(result, system_error);
    return Error{meaning.code, fmt::format("{}: {}", doing, meaning.why),
                 fmt::format("SQLite {}: {}; errno {}", result,
                             connection_ ? sqlite3_errmsg(connection_.get()) : "", system_error)};
}

Result<void> Database::execute(const std::string& sql) {
    const int result = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) return error(result, "cannot use the database");
    return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* prepared = nullptr;
    const int result =
        sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    if (result != SQLITE_OK) return error(result, "cannot prepare a statement");
    Statement statement;
    statement.database_ = this;
    statement.statement_.reset(prepared);
    return statement;
}

std::int64_t Database::changes() const {
    return sqlite3_changes64(connection_.get());
}

bool Database::in_transaction() const {
    return sqlite3_get_autocommit(connection_.get()) == 0;
}

}  // namespace atelier::store::sqlite
