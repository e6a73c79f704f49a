// Folders of a host that belong to the operating system. No workspace may mount one. Pure.
#pragma once

#include <string_view>

namespace atelier::crds {

// The system folder ("/etc", "/usr", …) that an absolute path without empty parts, "." and ".." is,
// or is below; empty: none. By text alone: links are not followed.
std::string_view system_folder_of(std::string_view path);

}  // namespace atelier::crds
