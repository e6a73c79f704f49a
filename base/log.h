// The log: one line an event, JSON or text, to standard error. Never a secret: fields whose value
// could be one do not exist.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace atelier {

// Thread-safe. Cheap to copy: copies write to the same place.
class Log {
  public:
    enum class Level { debug, info, warning, error };
    enum class Format { text, json };
    using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    Log();  // writes nowhere
    static Log to_stderr(Level least, Format format);

    // The same log with a field that every line carries.
    Log with(std::string_view key, std::string_view value) const;

    void debug(std::string_view message, Fields fields = {}) const;
    void info(std::string_view message, Fields fields = {}) const;
    void warning(std::string_view message, Fields fields = {}) const;
    void error(std::string_view message, Fields fields = {}) const;
    // An Error with its code and detail.
    void error(std::string_view message, const Error& error, Fields fields = {}) const;

  private:
    struct Sink;
    void write(Level level, std::string_view message, Fields fields, const Error* error) const;
    std::shared_ptr<Sink> sink_;
    std::string carried_;  // the fields of with(), already in the sink's format
};

}  // namespace atelier
