// How the values of a template's `.env` files reach its Orgs: as Secrets beside the OrgTemplate,
// one for each revision of its history that has values. The artifact holds their names only,
// because everybody who may read the tree store sees it.
#pragma once

#include <string>
#include <string_view>

#include "crds/core.h"
#include "crds/org_template.h"
#include "templates/compiled.h"

namespace atelier::templates {

// "<template>.template-env.<12 digits>". The digits are of the revision and its artifact together,
// because revisions that differ in values alone have the same artifact.
std::string layers_secret_name(const std::string& template_name,
                               const crds::TemplateRevision& revision);
// Whether a Secret of that name belongs to the template, also to a revision that is gone.
bool is_layers_secret_name(std::string_view name, const std::string& template_name);
bool is_layers_secret(const crds::Secret& secret);

bool has_values(const EnvLayers& layers);
// A digest of the values under a secret key: without the key, values cannot be guessed from it.
// Empty when there are no values.
std::string keyed_digest_of_values(const EnvLayers& layers, std::string_view key);
// Owned by the OrgTemplate. Code::too_large when the values do not fit into one object.
Result<crds::Secret> secret_of_layers(const crds::OrgTemplate& owner, const EnvLayers& layers,
                                      const crds::TemplateRevision& revision);
// Whether the Secret was written for the artifact of that revision.
bool are_layers_of(const crds::Secret& secret, const crds::TemplateRevision& revision);
Result<EnvLayers> layers_of_secret(const crds::Secret& secret);

}  // namespace atelier::templates
