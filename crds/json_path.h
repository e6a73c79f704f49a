// The JSONPath of printer columns, as Kubernetes has it: .spec.image, ['atelier.dev/org'], [0],
// [-1],
// [*], .*, [?(@.type=="Ready")].status. Braces around the whole and a leading '$' are accepted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace atelier::crds {

// Immutable; safe to share between threads.
class JsonPath {
  public:
    JsonPath() = default;  // finds the value itself
    static Result<JsonPath> compile(std::string_view text);

    // Every value the path leads to, in document order; they live as long as `root`.
    std::vector<const json::Value*> find(const json::Value& root) const;
    // The first of them, or nullptr.
    const json::Value* first(const json::Value& root) const;

  private:
    struct Step {
        enum class Kind { member, index, all, filter };
        Kind kind = Kind::member;
        std::string name = {};           // member
        std::int64_t index = 0;          // index; negative counts from the end
        std::vector<Step> operand = {};  // filter: the path below @
        enum class Test { exists, equal, unequal } test = Test::exists;
        std::variant<std::nullptr_t, bool, double, std::string> literal = nullptr;
    };
    class Parser;
    static void walk(const std::vector<Step>& steps, std::size_t at, const json::Value& value,
                     std::vector<const json::Value*>& found);
    static bool matches(const Step& filter, const json::Value& element);

    std::vector<Step> steps_;
};

}  // namespace atelier::crds
