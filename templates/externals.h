// The other repositories that a template refers to with `!external`. Used by one thread at a time.
//
// A compilation that meets a repository which is not fetched yet notes it and goes on without its
// content. Then all noted repositories are fetched in parallel, and the template is compiled again,
// until no new one is met.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crds/org_template.h"
#include "templates/external_rule.h"
#include "templates/files.h"
#include "templates/finding.h"

namespace atelier::templates {

// A repository at a commit.
struct ExternalTree {
    std::string identity;  // URL and commit
    std::unique_ptr<TemplateFiles> files;
    std::vector<Finding> warnings;  // about the repository, not about its content
};

class Externals {
  public:
    virtual ~Externals() = default;
    // Errors as of check_external().
    virtual Result<ExternalTarget> check(const ExternalRequest& request) const = 0;
    // nullptr: the repository is not fetched yet, and is noted for fetch_pending(). The error of an
    // earlier fetch is returned again. The tree lives as long as this object.
    virtual Result<ExternalTree*> open(const ExternalTarget& target) = 0;
    // Fetches every noted repository and blocks until that is done. False: none was noted.
    virtual bool fetch_pending() = 0;
    // The repositories that were fetched, sorted by URL and ref.
    virtual std::vector<crds::TemplateExternal> fetched() const = 0;
};

}  // namespace atelier::templates
