// What the verbs about plugin updates share.
#pragma once

#include <string>

#include "cli/session/session.h"
#include "crds/plugin_update.h"

namespace atelier::cli {

// Pending, and nobody has decided.
bool waits_for_decision(const crds::PluginUpdate& update);
// The first 12 characters of the commit, else of the digest; "-" when there is neither.
std::string short_version(const crds::PluginVersion& version);

// approve and dismiss: writes the decision into the update that the arguments name. A decision that
// was made the same way is success; one that was made otherwise is exit_code::conflict.
int run_decision(Session& session, crds::Decision decision);

}  // namespace atelier::cli
