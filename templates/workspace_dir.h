// The rules for workspace_dir that hold on every machine. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::templates {

// The path without empty parts and "." parts. Code::invalid for one that is not absolute, has "..",
// ':', ',' or a control character, or is longer than 1024 bytes; Code::forbidden for the root and
// for folders of the operating system (crds/system_folder.h).
Result<std::string> clean_workspace_dir(std::string_view path);

}  // namespace atelier::templates
