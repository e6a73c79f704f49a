// Why a text is not taken as YAML, in words for people. Inside crds/ only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crds/yaml.h"

namespace atelier::crds {

struct YamlRefusal {
    Code code = Code::invalid;
    Position at;
    std::string message;
};

// What no YAML may hold, whatever its structure: too many bytes, control characters, other than
// UTF-8.
std::optional<YamlRefusal> check_yaml_bytes(std::string_view text, const YamlLimits& limits);

// What yaml-cpp complained about in the line `at` (from 0, or -1). Its own words are for the log.
std::string explain_yaml(std::string_view text, int at, std::string_view reason);

}  // namespace atelier::crds
