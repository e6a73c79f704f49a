#include "drivers/plugins/plugin_folder.h"

#include <algorithm>

#include "base/text.h"

namespace atelier::drivers {
namespace {

constexpr std::size_t longest_name = 128;
constexpr std::size_t longest_stamp = 64;

bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= longest_name && is_lower_or_digit(text.front()) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_lower_or_digit(c) || c == '.' || c == '_' || c == '-';
           });
}

bool is_stamp(std::string_view text) {
    return !text.empty() && text.size() <= longest_stamp && text.front() != '-' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_lower_or_digit(c) || c == 'T' || c == 'Z' || c == '-';
           });
}

bool is_printable(std::string_view path) {
    return std::none_of(path.begin(), path.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\';
    });
}

}  // namespace

std::string PluginState::delivered() const {
    if (!live || !problem.empty() || marker.empty()) return {};
    const std::string digest = digest_of(manifest);
    return digest == marker ? digest : std::string();
}

Result<void> check_plugin_name(std::string_view name) {
    if (is_name(name)) return {};
    return Error{Code::invalid,
                 "the plugin's name must be lower-case letters, digits, '.', '_' and '-', begin "
                 "with a letter or digit and have at most 128 characters"};
}

Result<void> check_stamp(std::string_view stamp) {
    if (is_stamp(stamp)) return {};
    return Error{Code::invalid, "the stamp of a staged tree has a wrong form"};
}

Result<Tree> deliverable(const Tree& tree) {
    Tree out;
    for (const auto& [path, file] : tree) {
        if (path == plugin_marker) continue;
        if (!is_safe_relative_path(path) || !is_printable(path)) {
            return Error{Code::invalid, "the plugin has a file whose path may not be delivered"};
        }
        if (file.kind != File::Kind::regular) {
            return Error{Code::invalid, "\"" + path + "\" is a symbolic link: not delivered"};
        }
        out.emplace(path, file);
    }
    return out;
}

std::optional<StampedName> parse_stamped(std::string_view text) {
    const std::size_t dot = text.rfind('.');
    if (dot == std::string_view::npos) return std::nullopt;
    StampedName out{std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
    if (!is_name(out.name) || !is_stamp(out.stamp)) return std::nullopt;
    return out;
}

}  // namespace atelier::drivers
