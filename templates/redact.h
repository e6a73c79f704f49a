// Removes what looks like a secret from prose that will be stored and shown. Pure.
#pragma once

#include <string>
#include <string_view>

namespace atelier::templates {

// Replaces by "[redacted]": the value after NAME_API_KEY=, NAME_TOKEN= or NAME_SECRET=, what
// follows "Bearer ", words that begin with "sk-" or "ctx7_", and runs of 33 or more base64
// characters that mix capitals, small letters and digits.
std::string redacted(std::string_view text);

}  // namespace atelier::templates
