#include "reconcilers/environment/persona.h"

#include <algorithm>

#include "base/text.h"
#include "templates/env.h"

namespace atelier::reconcilers {

std::string persona_prefix(const crds::OrgSpec& org) {
    return org.personas ? org.personas->secret_prefix : crds::Personas().secret_prefix;
}

std::string persona_secret_name(const std::string& prefix, const std::string& persona) {
    std::string name = lower(persona);
    std::replace(name.begin(), name.end(), '_', '-');
    return prefix + name;
}

std::optional<PersonaUse> persona_of(const templates::Node& node, const crds::OrgSpec& org) {
    if (node.external) return std::nullopt;
    if (!node.persona.empty()) {
        return PersonaUse{persona_secret_name(persona_prefix(org), node.persona), true};
    }
    if (!org.personas || node.files_dir.empty()) return std::nullopt;
    const std::string key = node.files_dir.substr(node.files_dir.rfind('/') + 1);
    if (!templates::is_persona_key(key)) return PersonaUse{};
    return PersonaUse{persona_secret_name(persona_prefix(org), key), false};
}

}  // namespace atelier::reconcilers
