// What holds for every object of every kind, tried on objects made up from the schemas.
#include <gtest/gtest.h>

#include "base/text.h"
#include "crds/lifecycle.h"
#include "crds/yaml.h"

namespace atelier::crds {
namespace {

class NoObjects final : public Lookup {
  public:
    std::string find(const Key&) const override { return {}; }
};

// Makes a value that a schema might have in mind: mostly right, sometimes absent, null, of another
// type, or with a field too many.
class Maker {
  public:
    Maker(Random& random, json::Allocator& allocator) : random_(random), allocator_(allocator) {}

    json::Value make(const json::Value& schema) {
        if (chance(60)) return json::Value();
        if (chance(80)) return any();
        if (const json::Value* values = json::find(schema, {"enum"})) {
            return json::Value((*values)[pick(values->Size())], allocator_);
        }
        const std::string type = json::string_at(schema, {"type"});
        if (type == "object") return object(schema);
        if (type == "array") return list(schema);
        if (type == "integer") return json::Value(static_cast<std::int64_t>(random_.next() % 4));
        if (type == "number") return json::Value(0.5);
        if (type == "boolean") return json::Value(chance(2));
        return text(json::string_at(schema, {"format"}));
    }

  private:
    bool chance(std::uint64_t of) { return random_.next() % of == 0; }
    rapidjson::SizeType pick(std::uint64_t size) {
        return static_cast<rapidjson::SizeType>(random_.next() % size);
    }
    json::Value any() {
        switch (random_.next() % 4) {
            case 0:
                return json::Value(3.0);
            case 1:
                return json::Value(rapidjson::kObjectType);
            case 2:
                return json::Value(rapidjson::kArrayType);
            default:
                return json::make("odd value", allocator_);
        }
    }
    json::Value text(const std::string& format) {
        if (format == "duration") return json::make("90s", allocator_);
        if (format == "date-time") return json::make("2026-01-31T12:00:00Z", allocator_);
        if (format == "byte") return json::make("aGk=", allocator_);
        static constexpr std::string_view texts[] = {"a", "b", "c1", "x/y", "", "https://h/a"};
        return json::make(texts[pick(chance(4) ? std::size(texts) : 3)], allocator_);
    }
    json::Value list(const json::Value& schema) {
        json::Value out(rapidjson::kArrayType);
        for (std::uint64_t n = random_.next() % 3; n > 0; --n) {
            out.PushBack(make(*json::find(schema, {"items"})), allocator_);
        }
        return out;
    }
    json::Value object(const json::Value& schema) {
        json::Value out(rapidjson::kObjectType);
        if (const json::Value* properties = json::find(schema, {"properties"})) {
            const json::Value* required = json::find(schema, {"required"});
            for (const auto& m : properties->GetObject()) {
                bool wanted = chance(3);
                if (required) {
                    for (const json::Value& name : required->GetArray()) wanted |= name == m.name;
                }
                if (wanted) json::set(out, json::view(m.name), make(m.value), allocator_);
            }
        }
        if (const json::Value* values = json::find(schema, {"additionalProperties"})) {
            if (chance(2)) json::set(out, "k", make(*values), allocator_);
        }
        const bool keeps_all = json::find(schema, {"x-kubernetes-preserve-unknown-fields"});
        if (!keeps_all && chance(20)) json::set(out, "bogus", json::Value(1), allocator_);
        return out;
    }

    Random& random_;
    json::Allocator& allocator_;
};

TEST(Property, AdmittingIsIdempotentForEveryKind) {
    Kinds kinds = *atelier_kinds();
    add_core_kinds(kinds);
    SeededRandom random(42);
    const NoObjects nothing;
    for (const auto& kind : kinds.all()) {
        std::size_t admitted = 0;
        for (int i = 0; i < 600; ++i) {
            json::Document object;
            Maker maker(random, object.GetAllocator());
            static_cast<json::Value&>(object) = maker.make(kind->schema->source());
            if (!object.IsObject()) continue;
            json::remove(object, "apiVersion");
            json::remove(object, "kind");
            json::Value& metadata = json::object_at(object, "metadata", object.GetAllocator());
            metadata.SetObject();
            json::set(metadata, "name", "thing", object.GetAllocator());
            if (kind->scope == Scope::namespaced) {
                json::set(metadata, "namespace", "a", object.GetAllocator());
            }
            const std::string given = json::text(object);
            std::vector<std::string> unknown;
            const Admission admission{Instant{}, random, nothing, &unknown};
            auto made = admit_create(*kind, std::move(object), admission);
            if (!made) {
                EXPECT_EQ(made.error().code, Code::invalid) << given;
                EXPECT_FALSE(made.error().message.empty()) << given;
                continue;
            }
            ++admitted;
            const std::string stored = json::text(*made);
            EXPECT_EQ(stored.find("bogus"), std::string::npos) << given;

            unknown.clear();
            const auto again = admit_update(*kind, *made, json::copy(*made), admission);
            ASSERT_TRUE(again) << again.error().message << "\n" << stored;
            EXPECT_EQ(json::text(*again), stored);
            EXPECT_TRUE(unknown.empty()) << stored;

            auto by_yaml = parse_yaml(to_yaml(*made), "f");
            ASSERT_TRUE(by_yaml) << by_yaml.error().message;
            const auto edited =
                admit_update(*kind, *made, std::move(by_yaml->front().value), admission);
            ASSERT_TRUE(edited) << edited.error().message << "\n" << stored;
            EXPECT_EQ(json::text(*edited), stored);

            const Body body = encode_body(*made);
            const auto meta = peek_meta(body.with(i + 1));
            ASSERT_TRUE(meta) << meta.error().detail;
            EXPECT_EQ(meta->revision, i + 1);
        }
        EXPECT_GE(admitted, 20u) << kind->plural << ": too few to mean something";
    }
}

}  // namespace
}  // namespace atelier::crds
