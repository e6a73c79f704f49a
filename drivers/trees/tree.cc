#include "drivers/trees/tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "base/tree_digest.h"

namespace atelier::drivers {
namespace {

constexpr std::size_t longest_path = 1024;
constexpr std::size_t longest_name = 255;  // of one folder or file: what Linux file systems allow

// For messages: at most 80 characters, and nothing that could act on a terminal.
std::string shown(std::string_view path) {
    std::string out;
    for (const char c : path.substr(0, 80)) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte >= 0x7f ? '?' : c;
    }
    return out + (path.size() > 80 ? "..." : "");
}

Error refuse(std::string_view path, std::string_view why) {
    return {Code::invalid, fmt::format("the tree has \"{}\": {}", shown(path), why)};
}

}  // namespace

Result<void> check_tree_path(std::string_view path) {
    if (!is_safe_relative_path(path)) {
        return refuse(path, "a path must be relative, without empty, \".\" or \"..\" parts");
    }
    if (path.size() > longest_path) return refuse(path, "a path has at most 1024 bytes");
    if (!is_valid_utf8(path)) return refuse(path, "a path must be valid UTF-8");
    if (std::any_of(path.begin(), path.end(), [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\';
        })) {
        return refuse(path, "a path must have no control character and no backslash");
    }
    for (const std::string& part : split(path, '/')) {
        if (part.size() > longest_name) return refuse(path, "a name has at most 255 bytes");
        if (lower(part) == ".git") return refuse(path, "\".git\" is not content");
    }
    return {};
}

Result<void> check_storable(const Tree& tree) {
    for (const auto& [path, file] : tree) {
        TRY(check_tree_path(path));
        if (file.kind != File::Kind::regular) {
            return refuse(path, "symbolic links are not taken; put a copy of the file there");
        }
        for (std::size_t at = path.find('/'); at != std::string::npos;
             at = path.find('/', at + 1)) {
            if (tree.contains(path.substr(0, at))) {
                return refuse(path, "a folder of it is a file at the same time");
            }
        }
    }
    return {};
}

Manifest manifest_of(const Tree& tree) {
    Manifest manifest;
    for (const auto& [path, file] : tree) {
        if (file.kind != File::Kind::regular) continue;
        manifest.push_back({path, sha256_hex(file.bytes),
                            static_cast<std::int64_t>(file.bytes.size()), file.executable});
    }
    return manifest;
}

std::string digest_of(const Manifest& manifest) {
    TreeDigest digest;
    for (const ManifestEntry& entry : manifest) {
        digest.add(entry.path, entry.sha256, entry.executable);
    }
    return digest.hex();
}

Tree subtree(const Tree& tree, std::string_view path) {
    while (path.ends_with('/')) path.remove_suffix(1);
    if (path.empty()) return tree;
    const std::string prefix = std::string(path) + "/";
    Tree out;
    for (auto it = tree.lower_bound(prefix); it != tree.end(); ++it) {
        if (!it->first.starts_with(prefix)) break;
        out.emplace(it->first.substr(prefix.size()), it->second);
    }
    return out;
}

}  // namespace atelier::drivers
