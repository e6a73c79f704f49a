#include "templates/workspace_dir.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"
#include "crds/system_folder.h"
#include "templates/node.h"

namespace atelier::templates {
namespace {

constexpr std::size_t longest_path = 1024;

}  // namespace

Result<std::string> clean_workspace_dir(std::string_view path) {
    if (!path.starts_with('/')) {
        return Error{Code::invalid, "workspace_dir must be an absolute path"};
    }
    if (path.size() > longest_path) {
        return Error{Code::invalid,
                     fmt::format("workspace_dir has more than {} bytes", longest_path)};
    }
    std::vector<std::string> parts;
    for (std::string& part : split(path, '/')) {
        if (part == "..") return Error{Code::invalid, "workspace_dir must not have \"..\" in it"};
        if (!part.empty() && part != ".") parts.push_back(std::move(part));
    }
    if (parts.empty()) return Error{Code::forbidden, "workspace_dir must not be the root folder"};
    std::string cleaned = "/" + join(parts, "/");
    if (const auto folder = crds::system_folder_of(cleaned); !folder.empty()) {
        return Error{Code::forbidden, fmt::format("workspace_dir must not be below {}", folder)};
    }
    // Docker separates the parts of a mount by ':' and ','.
    if (cleaned.find_first_of(":,") != std::string::npos || has_control(cleaned)) {
        return Error{Code::invalid,
                     "workspace_dir must not have ':', ',' or a control character in it"};
    }
    return cleaned;
}

}  // namespace atelier::templates
