// SHA-256, the only digest of Atelier. Text form: 64 lower-case hexadecimal digits.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace atelier {

std::string sha256_hex(std::string_view bytes);

class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    Sha256& update(std::string_view bytes);
    std::string hex();  // ends the computation; call once

  private:
    struct State;
    std::unique_ptr<State> state_;
};

std::string to_hex(std::string_view bytes);
// Standard alphabet with padding, as Kubernetes has Secret.data.
std::string base64(std::string_view bytes);
// Empty optional-like: returns false when `text` is not base64.
bool base64_decode(std::string_view text, std::string& bytes);

}  // namespace atelier
