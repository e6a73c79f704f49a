// The regular expressions of schemas: compiled once, matched in time linear in the text. Inside
// crds/ only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::crds {

// Immutable; safe to share between threads.
class Pattern {
  public:
    // ECMAScript's syntax, as far as Go's has the same.
    static Result<Pattern> compile(std::string text);

    // True when some part of the text matches: patterns anchor themselves.
    bool is_in(std::string_view text) const;
    const std::string& text() const { return text_; }

  private:
    struct Compiled;
    std::string text_;
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace atelier::crds
