// The objects of a forecast as they would be stored: decoded, defaulted and admitted by the same
// rules as in the API (crds/lifecycle.h).
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "crds/kind.h"
#include "store/store.h"

namespace atelier::forecast {

struct ProposedObject {
    const crds::Kind* kind = nullptr;
    Key key;
    json::Document object;  // as given, with its namespace filled in
};

// Finds the kind and the key of each object and removes status and resourceVersion. Code::invalid
// for an object of a kind that is not served, without a name, of another namespace than `ns`, or
// named twice.
Result<std::vector<ProposedObject>> proposed_objects_of(const std::vector<json::Document>& objects,
                                                        const std::string& ns,
                                                        const crds::Kinds& kinds);

// Creates or replaces the object in `store`, which may be an overlay, and waits until it is stored.
// Labels, annotations, finalizers and owners stay as they are unless the object has some itself.
// `expected`: the revision to replace; 0: the object must not exist. Errors: invalid, also for
// unknown fields; conflict; already_exists; unavailable.
Result<store::ObjectPtr> put(store::Store& store, const ProposedObject& proposed, Revision expected,
                             Random& random, Instant now);

// The part of an object that people decide, as canonical JSON: without status, revision, finalizers
// and the annotations of controllers and forecasts. Two states with equal text are the same
// precondition of a forecast.
std::string desired_state_of(const store::Object& object);

}  // namespace atelier::forecast
