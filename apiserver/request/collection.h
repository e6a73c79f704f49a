// What the requests about collections have in common: list, watch and deletecollection.
#pragma once

#include "apiserver/request/call.h"
#include "apiserver/resources/selectors.h"

namespace atelier::apiserver {

// How long a request waits for the store to reach the revision that it names.
inline constexpr Duration freshness_wait = std::chrono::seconds(3);

// Which objects are asked for: the namespace of the route and the selectors of the options.
Result<Selection> read_selection(const Call& call, const ListOptions& options);
// The answer to options of the query that were refused: Kubernetes names the kind of the options in
// it, "ListOptions" or "PatchOptions", not the resource.
Failure options_failure(const Error& error, std::string_view kind);
// 504 for a revision that the store has not reached within the time that a request waits for it.
Failure too_large_revision(Revision wanted, Revision current);

}  // namespace atelier::apiserver
