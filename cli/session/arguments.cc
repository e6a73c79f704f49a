#include "cli/session/arguments.h"

#include <boost/program_options.hpp>

#include "base/text.h"

namespace atelier::cli {
namespace {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;
constexpr const char* words_option = "\x01words";  // no user can type this as a flag

std::string dashes_off(std::string text) {
    text.erase(0, text.find_first_not_of('-'));
    return text.substr(0, text.find('='));
}

Error unknown_flag(const std::string& given, const std::vector<Flag>& flags) {
    std::vector<std::string> names;
    for (const Flag& flag : flags) names.emplace_back(flag.name);
    std::string message = "unknown flag \"" + given + "\"";
    if (const auto near = did_you_mean(dashes_off(given), names)) {
        message += ", did you mean --" + *near + "?";
    }
    return {Code::invalid, message};
}

const Flag* find_flag(const std::vector<Flag>& flags, const std::string& argument) {
    for (const Flag& flag : flags) {
        if (argument == "--" + std::string(flag.name)) return &flag;
        if (flag.letter != 0 && argument == std::string("-") + flag.letter) return &flag;
    }
    return nullptr;
}

// Writes switches with a value: "-w" and "--watch" become "--watch=true", "-wA" becomes two of
// them. The library would take the next word as the value of a switch that may also be written
// "=false".
Texts with_values(const Texts& arguments, const std::vector<Flag>& flags) {
    Texts out;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        if (argument == "--") {
            out.insert(out.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i),
                       arguments.end());
            break;
        }
        const Flag* const flag = find_flag(flags, argument);
        if (flag && flag->kind == Flag::Kind::text && i + 1 < arguments.size()) {
            out.push_back("--" + std::string(flag->name) + "=" + arguments[++i]);
            continue;
        }
        Texts letters;
        for (std::size_t n = 1; argument.size() > 1 && argument[0] == '-' && n < argument.size();
             ++n) {
            const Flag* const letter = find_flag(flags, std::string("-") + argument[n]);
            if (!letter || letter->kind != Flag::Kind::on) {
                letters.clear();
                break;
            }
            letters.push_back("--" + std::string(letter->name) + "=true");
        }
        if (flag && flag->kind == Flag::Kind::on) {
            out.push_back("--" + std::string(flag->name) + "=true");
        } else if (!letters.empty()) {
            out.insert(out.end(), letters.begin(), letters.end());
        } else {
            out.push_back(argument);
        }
    }
    return out;
}

po::options_description describe(const std::vector<Flag>& flags) {
    po::options_description out;
    for (const Flag& flag : flags) {
        std::string name(flag.name);
        if (flag.letter != 0) name += std::string(",") + flag.letter;
        out.add_options()(name.c_str(), po::value<Texts>()->composing(), "");
    }
    out.add_options()(words_option, po::value<Texts>()->composing(), "");
    return out;
}

}  // namespace

std::string Arguments::text(std::string_view flag) const {
    if (const auto it = values_.find(flag); it != values_.end()) return it->second.back();
    const auto it = otherwise_.find(flag);
    return it == otherwise_.end() ? std::string() : it->second;
}

std::vector<std::string> Arguments::list(std::string_view flag) const {
    const auto it = values_.find(flag);
    return it == values_.end() ? Texts{} : it->second;
}

Result<Arguments> parse_arguments(const std::vector<std::string>& arguments,
                                  const std::vector<Flag>& flags) {
    Arguments out;
    try {
        const po::options_description options = describe(flags);
        po::positional_options_description positions;
        positions.add(words_option, -1);
        const int style =
            po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
        po::variables_map map;
        po::store(po::command_line_parser(with_values(arguments, flags))
                      .options(options)
                      .positional(positions)
                      .style(style)
                      .run(),
                  map);
        for (const auto& [name, value] : map) {
            (name == words_option ? out.words : out.values_[name]) = value.as<Texts>();
        }
    } catch (const po::unknown_option& e) {
        return unknown_flag(e.get_option_name(), flags);
    } catch (const po::error_with_option_name& e) {
        return Error{Code::invalid, "the flag \"" + e.get_option_name() + "\" needs a value"};
    } catch (const std::exception& e) {
        return Error{Code::invalid, "the command line cannot be read", e.what()};
    }
    for (const Flag& flag : flags) {
        if (!flag.otherwise.empty()) out.otherwise_.emplace(flag.name, flag.otherwise);
        const auto it = out.values_.find(flag.name);
        if (it == out.values_.end() || flag.kind != Flag::Kind::on) continue;
        if (it->second.back() != "true" && it->second.back() != "false") {
            return Error{Code::invalid, "the flag --" + std::string(flag.name) +
                                            " is true or false, not \"" + it->second.back() + "\""};
        }
    }
    return out;
}

std::size_t find_first_word(const std::vector<std::string>& arguments,
                            const std::vector<Flag>& flags) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        if (argument.size() < 2 || argument[0] != '-') return i;
        const Flag* const flag = find_flag(flags, argument);
        if (flag && flag->kind == Flag::Kind::text) ++i;
    }
    return std::string::npos;
}

}  // namespace atelier::cli
