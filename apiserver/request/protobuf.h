// Reads the protobuf bodies that kubectl and client-go send for core kinds. Nothing is ever
// answered as protobuf: their Accept names JSON too.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace atelier::apiserver {

// The object as JSON, with apiVersion and kind. Empty strings count as absent, as they do on the
// wire. Code::invalid for what is not an envelope or not its message, Code::unsupported for a kind
// that is not known in this form.
Result<json::Document> decode_protobuf(std::string_view body);

}  // namespace atelier::apiserver
