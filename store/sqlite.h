// SQLite, as much of it as the store needs, with errors as Results.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace atelier::store::sqlite {

class Database;

// A prepared statement. Use: reset, bind from 1 on, step. Bound text must live until the next
// reset.
class Statement {
  public:
    Statement() = default;
    Statement& reset();
    Statement& bind(int at, std::int64_t value);
    Statement& bind_text(int at, std::string_view value);
    Statement& bind_blob(int at, std::string_view value);
    Statement& bind_null(int at);
    Result<bool> step();  // true: there is a row
    Result<void> run();   // steps a statement that gives no rows, and resets it

    std::int64_t integer(int column) const;
    std::string_view text(int column) const;  // also of a blob; valid until the next step or reset

  private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    Database* database_ = nullptr;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    int bound_ = 0;  // the first failure of a bind, which step() returns
};

// One connection, of one thread at a time.
class Database {
  public:
    static Result<Database> open(const std::filesystem::path& path);
    Database(Database&&) = default;
    Database& operator=(Database&&) = default;

    Result<void> execute(const std::string& sql);
    // The statement may not outlive the database, nor the database move afterwards.
    Result<Statement> prepare(std::string_view sql);
    std::int64_t changes() const;  // rows changed by the last statement
    bool in_transaction() const;
    Error error(int result, std::string_view doing) const;

  private:
    struct Close {
        void operator()(sqlite3* connection) const;
    };
    Database() = default;
    std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace atelier::store::sqlite
