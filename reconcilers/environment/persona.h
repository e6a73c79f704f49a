// The environment that a role brings along: one Secret per persona, beside the Org. Pure.
#pragma once

#include <optional>
#include <string>

#include "crds/org.h"
#include "templates/compiled.h"

namespace atelier::reconcilers {

struct PersonaUse {
    std::string secret;     // the Secret's name; empty: files_dir gives no key
    bool required = false;  // the node names its persona itself: without it, it does not start
};

// The persona of a node: the one it names, else, where the Org wants personas, the last part of its
// files_dir as the template says it, wherever its files come from. nullopt: it has none.
std::optional<PersonaUse> persona_of(const templates::Node& node, const crds::OrgSpec& org);

// "persona-" and "Core_Lead" -> "persona-core-lead".
std::string persona_secret_name(const std::string& prefix, const std::string& persona);

// What the Secrets of an Org's personas begin with.
std::string persona_prefix(const crds::OrgSpec& org);

}  // namespace atelier::reconcilers
