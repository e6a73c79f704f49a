#include "drivers/runtime_names.h"

#include <algorithm>

#include "base/text.h"

namespace atelier::drivers {

Result<std::string> check_runtime_name(std::string_view what, const std::string& name) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    };
    const bool fine = !name.empty() && name.size() <= 255 && name[0] != '.' && name[0] != '-' &&
                      std::all_of(name.begin(), name.end(), good);
    if (fine) return name;
    return Error{Code::invalid, std::string(what) + " \"" + name +
                                    "\": a name is made of letters, digits, '_', '.' and '-'"};
}

bool has_all(const Labels& labels, const Labels& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
        const auto it = labels.find(pair.first);
        return it != labels.end() && it->second == pair.second;
    });
}

Error not_ours(std::string_view what, const std::string& name) {
    return {
        Code::already_exists,
        std::string(what) + " \"" + name +
            "\" is there already and does not belong to this server: it lacks the server's labels"};
}

Result<std::string> plain_folder(const std::string& folder) {
    std::string_view rest = folder;
    while (rest.size() > 1 && rest.ends_with('/')) rest.remove_suffix(1);
    if (rest == "/") return std::string("/");
    if (!rest.starts_with('/') || !is_safe_relative_path(rest.substr(1))) {
        return Error{Code::invalid, "folder \"" + folder + "\" must be an absolute, plain path"};
    }
    return std::string(rest);
}

const Mount* mount_of_path(const std::vector<Mount>& mounts, std::string_view path) {
    const Mount* nearest = nullptr;
    for (const Mount& mount : mounts) {
        std::string_view target = mount.target;
        while (target.ends_with('/')) target.remove_suffix(1);
        const bool holds = path.starts_with(target) &&
                           (path.size() == target.size() || path[target.size()] == '/');
        if (holds && (!nearest || mount.target.size() > nearest->target.size())) nearest = &mount;
    }
    return nearest;
}

}  // namespace atelier::drivers
