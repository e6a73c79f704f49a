// Who is asking: bearer tokens and verified client certificates.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apiserver/http/http.h"

namespace atelier::apiserver {

struct Credential {
    std::string token;  // a secret: never logged
    std::string user;
    std::vector<std::string> groups;
};

struct User {
    std::string name;
    std::vector<std::string> groups;  // system:authenticated among them
};

// Immutable; safe to share between threads.
class Authentication {
  public:
    explicit Authentication(const std::vector<Credential>& credentials);

    // nullopt: unknown. A wrong token is refused even with a valid certificate. The time taken does
    // not depend on how much of a token was right.
    std::optional<User> who(const Request& request) const;

    // The same for a token alone.
    std::optional<User> who_has(std::string_view token) const;
    // Whether a credential is of that user.
    bool knows(std::string_view user) const;

  private:
    struct Known {
        std::string digest;  // of the token
        User user;
    };
    std::vector<Known> known_;
};

}  // namespace atelier::apiserver
