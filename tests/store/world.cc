#include "world.h"

#include <fmt/format.h>
#include <stdlib.h>

#include "base/json.h"

namespace atelier::store {
namespace {

class MemoryPlace final : public Place {
  public:
    std::string url() const override { return "memory:"; }
    bool survives_reopening() const override { return false; }
};

class SqlitePlace final : public Place {
  public:
    std::string url() const override {
        return "sqlite:" + (folder_.path() / "atelier.db").string();
    }

  private:
    Folder folder_;
};

}  // namespace

Folder::Folder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "atelier-store-XXXXXX").string();
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
