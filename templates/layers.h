// The environment layers of a template on their way to its Orgs: Secrets beside the OrgTemplate,
// one for each revision of its history that has any, because an artifact is no place for secrets.
#pragma once

#include <string>
#include <string_view>

#include "crds/core.h"
#include "crds/org_template.h"
#include "templates/compiled.h"

namespace atelier::templates {

// "<template>.template-env.<12 digits>", of the revision and its artifact together: revisions whose
// values alone differ have one artifact.
std::string layers_secret_name(const std::string& template_name,
                               const crds::TemplateRevision& revision);
// Any of those, or one that no revision has any more.
bool is_layers_secret_name(std::string_view name, const std::string& template_name);
bool is_layers_secret(const crds::Secret& secret);

bool has_values(const EnvLayers& layers);
// A digest of the values under a secret key: who lacks the key cannot try values out. Empty when
// there are none.
std::string keyed_digest_of_values(const EnvLayers& layers, std::string_view key);
// Owned by the OrgTemplate. Code::too_large when the values do not fit into one object.
Result<crds::Secret> secret_of_layers(const crds::OrgTemplate& owner, const EnvLayers& layers,
                                      const crds::TemplateRevision& revision);
// They were compiled with that revision's artifact.
bool are_layers_of(const crds::Secret& secret, const crds::TemplateRevision& revision);
Result<EnvLayers> layers_of_secret(const crds::Secret& secret);

}  // namespace atelier::templates
