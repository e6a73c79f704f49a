#include "store/postgres_session.h"

#include <fmt/format.h>

#include <string_view>

namespace atelier::store {
namespace {

// "atel" as a number; the second half of the lock is the schema.
constexpr int lock_class = 0x6174656c;

// Before the caller's own parameters, which win.
std::string with_defaults(const std::string& url) {
    static constexpr std::string_view defaults =
        "application_name=atelier&connect_timeout=5&keepalives_idle=10&keepalives_interval=5&"
        "keepalives_count=3&tcp_user_timeout=20000";
    const std::size_t question = url.find('?');
    std::string out = url.substr(0, question);
    out += '?';
    out += defaults;
    if (question != std::string::npos && question + 1 < url.size()) {
        out += '&' + url.substr(question + 1);
    }
    return out;
}

struct Meaning {
    Code code;
    std::string_view message;
};

Meaning meaning_of(std::string_view state) {
    if (state == "55P03") {
        return {Code::unavailable,
                "the database is in use by another atelier server: stop that one, or give this one "
                "another database"};
    }
    if (state == "25006") {
        return {Code::unavailable, "the database may only be read: it is a standby, or set so"};
    }
    if (state == "53100") return {Code::exhausted, "the disk of the database is full"};
    if (state.starts_with("53")) return {Code::exhausted, "the database has no room left"};
    if (state.starts_with("08") || state.starts_with("57") || state.starts_with("40")) {
        return {Code::unavailable, "the database gave up the transaction: try again"};
    }
    if (state.starts_with("22") && state != "22012") {
        return {Code::invalid, "the database refuses a value"};
    }
    if (state == "54000" || state.starts_with("54")) {
        return {Code::invalid, "a value is too large for the database"};
    }
    if (state == "22012" || state.starts_with("23")) {
        return {Code::internal,
                "an object was changed in the database by something other than the "
                "server: restart the server"};
    }
    if (state == "42501") return {Code::internal, "the database user lacks a right"};
    return {Code::internal, "the database answered in an unforeseen way"};
}

}  // namespace

Error error_of(const std::exception& exception) {
    if (const auto* sql = dynamic_cast<const pqxx::sql_error*>(&exception)) {
        const Meaning meaning = meaning_of(sql->sqlstate());
        // PostgreSQL's message about a refused value quotes the value, which may be a Secret's.
        const std::string_view said = meaning.code == Code::invalid ? "" : sql->what();
        return Error{meaning.code, std::string(meaning.message),
                     fmt::format("PostgreSQL {}: {}", sql->sqlstate(), said.substr(0, 500))};
    }
    if (dynamic_cast<const pqxx::transaction_rollback*>(&exception)) {
        return Error{Code::unavailable, "the database gave up the transaction: try again",
                     exception.what()};
    }
    if (dynamic_cast<const pqxx::broken_connection*>(&exception) ||
        dynamic_cast<const pqxx::in_doubt_error*>(&exception)) {
        return Error{Code::unavailable, "the database cannot be reached", exception.what()};
    }
    return Error{Code::internal, "the database answered in an unforeseen way", exception.what()};
}

Result<std::unique_ptr<PostgresSession>> PostgresSession::connect(const std::string& url) {
    try {
        std::unique_ptr<PostgresSession> session(new PostgresSession);
        session->connection_ = std::make_unique<pqxx::connection>(with_defaults(url));
        TRY(session->set_up());
        return session;
    } catch (const std::exception& e) {
        return error_of(e);
    }
}

Result<void> PostgresSession::set_up() {
    pid_ = connection_->backendpid();
    pqxx::nontransaction setup(*connection_);
    // A batch finds its rows by their keys. With stale statistics the planner may choose to read
    // whole tables instead.
    setup.exec(
        "SET client_min_messages = warning; SET client_encoding = 'UTF8'; SET TIME ZONE 'UTC'; "
        "SET default_transaction_isolation = 'read committed'; "
        "SET statement_timeout = '30s'; SET lock_timeout = '5s'; "
        "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; "
        "SET tcp_keepalives_count = 3; "
        "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
        "SET jit = off");
    // A commit must be on disk when it returns, whatever the server's default is.
    const auto durable = setup.exec1("SHOW synchronous_commit");
    if (durable[0].as<std::string>() == "off") setup.exec("SET synchronous_commit = on");
    const auto schema = setup.exec1("SELECT current_schema()");
    if (schema[0].is_null()) {
        return Error{Code::invalid,
                     "no schema of the search path exists: create it, or name another"};
    }
    setup.exec(fmt::format("SELECT pg_advisory_lock({}, hashtext(current_schema()))", lock_class));
    return {};
}

}  // namespace atelier::store
