// A JSON value under change by a JSON Patch, whose steps cost no more than the log of its size.
//
// In RapidJSON an object is a list and an array a vector: ten thousand operations on an object of
// ten thousand members, or on the front of such an array, cost the square. Here an object or array
// that an operation reaches into is opened: members are then found by a hash, and elements stand in
// blocks. What no operation touches stays a RapidJSON value as it was.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/json.h"

namespace atelier::apiserver {

// Not thread-safe. Values of a node live in the allocator of the document they came from.
class JsonNode {
  public:
    explicit JsonNode(json::Value value);
    JsonNode(JsonNode&&) noexcept;
    JsonNode& operator=(JsonNode&&) noexcept;
    ~JsonNode();

    // The child of an object by its name, or of an array by its index; nullptr when there is none.
    // Valid until the node next gains or loses a child.
    JsonNode* child(const std::string& step);
    // An object: adds or replaces the member. An array: inserts before the index, or at the end
    // for "-". False: there is no such place.
    bool add(const std::string& step, JsonNode node);
    // Removes the child, which exists, and returns it.
    JsonNode take(const std::string& step);

    bool equals(const json::Value& wanted) const;
    // A copy as one value, with its strings in `allocator`.
    json::Value copy(json::Allocator& allocator) const;
    // The node as one value again; the node is then empty. The stack that it takes grows with the
    // depth.
    json::Value close(json::Allocator& allocator);

  private:
    struct Object;
    struct Array;
    void open();

    json::Value value_;  // while neither of these is set
    std::unique_ptr<Object> object_;
    std::unique_ptr<Array> array_;
};

}  // namespace atelier::apiserver
