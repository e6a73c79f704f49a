// The rules of creation, update, status and deletion, which are the same for every writer.
// Pure. Used by the API server for people's writes and by reconcilers for their own, so that an
// object made by a controller is as defaulted and validated as one applied by hand.
// Semantics: kubernetes.io, "API concepts"; apiextensions-apiserver's custom resource strategy.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "crds/kind.h"
#include "crds/meta.h"

namespace atelier::crds {

struct Admission {
    Instant now;
    Random& random;
    const Lookup& lookup;
    // Gets the paths of unknown fields, an entry for each; after the first hundred "…" instead of
    // the path. Unknown fields are always removed; a strict caller refuses the object instead.
    std::vector<std::string>* unknown_fields = nullptr;
};

// The object as it will be stored: pruned, defaulted, validated, with uid, creationTimestamp,
// generation 1, and without status where status is a subresource. A generateName gets its suffix.
// Code::invalid carries the causes.
Result<json::Document> admit_create(const Kind& kind, json::Document object, const Admission& a);

// The successor of `old`: immutable metadata and (with a status subresource) status are taken from
// `old`; generation goes up by one when anything outside metadata differs. A finalizer may not be
// added to an object that is being deleted. Equal to `old` when nothing changed.
Result<json::Document> admit_update(const Kind& kind, const json::Value& old, json::Document object,
                                    const Admission& a);

// The successor of `old` with only `status` taken from `object`. Generation never changes.
Result<json::Document> admit_status(const Kind& kind, const json::Value& old, json::Document object,
                                    const Admission& a);

enum class Propagation { background, foreground, orphan };
// What a delete request makes of `old`: nothing (it goes at once), or the object with
// deletionTimestamp (and the finalizer of the propagation) that waits for its finalizers.
std::optional<json::Document> begin_deletion(const Kind& kind, const json::Value& old, Instant now,
                                             Propagation propagation);

// True when the object is being deleted and nothing holds it any more.
bool is_finished(const json::Value& object);

// An object's final bytes with a hole where its revision goes, so that storing is one insertion.
struct Body {
    std::string text;
    std::size_t revision_at = 0;  // offset between the quotes of "resourceVersion":""
    std::string with(Revision revision) const;
};
// kind and apiVersion first, then metadata, then the rest.
Body encode_body(const json::Value& object);

}  // namespace atelier::crds
