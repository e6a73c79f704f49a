// Fingerprints of the values that an Org gives its workspaces, which tell two sets of values apart
// without showing any: those of its template's .env files, of the Secrets and ConfigMaps in
// spec.envFrom, and of personas. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "reconcilers/org/observe.h"

namespace atelier::reconcilers {

// "the org's .env: TOKEN" -> "1a2b3c4d".
std::map<std::string, std::string> environment_fingerprints(const org::Observed& observed,
                                                            std::string_view key);

// Over all of them, keyed. Equal ones are of equal values; "none" where there is no value.
std::string environment_digest(const org::Observed& observed, std::string_view key);

}  // namespace atelier::reconcilers
