#include "crds/system_folder.h"

#include <array>

namespace atelier::crds {

std::string_view system_folder_of(std::string_view path) {
    constexpr std::array<std::string_view, 13> folders = {
        "/etc", "/var", "/proc",  "/sys",   "/dev", "/boot", "/sbin",
        "/bin", "/lib", "/lib32", "/lib64", "/usr", "/run"};
    for (const std::string_view folder : folders) {
        if (path == folder) return folder;
        if (path.starts_with(folder) && path[folder.size()] == '/') return folder;
    }
    return {};
}

}  // namespace atelier::crds
