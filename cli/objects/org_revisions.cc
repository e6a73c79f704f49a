#include "cli/objects/org_revisions.h"

#include "crds/template_revision.h"

namespace atelier::cli {

Result<OrgRevisions> org_revisions(Session& session, std::string name) {
    name = name.substr(name.find('/') + 1);
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    OrgRevisions all;
    const Resource orgs = TRY(client->resolve(crds::OrgSpec::resource));
    const json::Document org = TRY(client->get(orgs, ns, name));
    all.org = TRY(crds::decode<crds::Org>(static_cast<const json::Value&>(org)));
    const Resource templates = TRY(client->resolve(crds::OrgTemplateSpec::resource));
    const json::Document source = TRY(client->get(templates, ns, all.org.spec.template_ref.name));
    all.source = TRY(crds::decode<crds::OrgTemplate>(static_cast<const json::Value&>(source)));
    return all;
}

bool OrgRevisions::runs(const crds::TemplateRevision& entry) const {
    if (org.status.artifact_digest != entry.artifact_digest) return false;
    return org.status.history.empty() || org.status.history.front().revision == entry.revision;
}

Result<crds::TemplateRevision> OrgRevisions::find(const std::string& text) const {
    const crds::OrgTemplateStatus& status = source.status;
    // A commit that changes nothing of this template makes no entry in the history: the newest
    // commit then stands for the newest entry.
    crds::TemplateRevision newest;
    newest.revision = status.revision;
    auto found = crds::find_revision(status.history, text, org.status.artifact_digest);
    if (!found && !status.history.empty() && crds::is_named(newest, text)) {
        return status.history.front();
    }
    if (found) return found;
    return Error{Code::not_found, found.error().message + "; `atelier history " + org.meta.name +
                                      "` lists the revisions"};
}

Result<std::string> OrgRevisions::name_of(const std::string& text) const {
    const auto entry = TRY(find(text));
    crds::TemplateRevision artifact;
    artifact.artifact_digest = entry.artifact_digest;
    return crds::is_named(artifact, text) ? entry.artifact_digest : entry.revision;
}

}  // namespace atelier::cli
