// The verbs of the API, by Kubernetes' names.
// https://kubernetes.io/docs/reference/using-api/api-concepts/#api-verbs
#pragma once

#include <string_view>

namespace atelier::apiserver {

// `other`: the method is not served at that path; the answer is 405.
enum class Verb { get, list, watch, create, update, patch, remove, remove_collection, other };

// "deletecollection" of Verb::remove_collection, as discovery and metrics write it.
std::string_view name_of(Verb verb);
bool is_write(Verb verb);

}  // namespace atelier::apiserver
