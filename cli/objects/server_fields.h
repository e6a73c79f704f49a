// The fields of an object that the server writes.
#pragma once

#include "base/json.h"

namespace atelier::cli {

// Removes the status, and what the server changes with every write: resourceVersion, generation,
// managedFields.
void remove_written_fields(json::Document& object);

// Removes also what the server sets once: uid, times of creation and deletion, selfLink. What is
// left is what a person may declare.
void remove_server_fields(json::Document& object);

}  // namespace atelier::cli
