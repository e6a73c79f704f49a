// The active copies of skills: the workspace's program reads /configs/skills, not the plugins.
#pragma once

#include <filesystem>
#include <vector>

#include "agent/plugins.h"

namespace atelier::agent {

// Makes `folder` hold each skill of each plugin as the plugin has it now, replaces a copy whose
// files differ, and removes copies whose plugin or skill is gone. `<folder>/.atelier` lists the
// copies that the agent made; any other folder is never touched. Where two plugins bring a skill of
// one name, the first by name has it. What could not be done is returned as problems; a `folder`
// that cannot be written at all is one problem.
std::vector<Problem> refresh_skills(const std::filesystem::path& folder, const Loaded& loaded);

}  // namespace atelier::agent
