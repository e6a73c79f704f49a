#include "apiserver/identity/authentication.h"

#include <algorithm>

#include "apiserver/identity/constant_time.h"
#include "base/digest.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

constexpr std::string_view everyone = "system:authenticated";

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

Authentication::Authentication(const std::vector<Credential>& credentials) {
    for (const Credential& credential : credentials) {
        if (credential.token.empty()) continue;
        User user{credential.user, credential.groups};
        user.groups.emplace_back(everyone);
        known_.push_back({sha256_hex(credential.token), std::move(user)});
    }
}

std::optional<User> Authentication::who(const Request& request) const {
    const std::string_view header = request.header("authorization");
    if (header.empty()) {
        if (request.client_identity.empty()) return std::nullopt;
        return User{common_name(request.client_identity), {std::string(everyone)}};
    }
    return who_has(bearer_token(header));
}

std::optional<User> Authentication::who_has(std::string_view token) const {
    if (token.empty()) return std::nullopt;
    // Digests are compared: neither content nor length of a token shows in the time taken.
    const std::string digest = sha256_hex(token);
    const Known* found = nullptr;
    for (const Known& known : known_) {
        if (equal_in_constant_time(known.digest, digest)) found = &known;
    }
    if (!found) return std::nullopt;
    return found->user;
}

bool Authentication::knows(std::string_view user) const {
    return std::any_of(known_.begin(), known_.end(),
                       [&](const Known& known) { return known.user.name == user; });
}

}  // namespace atelier::apiserver
