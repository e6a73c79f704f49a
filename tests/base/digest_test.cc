#include "base/digest.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace atelier {
namespace {

// The vectors of FIPS 180-4.
TEST(Digest, Sha256) {
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_hex("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    Sha256 parts;
    parts.update("a").update("").update("bc");
    Sha256 moved = std::move(parts);
    EXPECT_EQ(moved.hex(), sha256_hex("abc"));
}

// The vectors of RFC 4648, section 10.
TEST(Digest, Base64) {
    const std::pair<std::string_view, std::string_view> rows[] = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : rows) {
        EXPECT_EQ(base64(plain), encoded);
        std::string bytes = "left over";
        ASSERT_TRUE(base64_decode(encoded, bytes)) << encoded;
        EXPECT_EQ(bytes, plain);
    }
    std::string bytes;
    for (const std::string_view bad :
         {"Zg", "Zg=", "Z===", "====", "=Zg=", "Zm 9v", "Zm9v\n", "Zm-v", "Zm_v", "Z=g="}) {
        EXPECT_FALSE(base64_decode(bad, bytes)) << bad;
    }
}

TEST(Digest, AnyBytesSurviveBase64) {
    SeededRandom random(11);
    for (int i = 0; i < 500; ++i) {
        std::string plain;
        for (std::uint64_t n = random.next() % 100; n > 0; --n) {
            plain += static_cast<char>(random.next() & 0xff);
        }
        std::string bytes;
        ASSERT_TRUE(base64_decode(base64(plain), bytes));
        EXPECT_EQ(bytes, plain);
    }
}

TEST(Digest, Hex) {
    EXPECT_EQ(to_hex(std::string_view("\x00\x7f\xff", 3)), "007fff");
}

}  // namespace
}  // namespace atelier
