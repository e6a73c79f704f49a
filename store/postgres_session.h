// One connection to PostgreSQL that holds the lock of the store. Included by postgres_*.cc only.
#pragma once

#include <memory>
#include <pqxx/pqxx>
#include <string>

#include "base/result.h"

namespace atelier::store {

// What a failure of libpqxx means to a caller.
Error error_of(const std::exception& exception);

class PostgresSession {
  public:
    // Connects, sets the session up and takes the lock.
    static Result<std::unique_ptr<PostgresSession>> connect(const std::string& url);

    pqxx::connection& connection() { return *connection_; }
    int pid() const { return pid_; }
    // False after libpqxx replaced the connection by itself, which loses the lock.
    bool is_same() const { return connection_->backendpid() == pid_; }

  private:
    PostgresSession() = default;
    Result<void> set_up();
    std::unique_ptr<pqxx::connection> connection_;
    int pid_ = 0;
};

}  // namespace atelier::store
