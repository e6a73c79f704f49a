// What a channel must have for its service to take it, and which of its settings are secrets.
#pragma once

#include <string>
#include <string_view>

#include "crds/workspace.h"

namespace atelier::templates {

// A setting that no object may hold in the clear: a token, a password, the address of a webhook,
// which lets everybody write who knows it.
bool is_secret_setting(std::string_view name);

// The variable that takes the place of a secret that stands in the template itself.
std::string variable_of_setting(std::string_view type, std::string_view name);

// Empty, or why the channel cannot be used: another type than those known, a setting that is not
// there or not well-formed. One with ${NAME} in it is taken to be right.
std::string why_unusable(const crds::Channel& channel);

}  // namespace atelier::templates
