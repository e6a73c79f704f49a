// What answers questions about the future, given to the Api by its owner: this room knows only the
// requests and how to write the answers.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace atelier::apiserver {

// Blocks, perhaps for minutes. Called from several threads. Outlives the Api.
class ForecastService {
  public:
    virtual ~ForecastService() = default;
    // The Plan as an object, from its spec.
    virtual Result<json::Document> plan(const std::string& ns, const json::Value& spec) = 0;
    // The Plan of what the Org's template would change now.
    virtual Result<json::Document> plan_org(const std::string& ns, const std::string& org) = 0;
    // Code::conflict with a Cause for each object that has changed since the plan was made.
    virtual Result<json::Document> apply(const std::string& ns, const std::string& token) = 0;
};

}  // namespace atelier::apiserver
