// What would happen if some objects were applied: the real reconcilers of OrgTemplate and Org run
// over an overlay of the store until nothing changes, and what they wrote there is compared with
// what is. Nothing is changed, in the store or in a runtime; trees that are compiled on the way go
// to the tree store, where trees that nobody names are collected.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/log.h"
#include "crds/kind.h"
#include "drivers/git/git.h"
#include "drivers/trees/tree.h"
#include "forecast/forecast.h"
#include "forecast/proposed_objects.h"
#include "reconcilers/common/runtimes.h"
#include "reconcilers/org_template/reconciler.h"
#include "store/store.h"

namespace atelier::forecast {

// Collaborators outlive whatever uses them.
struct Tools {
    store::Store& store;
    const crds::Kinds& kinds;
    Random& random;
    drivers::Git& git;
    drivers::TreeStore& trees;
    std::filesystem::path templates_root;
    reconcilers::ExternalOptions external;
    reconcilers::Runtimes runtimes;
    std::string fingerprint_key;  // of the server; secret
    Log log;
};

struct Question {
    std::string ns;
    std::vector<json::Document> objects;  // as a person would apply them, whole
    std::string org;                      // of the namespace: also look at this one, as it is
};

// Something that a plan is about, as it was looked at.
struct Base {
    Key key;
    Revision revision = 0;  // 0: it was not there
    std::string uid;
    std::string digest;  // of its essence, keyed; empty: it was not there
};

struct Answer {
    std::string ns;
    Forecast forecast;
    std::vector<ProposedObject> proposed;
    std::vector<Base> bases;  // of the candidates, and of all that would change; by key
    // Of the values that workspaces would get: "Org acme: the org's .env: TOKEN" -> fingerprint.
    std::map<std::string, std::string> values;
    std::set<std::string> behind;  // OrgTemplates whose source has something that they have not
};

// Blocks as long as fetching takes. Errors: invalid (with causes) and not_found for a question that
// cannot be answered; cancelled once `stop` is requested. What keeps a template from being fetched
// or compiled is no error but a blocker. Thread-safe.
Result<Answer> make_forecast(const Tools& tools, const Question& question, Instant now,
                       const std::stop_token& stop);

}  // namespace atelier::forecast
