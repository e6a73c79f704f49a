// A template as one text, so that a fuzzer can make one up, and what must hold of its compilation.
//
// The text is files, one after the other, each after a line "=== PATH" ("=== PATH -> TARGET" is a
// symbolic link); what comes before the first such line is org.yaml. Files below "@OWNER/NAME/" are
// those of the repository OWNER/NAME of git.example.com, at the tag v1; those of "acme" may be
// used.
#pragma once

#include <string>
#include <string_view>

namespace atelier::fuzz {

// Compiles it twice. Empty when all is well; else what is wrong, for people.
std::string wrong_with_template(std::string_view text);

}  // namespace atelier::fuzz
