// Result<T>: a value or an Error. The only way a failure travels inside Atelier. Exceptions of
// third-party libraries end in the file that calls them.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace atelier {

// What a caller may branch on. Closed: adding one is a design change.
enum class Code {
    invalid,          // the input is wrong; waits for a new one
    not_found,        // the thing named does not exist
    already_exists,   // a thing of that name is there already
    conflict,         // somebody else wrote first: read again
    gone,             // that part of history is no longer kept: list again
    unauthenticated,  // who is asking is not known
    forbidden,        // who is asking may not
    unsupported,      // this place cannot do that
    too_large,        // over a limit on size or count
    exhausted,        // a disk, quota or queue is full: try again when there is room
    timeout,          // no answer within the deadline
    unavailable,      // the other side cannot be reached or is not ready: try again
    cancelled,        // the caller asked to stop
    internal          // a defect or an unforeseen answer
};
std::string_view name_of(Code code);

// One field of an invalid object. `reason` is one of Kubernetes' cause reasons, such as
// FieldValueInvalid, FieldValueRequired, FieldValueNotSupported, FieldValueTypeInvalid.
struct Cause {
    std::string field;
    std::string reason;
    std::string message;
};

struct [[nodiscard]] Error {
    Code code = Code::internal;
    // What a person reads, and may be shown to any client: lower case, no full stop, no secret, no
    // host path, no text of another program.
    std::string message;
    // For the log only: driver text, host paths.
    std::string detail = {};
    // With Code::invalid: which fields, when it is an object that is invalid.
    std::vector<Cause> causes = {};

    // The same error with "context: " in front of its message.
    Error in(std::string_view context) const {
        return {code, std::string(context) + ": " + message, detail, causes};
    }
};

template <class T>
class [[nodiscard]] Result {
  public:
    using value_type = T;
    // Implicit on purpose: `return value;` and `return error;` read alike.
    Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}
    template <class U>
    requires(std::is_convertible_v<U, T> && !std::is_same_v<std::decay_t<U>, T> &&
             !std::is_same_v<std::decay_t<U>, Error> && !std::is_same_v<std::decay_t<U>, Result<T>>)
        Result(U&& value)
        : v_(std::in_place_index<0>, std::forward<U>(value)) {}

    explicit operator bool() const { return v_.index() == 0; }
    T& operator*() & { return std::get<0>(v_); }
    const T& operator*() const& { return std::get<0>(v_); }
    T&& operator*() && { return std::get<0>(std::move(v_)); }
    T* operator->() { return &std::get<0>(v_); }
    const T* operator->() const { return &std::get<0>(v_); }
    const Error& error() const& { return std::get<1>(v_); }
    Error&& error() && { return std::get<1>(std::move(v_)); }

  private:
    std::variant<T, Error> v_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    using value_type = void;
    Result() = default;  // success
    Result(Error error) : error_(std::move(error)) {}
    explicit operator bool() const { return !error_; }
    void operator*() const {}
    const Error& error() const& { return *error_; }
    Error&& error() && { return *std::move(error_); }

  private:
    std::optional<Error> error_;
};

// The value of a Result, or return its error from this function. A statement of its own, never
// inside a larger expression.
#define TRY(expr)                                        \
    __extension__({                                      \
        auto result_ = (expr);                           \
        if (!result_) return std::move(result_).error(); \
        *std::move(result_);                             \
    })

// A programmer's error ends the process: it is not a Result.
#define CHECK(condition)                                                                       \
    do {                                                                                       \
        if (!(condition)) {                                                                    \
            std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                      \
        }                                                                                      \
    } while (false)

}  // namespace atelier
