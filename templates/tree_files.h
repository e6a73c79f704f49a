// A template's files in a tree that came from git.
#pragma once

#include <memory>

#include "templates/files.h"

namespace atelier::templates {

std::unique_ptr<TemplateFiles> files_of_tree(drivers::TreePtr tree, const FileLimits& limits = {});

}  // namespace atelier::templates
