#include "apiserver/authentication.h"

#include "base/digest.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

constexpr std::string_view everyone = "system:authenticated";

// Digests are compared, so that neither content nor length of the secret shows in the time taken.
bool same_secret(const std::string& a, const std::string& b) {
    const std::string left = sha256_hex(a);
    const std::string right = sha256_hex(b);
    unsigned difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        difference |= static_cast<unsigned char>(left[i] ^ right[i]);
    }
    return difference == 0;
}

// The part of a subject behind "CN=", or the whole.
std::string common_name(std::string_view subject) {
    const std::size_t at = subject.find("CN=");
    if (at == std::string_view::npos) return std::string(subject);
    subject.remove_prefix(at + 3);
    return std::string(trim(subject.substr(0, subject.find_first_of(",/+"))));
}

std::string bearer_token(std::string_view header) {
    const std::size_t space = header.find(' ');
    if (space == std::string_view::npos || lower(header.substr(0, space)) != "bearer") return {};
    return std::string(trim(header.substr(space)));
}

}  // namespace

std::optional<User> Authentication::who(const Request& request) const {
    const std::string_view header = request.header("authorization");
    if (header.empty()) {
        if (request.client_identity.empty()) return std::nullopt;
        return User{common_name(request.client_identity), {std::string(everyone)}};
    }
    const std::string token = bearer_token(header);
    if (token.empty()) return std::nullopt;
    const Credential* found = nullptr;
    for (const Credential& credential : credentials_) {
        if (!credential.token.empty() && same_secret(credential.token, token)) found = &credential;
    }
    if (!found) return std::nullopt;
    User user{found->user, found->groups};
    user.groups.emplace_back(everyone);
    return user;
}

}  // namespace atelier::apiserver
