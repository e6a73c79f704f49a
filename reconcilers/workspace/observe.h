// Reads what a Workspace is reconciled against, from the store and from the runtimes. Changes
// nothing.
#pragma once

#include "crds/workspace.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/common/runtimes.h"
#include "reconcilers/workspace/observed.h"

namespace atelier::reconcilers::workspace {

// An Error only when the store has an object that cannot be decoded; a runtime that does not answer
// is Place::unknown.
Result<Observed> observe(const crds::Workspace& object, const Objects& objects,
                         const Runtimes& runtimes);

// Whether no other Workspace stays on this server: the network goes with the last one. One that is
// being deleted itself does not count.
bool is_last_of_server(const Objects& objects, const std::string& uid);

}  // namespace atelier::reconcilers::workspace
