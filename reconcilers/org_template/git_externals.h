// The repositories that `!external` names, fetched with git.
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

// How to read repositories of one origin ("https://git.example"). Of several entries for an origin
// the first is used; without one, repositories are read anonymously.
struct ExternalAccess {
    std::string origin;
    std::optional<drivers::GitCredential> credential;
    std::string ca_pem;
};

// `git` outlives the result. A credential that a server repeats in its answer is replaced by
// "[redacted]" in messages.
std::unique_ptr<templates::Externals> external_repositories(drivers::Git& git,
                                                            templates::ExternalPolicy policy,
                                                            std::vector<ExternalAccess> access,
                                                            const ExternalLimits& limits = {});

}  // namespace atelier::reconcilers
