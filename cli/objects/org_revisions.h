// An Org beside the revisions of its template.
#pragma once

#include <string>

#include "cli/session/session.h"
#include "crds/org.h"
#include "crds/org_template.h"

namespace atelier::cli {

// An Org and its OrgTemplate.
struct OrgRevisions {
    crds::Org org;
    crds::OrgTemplate source;

    // Whether the Org has applied this revision last.
    bool runs(const crds::TemplateRevision& entry) const;
    // The revision of the template's history that the text names: a commit, a digest of an
    // artifact, or a prefix of one. Code::not_found lists what the history has.
    Result<crds::TemplateRevision> find(const std::string& text) const;
    // The full name to send to the server: the commit when `text` named a commit, else the digest
    // of the artifact. Fails as find().
    Result<std::string> name_of(const std::string& text) const;
};
// Reads both objects from the server. `name` is "acme" or "org/acme".
Result<OrgRevisions> org_revisions(Session& session, std::string name);

}  // namespace atelier::cli
