// Maps a plain struct to and from JSON by one list of its fields:
//
//     struct Source {
//         std::string url;
//         std::optional<std::int64_t> depth;
//         template <class Self, class V>
//         static void fields(Self& self, V& v) { v("url", self.url); v("depth", self.depth); }
//     };
//
// Field types: bool, std::int64_t, double, std::string, Duration, Instant, enums that have
// `names_of(E)`, structs of this form, json::Document (any JSON), and std::optional, std::vector
// and std::map<std::string, ·> of them. Reading leaves absent and null fields at their defaults and
// ignores unknown ones; a wrong type is Code::invalid naming the path. Writing omits empty strings,
// lists, maps, structs and optionals.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace atelier::json {

class FieldReader;
class FieldWriter;

template <class T>
concept Described = requires(T& t, FieldReader& r) {
    T::fields(t, r);
};

// An enum says its texts: `constexpr std::array<std::pair<E, std::string_view>, N> names_of(E)`.
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
    names_of(e);
};

template <NamedEnum E>
std::string_view name_of(E value) {
    for (const auto& [e, name] : names_of(E{})) {
        if (e == value) return name;
    }
    return {};
}

template <NamedEnum E>
std::optional<E> value_of(std::string_view text) {
    for (const auto& [e, name] : names_of(E{})) {
        if (name == text) return e;
    }
    return std::nullopt;
}

// Defined in base/field_codec.h, for the compiler takes more time over them than over most of our
// sources: a source that includes it instantiates them for its own structs, and everybody else
// finds those in the library. crds/<kind>.cc does so for the kinds.
template <class T>
Result<T> read(const Value& value);
template <class T>
Value write(const T& in, Allocator& allocator);
template <class T>
Document document_of(const T& in);
// Equal as JSON: the comparison of two specs or two statuses.
template <class T>
bool same(const T& a, const T& b);

}  // namespace atelier::json
