// YAML at the edge, by yaml-cpp's event interface: YAML 1.2 core typing, duplicate keys and hostile
// documents refused, positions kept. https://yaml.org/spec/1.2.2/
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace atelier::crds {

struct YamlLimits {
    std::size_t bytes = 3u << 20;
    std::size_t depth = 60;
    std::size_t nodes = 200'000;     // after expansion of aliases
    std::size_t documents = 10'000;
};

struct Position {
    int line = 0;    // from 1; 0: not known
    int column = 0;  // from 1
};

struct YamlDocument {
    json::Document value;
    // Where each value stands, by JSON pointer (RFC 6901): "" is the root, "/spec/image", "/items/0".
    std::map<std::string, Position, std::less<>> positions;
};

// Every document of the text that is not empty. Errors name `file`, line and column.
// A text that begins with '{' is read as YAML too: JSON is a part of it.
Result<std::vector<YamlDocument>> parse_yaml(std::string_view text, std::string_view file,
                                             const YamlLimits& limits = {});

// Block-style YAML of a value, for -o yaml.
std::string to_yaml(const json::Value& value);

}  // namespace atelier::crds
