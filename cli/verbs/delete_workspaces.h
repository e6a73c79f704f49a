// What the deletion of a Workspace decides beyond the object itself: what happens to its children
// and to its volumes.
#pragma once

#include <string>
#include <vector>

#include "cli/objects/await.h"

namespace atelier::cli {

// Handles the children of the Workspaces in `objects` that are not in `objects` themselves, as
// --children says. "delete": adds them to `objects`, each before its parent. "leave": clears
// spec.parent of those that no Org owns. Without the flag: Code::conflict names them. Warns about
// each Workspace that an Org owns, because the Org makes it again.
Result<void> settle_children(Session& session, Client& client, std::vector<Awaited>& objects,
                             bool dry_run);

// The time until which --keep-volumes keeps the volumes ("7d": seven days from now), as RFC 3339;
// empty without the flag.
Result<std::string> keep_volumes_until(const Session& session);

// Sets the annotation that keeps the volumes of a Workspace, or of the Workspaces of an Org, once
// it is deleted. Code::invalid for any other kind.
Result<void> mark_to_keep(Client& client, const Awaited& object, const std::string& until);
// Removes that annotation.
Result<void> unmark(Client& client, const Awaited& object);

}  // namespace atelier::cli
