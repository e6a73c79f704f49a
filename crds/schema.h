// Structural schemas in the sense of apiextensions.k8s.io/v1: prune, default, validate.
// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/ ("structural schema").
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace atelier::crds {

// Immutable; safe to share between threads. Compiled once: nothing is parsed while it is used.
class Schema {
  public:
    // From the JSON of an openAPIV3Schema. Refuses what is not structural.
    static Result<std::shared_ptr<const Schema>> compile(const json::Value& open_api_v3);

    // Removes fields the schema does not know, and names them by path ("spec.bogus"). The root's
    // apiVersion, kind and metadata are not its business.
    void prune(json::Value& object, std::vector<std::string>& removed) const;
    // Fills absent fields that have a default. Null for a field that is not nullable counts as
    // absent, and a whole number written with a fraction (3.0) becomes an integer where one is
    // wanted.
    void apply_defaults(json::Value& object, json::Allocator& allocator) const;
    // Appends a Cause for each violation, in document order, at most 50.
    void validate(const json::Value& object, std::vector<Cause>& causes) const;
    // The schema as JSON, for OpenAPI.
    const json::Document& source() const { return source_; }

    struct Node;

  private:
    Schema() = default;
    json::Document source_;
    std::shared_ptr<const Node> root_;
};

}  // namespace atelier::crds
