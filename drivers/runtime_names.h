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

// What ensure_… says of a thing of that name without our labels.
Error not_ours(std::string_view what, const std::string& name);

// "/a/b/" -> "/a/b"; invalid when it is not an absolute path without "." and "..".
Result<std::string> plain_folder(const std::string& folder);

// Of the targets of mounts that hold a path of a unit, the nearest; null: none does.
const Mount* mount_of_path(const std::vector<Mount>& mounts, std::string_view path);

}  // namespace atelier::drivers
