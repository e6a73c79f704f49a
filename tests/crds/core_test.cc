#include "crds/core.h"

#include <gtest/gtest.h>

namespace atelier::crds {
namespace {

TEST(Core, SecretsAreDecodedAndEncoded) {
    const auto secret = decode_secret(
        R"({"metadata":{"name":"s","namespace":"d"},"type":"t","data":{"a":"aGk=","b":"AAH/"}})");
    ASSERT_TRUE(secret) << secret.error().message;
    EXPECT_EQ(secret->data.at("a"), "hi");
    EXPECT_EQ(secret->data.at("b"), std::string("\x00\x01\xff", 3));
    EXPECT_EQ(secret->type, "t");
    const auto again = decode_secret(json::text(encode_secret(*secret)));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->data, secret->data);
    EXPECT_EQ(again->meta.name, "s");
    EXPECT_FALSE(json::find(encode_secret(Secret{}), {"data"}));
}

TEST(Core, ABadSecretIsRefusedWithoutItsValue) {
    const auto secret = decode_secret(R"({"data":{"a":"hunter2!"}})");
    ASSERT_FALSE(secret);
    EXPECT_EQ(secret.error().message, "data.a: must be base64");
    EXPECT_FALSE(decode_secret(R"({"data":[]})"));
    EXPECT_FALSE(decode_secret("{"));
}

TEST(Core, ConfigMapsAreDecoded) {
    const auto map = decode_config_map(R"({"metadata":{"name":"m"},"data":{"a":"b"}})");
    ASSERT_TRUE(map);
    EXPECT_EQ(map->data.at("a"), "b");
    EXPECT_FALSE(decode_config_map(R"({"data":{"a":1}})"));
}

}  // namespace
}  // namespace atelier::crds
