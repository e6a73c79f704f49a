// Flags and positional words of a command line. Boost.Program_options does the parsing.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::cli {

struct Flag {
    enum class Kind { on, text };  // `on` may be written --name, --name=true or --name=false
    std::string_view name;
    char letter = 0;
    Kind kind = Kind::text;
    std::string_view value;  // what the help calls the value: "FILE"
    std::string_view help;
    std::string_view otherwise = {};  // the value when it is not given
};

class Arguments {
  public:
    std::vector<std::string> words;

    bool given(std::string_view flag) const { return values_.contains(flag); }
    bool on(std::string_view flag) const { return text(flag) == "true"; }
    std::string text(std::string_view flag) const;  // the last one given, or `otherwise`
    std::vector<std::string> list(std::string_view flag) const;

  private:
    friend Result<Arguments> parse_arguments(const std::vector<std::string>&,
                                             const std::vector<Flag>&);
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
    std::map<std::string, std::string, std::less<>> otherwise_;
};

// Flags and words may be mixed; "--" ends the flags. Code::invalid for an unknown flag (the message
// suggests the nearest one) and for a flag without its value.
Result<Arguments> parse_arguments(const std::vector<std::string>& arguments,
                                  const std::vector<Flag>& flags);

// The index of the first argument that is neither a flag nor the value of one; npos when there is
// none.
std::size_t find_first_word(const std::vector<std::string>& arguments,
                            const std::vector<Flag>& flags);

}  // namespace atelier::cli
