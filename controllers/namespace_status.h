// What a namespace that is being deleted says of the content that holds it up, in the conditions,
// reasons and words of Kubernetes' namespace controller
// (https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/namespace/deletion).
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "base/json.h"
#include "store/store.h"

namespace atelier::controllers {

struct RemainingContent {
    std::map<std::string, std::size_t> resources;   // objects by resource
    std::map<std::string, std::size_t> finalizers;  // objects by finalizer
    std::map<std::string, std::size_t> failures;    // deletions that were refused, by resource

    void add(const store::Object& object);
};

// Sets status.conditions of the namespace. False when they said so already.
bool set_remaining(json::Document& ns, const RemainingContent& remaining, Instant now);

}  // namespace atelier::controllers
