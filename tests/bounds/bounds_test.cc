// Fault 7 and fault 8: no input costs more than a small multiple of its size. Every decoder gets
// inputs of size n and 2n; twice the input may cost at most 2.6 times the steps (n log n is 2.2).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/json_members.h"
#include "base/random.h"
#include "crds/core.h"
#include "crds/kind.h"
#include "crds/lifecycle.h"
#include "crds/yaml.h"
#include "steps.h"

namespace atelier::bounds {
namespace {

constexpr double most_growth = 2.6;
constexpr std::size_t size = 4000;

struct Case {
    std::string name;
    std::function<std::string(std::size_t)> input;
    std::function<void(const std::string&)> decode;
};

std::string repeated(std::size_t n, const std::function<std::string(std::size_t)>& part,
                     std::string_view separator = ",") {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) {
        if (i > 0) out += separator;
        out += part(i);
    }
    return out;
}

std::string member(std::size_t i) {
    return fmt::format("\"key-{}\":\"v\"", i);
}

// A name that differs from the others at its end only.
std::string long_member(std::size_t i) {
    return fmt::format("\"{}{}\":1", std::string(60, 'k'), i);
}

std::string config_map(const std::string& rest) {
    return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"default")" +
           rest + "}";
}

std::string secret(const std::string& rest) {
    return R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"a","namespace":"default"},)" +
           rest + "}";
}

class NoLookup final : public crds::Lookup {
  public:
    std::string find(const Key&) const override { return {}; }
};

const crds::Kinds& kinds() {
    static const crds::Kinds all = [] {
        crds::Kinds made;
        crds::add_core_kinds(made);
        return made;
    }();
    return all;
}

void admit(const std::string& resource, const std::string& text) {
    auto object = json::parse(text);
    if (!object) return;
    const NoLookup lookup;
    SeededRandom random(1);
    std::vector<std::string> unknown;
    (void)crds::admit_create(*kinds().find(resource), *std::move(object),
                             {Instant{}, random, lookup, &unknown});
}

// An update of an object by itself with its members in reverse order.
void update(const std::string& resource, const std::string& text) {
    const auto object = json::parse(text);
    ASSERT_TRUE(object);
    const NoLookup lookup;
    SeededRandom random(1);
    const crds::Kind& kind = *kinds().find(resource);
    const crds::Admission admission{Instant{}, random, lookup, nullptr};
    const auto old = crds::admit_create(kind, json::copy(*object), admission);
    ASSERT_TRUE(old);
    json::Document next = json::copy(*old);
    json::Value& data = *json::find(next, {"data"});
    json::Value reversed(rapidjson::kObjectType);
    for (auto m = data.MemberEnd(); m != data.MemberBegin();) {
        --m;
        reversed.AddMember(m->name, m->value, next.GetAllocator());
    }
    data = std::move(reversed);
    ASSERT_TRUE(crds::admit_update(kind, *old, std::move(next), admission));
}

void parse(const std::string& text) {
    std::vector<std::string> duplicates;
    (void)json::parse_lenient(text, duplicates);
}

void patch(const std::string& target, const std::string& text) {
    auto object = json::parse(target);
    const auto change = json::parse(text);
    ASSERT_TRUE(object && change);
    json::merge_patch(*object, *change, object->GetAllocator());
}

std::vector<Case> json_cases() {
    return {
        {"json members", [](std::size_t n) { return "{" + repeated(n, member) + "}"; }, parse},
        {"json duplicates of one key",
         [](std::size_t n) {
             return "{" + repeated(n, [](std::size_t) { return "\"a\":1"; }) + "}";
         },
         parse},
        {"json, every key twice",
         [](std::size_t n) {
             return "{" + repeated(n, long_member) + "," + repeated(n, long_member) + "}";
         },
         parse},
        {"json, containers below a long key",
         [](std::size_t n) {
             return "{\"" + std::string(n, 'k') + "\":[" +
                    repeated(n, [](std::size_t) { return "[]"; }) + "]}";
         },
         parse},
        {"json, duplicates below a long key",
         [](std::size_t n) {
             return "{\"" + std::string(std::min<std::size_t>(n, 4000), 'k') + "\":[" +
                    repeated(n, [](std::size_t) { return R"({"a":1,"a":2})"; }) + "]}";
         },
         parse},
        {"merge patch that adds", [](std::size_t n) { return "{" + repeated(n, member) + "}"; },
         [](const std::string& text) { patch("{}", text); }},
        {"merge patch that changes", [](std::size_t n) { return "{" + repeated(n, member) + "}"; },
         [](const std::string& text) { patch(text, text); }},
        {"equal in another order", [](std::size_t n) { return "{" + repeated(n, member) + "}"; },
         [](const std::string& text) {
             const auto a = json::parse(text);
             json::Value b(rapidjson::kObjectType);
             json::Document owner;
             for (auto m = a->MemberEnd(); m != a->MemberBegin();) {
                 --m;
                 b.AddMember(json::Value(m->name, owner.GetAllocator()),
                             json::Value(m->value, owner.GetAllocator()), owner.GetAllocator());
             }
             EXPECT_TRUE(json::equal(*a, b));
         }},
    };
}

