// The finalizers that the server itself sets and takes away, with Kubernetes' names
// (https://kubernetes.io/docs/concepts/architecture/garbage-collection/).
#pragma once

#include <string_view>

namespace atelier::crds::finalizer {

inline constexpr std::string_view foreground = "foregroundDeletion";  // dependents go first
inline constexpr std::string_view orphan = "orphan";          // dependents are released first
inline constexpr std::string_view kubernetes = "kubernetes";  // in spec.finalizers of a namespace

}  // namespace atelier::crds::finalizer
