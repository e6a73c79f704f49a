// What people should know about a git source although it could be read. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "drivers/git/git.h"
#include "templates/finding.h"

namespace atelier::reconcilers {

// AmbiguousRef: the ref is the name of a branch and of a tag.
std::vector<templates::Finding> warnings_of_ref(const std::vector<drivers::GitRef>& refs,
                                                std::string_view ref);
// SubmoduleLeftOut and LfsPointer, for at most ten paths each.
std::vector<templates::Finding> warnings_of_gaps(const drivers::GitGaps& gaps);

}  // namespace atelier::reconcilers
