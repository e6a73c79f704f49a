// JSON in memory (RapidJSON) and the few questions that every room asks of it.
#pragma once

#include <rapidjson/document.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::json {

using Value = rapidjson::Value;
using Document = rapidjson::Document;
using Allocator = Document::AllocatorType;

struct Limits {
    std::size_t depth = 100;
    std::size_t nodes = 1'000'000;
    std::size_t key = 4096;  // bytes of one member's name; messages contain paths of names
};

// One JSON text, nothing after it. Refuses invalid UTF-8, NUL, duplicate keys, and what is over the
// limits, naming the byte offset. Safe for hostile input: nesting uses no stack.
Result<Document> parse(std::string_view text, const Limits& limits = {});
// As parse, but keeps the last of members with one name, and adds an entry to `duplicates` for each
// that it drops: the path of the first hundred ("spec.env[0].name"), "…" for the others.
Result<Document> parse_lenient(std::string_view text, std::vector<std::string>& duplicates,
                               const Limits& limits = {});

// Whether parse() would read the value's text back: depth, number of values, length of keys. For
// documents that were built or patched. Code::invalid.
Result<void> check(const Value& value, const Limits& limits = {});

std::string text(const Value& value);       // compact
std::string pretty(const Value& value);     // two spaces
std::string canonical(const Value& value);  // compact, keys sorted: for digests

inline std::string_view view(const Value& string) {
    return {string.GetString(), string.GetStringLength()};
}
// The value at a path of member names, or nullptr.
const Value* find(const Value& value, std::initializer_list<std::string_view> path);
Value* find(Value& value, std::initializer_list<std::string_view> path);
// The string at a path, or empty when it is absent or not a string.
std::string string_at(const Value& value, std::initializer_list<std::string_view> path);

Value make(std::string_view string, Allocator& allocator);  // copies
// Adds or replaces a member.
void set(Value& object, std::string_view name, Value value, Allocator& allocator);
void set(Value& object, std::string_view name, std::string_view string, Allocator& allocator);
void remove(Value& object, std::string_view name);
// The object below `name`, made if it is absent or not an object.
Value& object_at(Value& object, std::string_view name, Allocator& allocator);
Document copy(const Value& value);
// RFC 7396. Costs n log n of the two sizes.
void merge_patch(Value& target, const Value& patch, Allocator& allocator);

}  // namespace atelier::json
