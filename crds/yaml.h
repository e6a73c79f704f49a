// YAML at the edge, by yaml-cpp's event interface: YAML 1.2 core typing, duplicate keys and hostile
// documents refused, positions kept. https://yaml.org/spec/1.2.2/
//
// Anchors and aliases are expanded and counted; an alias inside its own anchor is refused. The
// merge key `<<` is applied (own keys win, then earlier mappings), as every Kubernetes tool does.
// Keys are text: `1: x` and `true: x` have the keys "1" and "true". An integer over 64 bits, `.inf`
// and
// `.nan` are refused, because JSON has no form for them.
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
    std::size_t nodes = 200'000;  // after expansion of aliases
    std::size_t documents = 10'000;
};

struct YamlOptions {
    YamlLimits limits = {};
    // Local tags are kept: `!include x` becomes {"!include": "x"}. Otherwise they are refused.
    bool keep_tags = false;
};

struct Position {
    int line = 0;    // from 1; 0: not known
    int column = 0;  // from 1
};

struct YamlDocument {
    json::Document value;
    // Where each value stands, by JSON pointer (RFC 6901): "" is the root, "/spec/image",
    // "/items/0". What came by an alias or a merge stands where the alias stands; below that, and
    // in documents whose map would grow out of proportion, only the nearest outer value has a
    // position.
    std::map<std::string, Position, std::less<>> positions;

    // The position of the value at the pointer, or of the nearest one around it.
    Position position_of(std::string_view pointer) const;
};

// Every document of the text that is not empty. Errors name `file`, line and column.
// A text that begins with '{' is read as YAML too: JSON is a part of it.
Result<std::vector<YamlDocument>> parse_yaml(std::string_view text, std::string_view file,
                                             const YamlLimits& limits = {});
Result<std::vector<YamlDocument>> parse_yaml_tagged(std::string_view text, std::string_view file,
                                                    const YamlOptions& options);

// One member of a JSON pointer: "a/b" -> "a~1b".
std::string escape_pointer(std::string_view member);

// Block-style YAML of a value, for -o yaml. What a YAML 1.1 reader would take for something other
// than text is quoted, so that every reader reads back the same.
std::string to_yaml(const json::Value& value);

}  // namespace atelier::crds
