// The body of a request as an object.
#pragma once

#include <string>
#include <vector>

#include "apiserver/request/call.h"
#include "base/json.h"

namespace atelier::apiserver {

struct Decoded {
    json::Document value;
    std::vector<std::string> duplicates;  // paths of fields that occur twice
};

// By Content-Type: JSON (also when it is absent), YAML, or for core kinds protobuf. The result is
// an object whose metadata, when present, is an object. Code::unsupported for another type.
Result<Decoded> decode_body(const Call& call, bool protobuf_allowed);
// The body of a patch: any JSON.
Result<Decoded> decode_json(std::string_view text);

// Fields that will not be kept: an error for fieldValidation=Strict, a warning in the answer for
// Warn, nothing for Ignore.
Result<void> judge_fields(Call& call, const std::vector<std::string>& unknown,
                          const std::vector<std::string>& duplicates);

// The object fits the URL: apiVersion, kind, namespace and name, filling what is absent. `name` is
// empty for a creation.
Result<void> fit_to_route(const Call& call, json::Document& object);

}  // namespace atelier::apiserver
