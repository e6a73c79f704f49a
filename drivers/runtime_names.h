// Small rules that every runtime shares.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// The same name when it may name a unit, network or volume (or is an id): letters, digits, '_', '.'
// and '-', no '.' or '-' in front, at most 255. Else invalid.
Result<std::string> check_runtime_name(std::string_view what, const std::string& name);

// Whether `labels` has every one of `wanted`.
bool has_all(const Labels& labels, const Labels& wanted);

// The Error for a network or volume of that name which lacks our labels.
Error not_ours(std::string_view what, const std::string& name);

// "/a/b/" -> "/a/b"; invalid when it is not an absolute path without "." and "..".
Result<std::string> plain_folder(const std::string& folder);

// The mount with the longest target that holds a path of a unit; null: no mount holds it.
const Mount* mount_of_path(const std::vector<Mount>& mounts, std::string_view path);

}  // namespace atelier::drivers
