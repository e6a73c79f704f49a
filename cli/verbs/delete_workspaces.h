// What deleting a Workspace asks beyond the object itself: what becomes of its children, and of its
// volumes.
#pragma once

#include <string>
#include <vector>

#include "cli/await.h"

namespace atelier::cli {

// Children of Workspaces among `objects` that are not among them themselves, as --children says:
// "delete": they are put among them, before their parents; "leave": those that no Org owns lose
// their parent; else Code::conflict names them. Of those that an Org owns, and would make again, it
// warns.
Result<void> settle_children(Session& session, Client& client, std::vector<Awaited>& objects,
                             bool dry_run);

// Of --keep-volumes: until when; empty when it is not given. "7d" is seven days.
Result<std::string> keep_volumes_until(const Session& session);

// Marks a Workspace or an Org that is about to be deleted; Code::invalid for any other kind.
Result<void> mark_to_keep(Client& client, const Awaited& object, const std::string& until);
Result<void> unmark(Client& client, const Awaited& object);

}  // namespace atelier::cli
