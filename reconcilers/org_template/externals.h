// The other repositories that a template is made of. Used by one thread at a time.
//
// A compilation asks for what it meets and goes on without it; then all of that is fetched at once,
// in parallel, and the template is compiled again, until nothing new is asked for.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crds/org_template.h"
#include "drivers/git.h"
#include "reconcilers/org_template/external_rule.h"
#include "reconcilers/org_template/files.h"

namespace atelier::reconcilers {

// A repository at a commit.
struct ExternalTree {
    std::string identity;  // URL and commit
    std::unique_ptr<TemplateFiles> files;
};

class Externals {
  public:
    virtual ~Externals() = default;
    virtual Result<ExternalTarget> check(const ExternalRequest& request) const = 0;
    // nullptr: it was asked for by this call, and is there after fetch_asked().
    virtual Result<ExternalTree*> open(const ExternalTarget& target) = 0;
    // Fetches what was asked for; false: nothing was.
    virtual bool fetch_asked() = 0;
    // What was fetched, by URL and ref.
    virtual std::vector<crds::TemplateExternal> fetched() const = 0;
};

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
std::unique_ptr<Externals> external_repositories(drivers::Git& git, ExternalPolicy policy,
                                                 std::vector<ExternalAccess> access,
                                                 const ExternalLimits& limits = {});

}  // namespace atelier::reconcilers
