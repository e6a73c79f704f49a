// The other repositories that a template is made of. Used by one thread at a time.
//
// A compilation asks for what it meets and goes on without it; then all of that is fetched at once,
// in parallel, and the template is compiled again, until nothing new is asked for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crds/org_template.h"
#include "templates/external_rule.h"
#include "templates/files.h"

namespace atelier::templates {

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

}  // namespace atelier::templates
