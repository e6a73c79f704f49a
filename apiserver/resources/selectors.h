// Label and field selectors.
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
// https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
#pragma once

#include <compare>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crds/kind.h"
#include "store/store.h"

namespace atelier::apiserver {

// At most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit; or
// empty.
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
bool is_label_value(std::string_view text);

class LabelSelector {
  public:
    static Result<LabelSelector> parse(std::string_view text);
    bool matches(const std::map<std::string, std::string>& labels) const;
    bool empty() const { return requirements_.empty(); }

  private:
    enum class Op { exists, absent, in, not_in, greater, less };
    struct Requirement {
        std::string key;
        Op op = Op::exists;
        std::vector<std::string> values;
    };
    friend class LabelSelectorParser;
    static bool holds(const Requirement& r, const std::map<std::string, std::string>& labels);
    std::vector<Requirement> requirements_;
};

class FieldSelector {
  public:
    // Refuses fields that objects of the kind cannot be selected by.
    static Result<FieldSelector> parse(std::string_view text, const crds::Kind& kind);
    bool matches(const store::Object& object) const;
    bool empty() const { return terms_.empty(); }
    // The value that metadata.name must equal, or empty: such a selector finds one object at most.
    std::string name() const;

  private:
    struct Term {
        std::string field;
        std::string value;
        bool equal = true;
    };
    std::vector<Term> terms_;
};

// Equal for equal selections, so that they can share work. The texts are the client's, so they are
// never joined into one: no separator is safe from what a client writes.
struct SelectionKey {
    std::string ns;
    std::string label_selector;
    std::string field_selector;
    auto operator<=>(const SelectionKey&) const = default;
};

// What a list or a watch is about.
struct Selection {
    std::string ns;  // empty: every one
    LabelSelector labels;
    FieldSelector fields;
    std::string label_selector;  // the text that `labels` was read from
    std::string field_selector;  // and `fields`

    SelectionKey key() const { return {ns, label_selector, field_selector}; }
    bool plain() const { return labels.empty() && fields.empty(); }
    bool matches(const store::Object& object) const {
        return (ns.empty() || object.key.ns == ns) && labels.matches(object.meta.labels) &&
               fields.matches(object);
    }
};

}  // namespace atelier::apiserver
