// The repositories that `!external` names, fetched by git.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drivers/git/git.h"
#include "templates/externals.h"

namespace atelier::reconcilers {

struct ExternalLimits {
    std::size_t repositories = 64;   // of one template, at each ref
    std::int64_t bytes = 256 << 20;  // of all of them
    std::size_t fetches_at_once = 8;
};

// By git. How to read what is at an origin: the first of that origin; else anonymously.
struct ExternalAccess {
    std::string origin;
    std::optional<drivers::GitCredential> credential;
    std::string ca_pem;
};

// `git` outlives it. No message tells a credential, even if a server does.
std::unique_ptr<templates::Externals> external_repositories(drivers::Git& git, templates::ExternalPolicy policy,
                                                 std::vector<ExternalAccess> access,
                                                 const ExternalLimits& limits = {});

}  // namespace atelier::reconcilers
