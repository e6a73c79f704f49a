// The environment layers of a template on their way to its Orgs: a Secret beside the OrgTemplate,
// because an artifact is no place for secrets.
#pragma once

#include <string>

#include "crds/core.h"
#include "crds/org_template.h"
#include "reconcilers/org_template/compiled.h"

namespace atelier::reconcilers {

// "<template>.template-env"
std::string layers_secret_name(const std::string& template_name);

bool has_values(const EnvLayers& layers);
// Owned by the OrgTemplate. `artifact` is the digest of the tree that these layers were compiled
// with. Code::too_large when the values do not fit into one object.
Result<crds::Secret> secret_of_layers(const crds::OrgTemplate& owner, const EnvLayers& layers,
                                      const std::string& artifact);
// They were compiled with that tree: the Secret is written before the status that names the tree,
// so for a moment it is newer than what the status says.
bool are_layers_of(const crds::Secret& secret, const std::string& artifact);
Result<EnvLayers> layers_of_secret(const crds::Secret& secret);

}  // namespace atelier::reconcilers
