// The objects that somebody thinks of applying, as they would be stored: decoded, defaulted and
// judged by the rules that the API has (crds/lifecycle.h).
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "crds/kind.h"
#include "store/store.h"

namespace atelier::forecast {

// One write that a plan stands for.
struct ProposedObject {
    const crds::Kind* kind = nullptr;
    Key key;
    json::Document object;  // as it was given, with its namespace
};

// Kind and key of each. Code::invalid for what is no object of a kind that is served, has no name,
// or is of another namespace than `ns`; a status and a resourceVersion are taken off.
Result<std::vector<ProposedObject>> proposed_objects_of(const std::vector<json::Document>& objects,
                                                        const std::string& ns,
                                                        const crds::Kinds& kinds);

// Creates or replaces the object, in whatever store; waits for it. Labels, annotations, finalizers
// and owners stay where the candidate does not say any. Unknown fields are refused.
// `expected`: of the state that is changed; 0: it must not be there yet.
Result<store::ObjectPtr> put(store::Store& store, const ProposedObject& proposed, Revision expected,
                             Random& random, Instant now);

// An object without its status and what controllers and plans put on it, as canonical text: what
// somebody must have changed for a plan to be about another state.
std::string essence(const store::Object& object);

}  // namespace atelier::forecast
