// The values that an Org hands its workspaces, told apart without telling any: of its template's
// .env files, of the Secrets and ConfigMaps in spec.envFrom, and of personas. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "reconcilers/org/observed.h"

namespace atelier::reconcilers {

// "the org's .env: TOKEN" -> "1a2b3c4d".
std::map<std::string, std::string> environment_fingerprints(const OrgObserved& observed,
                                                            std::string_view key);

// Over all of them, keyed. Equal ones are of equal values; "none" where there is no value.
std::string environment_digest(const OrgObserved& observed, std::string_view key);

}  // namespace atelier::reconcilers
