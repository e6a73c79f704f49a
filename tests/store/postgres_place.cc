#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <pqxx/pqxx>

#include "base/random.h"
#include "world.h"

namespace atelier::store {
namespace {

// A schema of its own in the database that the environment names.
class PostgresPlace final : public Place {
  public:
    explicit PostgresPlace(std::string server) : server_(std::move(server)) {
        SystemRandom random;
        schema_ = "test_" + random_text(random, 12, "abcdefghijklmnopqrstuvwxyz");
        run("CREATE SCHEMA " + schema_);
    }
    ~PostgresPlace() override {
        try {
            run("DROP SCHEMA " + schema_ + " CASCADE");
        } catch (const std::exception& e) {
            ADD_FAILURE() << e.what();
        }
    }
    std::string url() const override { return with_schema(server_, schema_); }
    std::vector<std::string> query(const std::string& sql) override {
        pqxx::connection connection(url());
        pqxx::work work(connection);
        std::vector<std::string> out;
        for (const auto& row : work.exec(sql)) {
            std::string line;
            for (const auto& field : row) {
                if (field.num() > 0) line += '|';
                line += field.is_null() ? "-" : field.c_str();
            }
            out.push_back(line);
        }
        work.commit();
        return out;
    }

  private:
    void run(const std::string& sql) {
        pqxx::connection connection(server_);
        pqxx::nontransaction(connection).exec("SET client_min_messages = warning; " + sql);
    }
    std::string server_;
    std::string schema_;
};

}  // namespace

std::string with_schema(const std::string& url, const std::string& schema) {
    const char separator = url.find('?') == std::string::npos ? '?' : '&';
    return fmt::format("{}{}options=-csearch_path%3D{}", url, separator, schema);
}

std::unique_ptr<Place> postgres_place_at(const std::string& server) {
    return std::make_unique<PostgresPlace>(server);
}

std::unique_ptr<Place> postgres_place() {
    const std::string server = test_postgres();
    if (server.empty()) return nullptr;
    return postgres_place_at(server);
}

std::string test_postgres() {
    const char* url = std::getenv("ATELIER_TEST_POSTGRES");
    return url ? url : "";
}

void skip_without_postgres() {
    const char* required = std::getenv("ATELIER_TEST_REQUIRE");
    if (required && std::string_view(required) == "1") {
        FAIL() << "ATELIER_TEST_POSTGRES is not set: give the URL of a PostgreSQL server";
    }
    GTEST_SKIP() << "ATELIER_TEST_POSTGRES is not set";
}

}  // namespace atelier::store
