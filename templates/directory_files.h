// A template's files in a folder of the server.
#pragma once

#include <filesystem>
#include <memory>

#include "templates/files.h"

namespace atelier::templates {

// `boundary`: the folder that holds all templates; links below a delivered folder may lead there.
std::unique_ptr<TemplateFiles> files_of_directory(const std::filesystem::path& root,
                                                  const std::filesystem::path& boundary,
                                                  const FileLimits& limits = {});

}  // namespace atelier::templates
