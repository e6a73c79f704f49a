// The part of JSONPath that printer columns use, as kubectl writes it:
// https://kubernetes.io/docs/reference/kubectl/jsonpath/
//
//     .spec.replicas   .metadata.annotations['a.b/c'] .status.conditions[?(@.type=="Ready")].status
//     .items[0]   .items[-1]   .items[*].name
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace atelier::crds {

// Immutable; safe to share between threads.
class JsonPath {
  public:
    // With or without braces around it, with or without a leading dot. Code::invalid names the
    // column.
    static Result<JsonPath> compile(std::string_view text);

    // The values it leads to, in document order; they live as long as `root`.
    std::vector<const json::Value*> find(const json::Value& root) const;

  private:
    struct Step {
        enum class Kind { member, index, every, filter };
        Kind kind = Kind::member;
        std::string name;                // of member
        std::int64_t index = 0;          // of index; negative counts from the end
        std::vector<std::string> inner;  // of filter: the member names after '@'
        std::string op;                  // of filter: "==", "!=" or empty: exists
        json::Document operand;          // of filter
    };
    friend class JsonPathParser;
    static bool passes(const json::Value& element, const Step& step);

    std::vector<Step> steps_;
};

}  // namespace atelier::crds
