// What an update changes, by comparing the trees before and after it. Pure.
#pragma once

#include <string>
#include <vector>

#include "crds/plugin_install.h"
#include "crds/plugin_update.h"
#include "drivers/trees/tree.h"

namespace atelier::reconcilers::plugin_update {

struct Comparison {
    crds::ChangeClass change = crds::ChangeClass::cold;
    crds::CapabilityDiff capabilities;
    std::vector<std::string> changed_files;  // the first 100
};

Comparison compare(const drivers::Tree& from, const drivers::Tree& to);

}  // namespace atelier::reconcilers::plugin_update
