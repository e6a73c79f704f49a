// What a channel must have for its service to accept it, and which of its settings are secrets.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "crds/workspace.h"

namespace atelier::templates {

// A setting that no object may hold in clear text: a token, a password, or the address of a
// webhook, which allows everybody who knows it to write.
bool is_secret_setting(std::string_view name);

// The variable that replaces a secret which is written in the template:
// "CHANNEL_TELEGRAM_BOT_TOKEN".
std::string variable_of_setting(std::string_view type, std::string_view name);

// Why the channel cannot be used: an unknown type, or a setting that is missing or malformed.
// Empty: it can. A setting with ${NAME} in it counts as well-formed.
std::string why_unusable(const crds::Channel& channel);

}  // namespace atelier::templates
