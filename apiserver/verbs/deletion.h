// What the two DELETE verbs have in common: their options, and the deletion of one object.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apiserver/verbs/services.h"
#include "crds/lifecycle.h"

namespace atelier::apiserver {

struct DeleteOptions {
    crds::Propagation propagation = crds::Propagation::background;
    std::string uid;        // precondition; empty: none
    Revision revision = 0;  // precondition; 0: none
};
// From the body, and where the body is silent from the query. Sets `dry_run` of the call's options.
Result<DeleteOptions> read_delete_options(Call& call);

// Whether the object is a namespace that the server itself makes: default and those of kube-*.
bool is_protected(const crds::Kind& kind, std::string_view name);

// What became of one deletion.
struct Deleted {
    store::ObjectPtr object;
    bool gone = false;  // false: it is marked, and stays until its finalizers are removed
};

struct Deletion {
    const crds::Kind& kind;
    Key key;
    DeleteOptions options;
    bool dry_run = false;
    std::function<void(const Result<Deleted>&)> done;  // called once, from any thread
    int attempt = 1;
};
// Marks or removes the object. A lost race is tried again unless a precondition names a revision.
void begin_deletion(Services& services, const std::shared_ptr<Deletion>& deletion);

}  // namespace atelier::apiserver
