// The manifests that we hand out are taken by the server as they are.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "crds/lifecycle.h"
#include "crds/yaml.h"

namespace atelier::crds {
namespace {

class NoObjects final : public Lookup {
  public:
    std::string find(const Key&) const override { return {}; }
};

TEST(Manifests, AreAdmittedWithoutAWarning) {
    Kinds kinds = *atelier_kinds();
    add_core_kinds(kinds);
    SeededRandom random(1);
    const NoObjects nothing;
    std::size_t objects = 0;
    namespace fs = std::filesystem;
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(ATELIER_SOURCE_DIR) / "manifests")) {
        if (entry.path().extension() != ".yaml") continue;
        const std::string name = entry.path().filename().string();
        const auto text = read_file(entry.path());
        ASSERT_TRUE(text) << name;
        auto documents = parse_yaml_tagged(*text, name, {.limits = {}, .keep_tags = true});
        ASSERT_TRUE(documents) << documents.error().message;
        for (YamlDocument& document : *documents) {
            const Kind* kind = kinds.find_kind(json::string_at(document.value, {"apiVersion"}),
                                               json::string_at(document.value, {"kind"}));
            if (!kind) continue;  // an org template, or of another system
            auto& allocator = document.value.GetAllocator();
            json::Value& metadata = json::object_at(document.value, "metadata", allocator);
            if (kind->scope == Scope::namespaced && !json::find(metadata, {"namespace"})) {
                json::set(metadata, "namespace", "default", allocator);
            }
            std::vector<std::string> unknown;
            const auto made = admit_create(*kind, std::move(document.value),
                                           {Instant{}, random, nothing, &unknown});
            ASSERT_TRUE(made) << name << ": " << made.error().message;
            EXPECT_EQ(unknown, std::vector<std::string>()) << name;
            ++objects;
        }
    }
    EXPECT_GE(objects, 3u) << "the quickstart has a template, an org and plugins";
}

}  // namespace
}  // namespace atelier::crds
