#include "world.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"

namespace atelier::store {
namespace {

class MemoryPlace final : public Place {
  public:
    std::string url() const override { return "memory:"; }
    bool survives_reopening() const override { return false; }
    std::vector<std::string> query(const std::string&) override { return {}; }
};

class GivenPlace final : public Place {
  public:
    explicit GivenPlace(std::string url) : url_(std::move(url)) {}
    std::string url() const override { return url_; }
    std::vector<std::string> query(const std::string&) override { return {}; }

  private:
    const std::string url_;
};

class SqlitePlace final : public Place {
  public:
    std::string url() const override { return "sqlite:" + path().string(); }
    std::vector<std::string> query(const std::string& sql) override {
        sqlite3* db = nullptr;
        EXPECT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
        std::vector<std::string> out;
        const auto take = [](void* rows, int n, char** values, char**) {
            std::string line;
            for (int i = 0; i < n; ++i) {
                if (i > 0) line += '|';
                line += values[i] ? values[i] : "-";
            }
            static_cast<std::vector<std::string>*>(rows)->push_back(line);
            return 0;
        };
        char* message = nullptr;
        EXPECT_EQ(sqlite3_exec(db, sql.c_str(), take, &out, &message), SQLITE_OK)
            << (message ? message : "") << " in " << sql;
        sqlite3_free(message);
        sqlite3_close(db);
        return out;
    }

  private:
    std::filesystem::path path() const { return folder_.path() / "atelier.db"; }
    // In memory where the system has such a place: a process that dies leaves it alone, and only a
    // machine that dies would not.
    static std::filesystem::path quick() {
        const std::filesystem::path shared = "/dev/shm";
        return access(shared.c_str(), W_OK) == 0 ? shared : std::filesystem::temp_directory_path();
    }
    Folder folder_{quick()};
};

}  // namespace

void PrintTo(const Where& where, std::ostream* out) {
    *out << where.name;
}
std::string where_name(const testing::TestParamInfo<Where>& info) {
    return info.param.name;
}

Folder::Folder(std::filesystem::path below) {
    std::string pattern = (below / "atelier-store-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    path_ = pattern;
}
Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::unique_ptr<Place> sqlite_place() {
    return std::make_unique<SqlitePlace>();
}
std::unique_ptr<Place> memory_place() {
    return std::make_unique<MemoryPlace>();
}
std::unique_ptr<Place> place_at(const std::string& url) {
    return std::make_unique<GivenPlace>(url);
}

Key workspace(const std::string& name, const std::string& ns) {
    return {"workspaces.atelier.dev", ns, name};
}
Key secret(const std::string& name) {
    return {"secrets", "default", name};
}

crds::Body body_of(const Key& key, const std::string& text,
                   const std::map<std::string, std::string>& labels) {
    json::Document object(rapidjson::kObjectType);
    auto& allocator = object.GetAllocator();
    json::set(object, "apiVersion", "atelier.dev/v1alpha1", allocator);
    json::set(object, "kind", "Workspace", allocator);
    crds::Meta meta;
    meta.name = key.name;
    meta.ns = key.ns;
    meta.uid = "uid-of-" + key.name;
    meta.generation = 1;
    meta.labels = labels;
    json::set(object, "metadata", crds::write_meta(meta, allocator), allocator);
    json::Value spec(rapidjson::kObjectType);
    json::set(spec, "text", text, allocator);
    json::set(object, "spec", std::move(spec), allocator);
    return crds::encode_body(object);
}

Write create(const Key& key, const std::string& text) {
    return {Write::Kind::create, key, body_of(key, text), 0};
}
Write update(const Key& key, Revision expected, const std::string& text) {
    return {Write::Kind::update, key, body_of(key, text), expected};
}
Write remove(const Key& key, Revision expected) {
    return {Write::Kind::remove, key, {}, expected};
}

std::string text_of(const Object& object) {
    return json::string_at(must(json::parse(object.body)), {"spec", "text"});
}

}  // namespace atelier::store
