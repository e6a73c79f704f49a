// The text form of PostgreSQL's arrays, which carry a whole batch in one statement.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace atelier::store {

class ArrayLiteral {
  public:
    void add(std::string_view text);
    void add(std::int64_t number);
    void add_bytes(std::string_view bytes);  // an element of bytea[]
    void add_null();
    std::string take() &&;

  private:
    void next();
    std::string out_ = "{";
};

}  // namespace atelier::store
