// Seals values before they reach a database: AES-256-GCM with a random 12-byte nonce for each
// value. The place of a value is its associated data, so that a sealed value that is moved to
// another place in the database cannot be opened there.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"

namespace atelier::store {

// Thread-safe if `random` is. Layout of a sealed value: nonce, ciphertext, 16 bytes of tag.
class Sealer {
  public:
    // `keys` are 32 bytes each. The first one seals; all of them open, so that values can be moved
    // from an old key to a new one while both are known. No keys: can neither seal nor open.
    static Result<Sealer> make(std::vector<std::string> keys, Random& random);

    bool has_key() const { return !keys_.empty(); }
    bool knows(std::string_view key_id) const;
    // Names the key that seals, stored beside each value. Tells nothing about the key.
    const std::string& key_id() const { return keys_.front().id; }
    std::string seal(std::string_view value, std::string_view place) const;
    Result<std::string> open(std::string_view sealed, std::string_view key_id,
                             std::string_view place) const;

  private:
    struct NamedKey {
        std::string id;
        std::string bytes;
    };
    explicit Sealer(Random& random) : random_(&random) {}
    std::vector<NamedKey> keys_;
    Random* random_;
};

}  // namespace atelier::store