std::vector<Case> yaml_cases() {
    const auto read = [](const std::string& text) { (void)crds::parse_yaml(text, "a.yaml"); };
    return {
        {"yaml members",
         [](std::size_t n) {
             return repeated(
                 n, [](std::size_t i) { return fmt::format("k{}: v\n", i); }, "");
         },
         read},
        {"yaml items",
         [](std::size_t n) {
             return repeated(
                 n, [](std::size_t i) { return fmt::format("- {{a: {}}}\n", i); }, "");
         },
         read},
        {"yaml documents",
         [](std::size_t n) {
             return repeated(
                 n, [](std::size_t) { return "a: 1\n"; }, "---\n");
         },
         read},
        {"yaml with invalid UTF-8 at the end of a line",
         [](std::size_t n) { return "a: " + std::string(n * 10, 'x') + "\xff\n"; }, read},
        {"yaml with invalid UTF-8 after many lines",
         [](std::size_t n) {
             return repeated(
                        n, [](std::size_t) { return "a\n"; }, "") +
                    "\xff\n";
         },
         read},
        {"yaml with a tab after many lines",
         [](std::size_t n) {
             return repeated(
                        n, [](std::size_t i) { return fmt::format("k{}: v\n", i); }, "") +
                    "\tx: [\n";
         },
         read},
        {"yaml aliases",
         [](std::size_t n) {
             return "a: &a {b: c}\nl:\n" + repeated(
                                               n, [](std::size_t) { return "- *a\n"; }, "");
         },
         read},
        {"yaml merges",
         [](std::size_t n) {
             return "a: &a {b: c}\nl:\n" + repeated(
                                               n, [](std::size_t) { return "- {<<: *a}\n"; }, "");
         },
         read},
    };
}

std::vector<Case> object_cases() {
    const auto many = [](std::string_view name, std::size_t n) {
        return fmt::format(",\"{}\":{{{}}}", name, repeated(n, member));
    };
    return {
        {"unknown fields",
         [](std::size_t n) {
             return config_map(
                 "}," + repeated(n, [](std::size_t i) { return fmt::format("\"x{}\":1", i); }));
         },
         [](const std::string& text) { admit("configmaps", text); }},
        {"bad labels",
         [](std::size_t n) {
             return config_map(
                 ",\"labels\":{" +
                 repeated(n, [](std::size_t i) { return fmt::format("\"-{}\":\"\"", i); }) + "}}");
         },
         [](const std::string& text) { admit("configmaps", text); }},
        {"finalizers",
         [](std::size_t n) {
             return config_map(
                 ",\"finalizers\":[" +
                 repeated(n, [](std::size_t i) { return fmt::format("\"a.b/{}\"", i); }) + "]}");
         },
         [](const std::string& text) { admit("configmaps", text); }},
        {"bad keys of data",
         [](std::size_t n) {
             return config_map(
                 "},\"data\":{" +
                 repeated(n, [](std::size_t i) { return fmt::format("\"/{}\":\"\"", i); }) + "}");
         },
         [](const std::string& text) { admit("configmaps", text); }},
        {"data and binaryData",
         [=](std::size_t n) { return config_map("}" + many("data", n) + many("binaryData", n)); },
         [](const std::string& text) { admit("configmaps", text); }},
        {"stringData over data",
         [=](std::size_t n) {
             return secret("\"type\":\"Opaque\"" + many("data", n) + many("stringData", n));
         },
         [](const std::string& text) { admit("secrets", text); }},
        {"an update in another order",
         [=](std::size_t n) { return config_map("}" + many("data", n)); },
         [](const std::string& text) { update("configmaps", text); }},
    };
}

void check(const std::vector<Case>& cases) {
    for (const Case& one : cases) {
        const std::string small = one.input(size);
        const std::string large = one.input(2 * size);
        one.decode(small);  // what is made once is made here
        const auto first = steps_of([&] { one.decode(small); });
        const auto second = steps_of([&] { one.decode(large); });
        EXPECT_GT(first, size / 2) << one.name << ": nothing was counted";
        EXPECT_LE(static_cast<double>(second), most_growth * static_cast<double>(first))
            << one.name << ": " << first << " steps for " << small.size() << " bytes, " << second
            << " for " << large.size();
    }
}

TEST(Bounds, Fault7_JsonCostsAMultipleOfItsSize) {
    check(json_cases());
}

TEST(Bounds, Fault8_YamlCostsAMultipleOfItsSize) {
    check(yaml_cases());
}

TEST(Bounds, Fault8_AdmissionCostsAMultipleOfTheObject) {
    check(object_cases());
}

// The check itself sees a square.
TEST(Bounds, ASquareIsFound) {
    const auto square = [](std::size_t n) {
        json::Document object(rapidjson::kObjectType);
        for (std::size_t i = 0; i < n; ++i) {
            json::set(object, fmt::format("k{}", i), "v", object.GetAllocator());
        }
    };
    const auto small = steps_of([&] { square(500); });
    const auto large = steps_of([&] { square(1000); });
    EXPECT_GT(static_cast<double>(large), most_growth * static_cast<double>(small));
}

}  // namespace
}  // namespace atelier::bounds
