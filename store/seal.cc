#include "store/seal.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "base/digest.h"

namespace atelier::store {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}
int length_of(std::string_view text) {
    return static_cast<int>(text.size());
}

std::string fresh_nonce(Random& random) {
    std::string nonce;
    while (nonce.size() < nonce_size) {
        const std::uint64_t word = random.next();
        char bytes[sizeof word];
        std::memcpy(bytes, &word, sizeof word);
        nonce.append(bytes, std::min(sizeof word, nonce_size - nonce.size()));
    }
    return nonce;
}

}  // namespace

Result<Sealer> Sealer::make(std::vector<std::string> keys, Random& random) {
    Sealer sealer(random);
    for (std::string& key : keys) {
        if (key.size() != key_size) {
            return Error{Code::invalid,
                         fmt::format("the encryption key must have {} bytes, this one has {}",
                                     key_size, key.size())};
        }
        std::string id = sha256_hex("atelier encryption key " + key).substr(0, 12);
        sealer.keys_.push_back({std::move(id), std::move(key)});
    }
    return sealer;
}

bool Sealer::knows(std::string_view key_id) const {
    return std::any_of(keys_.begin(), keys_.end(),
                       [&](const NamedKey& key) { return key.id == key_id; });
}

std::string Sealer::seal(std::string_view value, std::string_view place) const {
    const Context context(EVP_CIPHER_CTX_new());
    std::string out = fresh_nonce(*random_);
    out.resize(nonce_size + value.size() + tag_size);
    unsigned char* const at = bytes_of(out) + nonce_size;
    int n = 0;
    CHECK(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                             bytes_of(std::string_view(keys_.front().bytes)),
                             bytes_of(std::string_view(out))) == 1);
    CHECK(EVP_EncryptUpdate(context.get(), nullptr, &n, bytes_of(place), length_of(place)) == 1);
    CHECK(EVP_EncryptUpdate(context.get(), at, &n, bytes_of(value), length_of(value)) == 1);
    CHECK(EVP_EncryptFinal_ex(context.get(), at + value.size(), &n) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_size, at + value.size()) ==
          1);
    return out;
}

Result<std::string> Sealer::open(std::string_view sealed, std::string_view key_id,
                                 std::string_view place) const {
    const auto key =
        std::find_if(keys_.begin(), keys_.end(), [&](const NamedKey& k) { return k.id == key_id; });
    if (key == keys_.end()) {
        return Error{Code::invalid, fmt::format("sealed under the encryption key {}, which is not "
                                                "the one given; start with that key",
                                                key_id)};
    }
    const Error damaged{Code::internal, "the sealed value was damaged or moved"};
    if (sealed.size() < nonce_size + tag_size) return damaged;
    const std::string_view cipher =
        sealed.substr(nonce_size, sealed.size() - nonce_size - tag_size);
    std::string tag(sealed.substr(sealed.size() - tag_size));
    std::string out(cipher.size(), '\0');
    const Context context(EVP_CIPHER_CTX_new());
    int n = 0;
    CHECK(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                             bytes_of(std::string_view(key->bytes)), bytes_of(sealed)) == 1);
    CHECK(EVP_DecryptUpdate(context.get(), nullptr, &n, bytes_of(place), length_of(place)) == 1);
    CHECK(EVP_DecryptUpdate(context.get(), bytes_of(out), &n, bytes_of(cipher),
                            length_of(cipher)) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()) == 1);
    unsigned char rest[tag_size];
    if (EVP_DecryptFinal_ex(context.get(), rest, &n) != 1) return damaged;
    return out;
}

}  // namespace atelier::store
