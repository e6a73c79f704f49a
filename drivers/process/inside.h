// Inside the process driver: what a unit sees of its mounts and its environment, and where that is
// on this machine.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/process/process.h"
#include "drivers/process/record.h"

namespace atelier::drivers {

std::filesystem::path unit_folder(const ProcessOptions& options, const std::string& name);
std::filesystem::path volume_folder(const ProcessOptions& options, const std::string& name);

// What start, exec and upload need of a unit; a copy, for use without the runtime's lock.
struct UnitView {
    std::string name;
    std::filesystem::path root;
    std::vector<Mount> mounts;
    std::map<std::string, std::string> env;  // all of it
};
UnitView view_of(const ProcessOptions& options, const ProcessRecord& record);

// The folder of this machine that a mount leads to.
std::filesystem::path source_of(const ProcessOptions& options, const Mount& mount,
                                const std::filesystem::path& root);
// Makes the links of all mounts below the unit's root. conflict when the unit has put something
// else into the place of one.
Result<void> make_mounts(const ProcessOptions& options, const UnitView& view);
// The words of a command, with paths below mounts as they are on this machine.
std::vector<std::string> rewritten(const std::vector<std::string>& command, const UnitView& view);
// "/a/b" -> "a/b".
std::string_view without_slash(std::string_view path);

}  // namespace atelier::drivers
