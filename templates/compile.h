// Compiles a template: reads org.yaml, follows its includes and externals, merges defaults, checks
// every field. Reads through `files` and `externals` only, and is deterministic: equal files give
// an equal result everywhere, in however many files and repositories they are.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "crds/org_template.h"
#include "drivers/trees/tree.h"
#include "templates/compiled.h"
#include "templates/externals.h"
#include "templates/files.h"

namespace atelier::templates {

struct CompileLimits {
    std::int64_t nodes = 10'000;
    int include_depth = 16;
    int external_depth = 4;
    std::int64_t includes = 20'000;         // in all
    std::int64_t yaml_bytes = 64 << 20;     // of all YAML files read
    std::int64_t file_bytes = 256 << 20;    // of all files that are delivered
    std::int64_t prompt_bytes = 256 << 10;  // of one prompt
};

// A finding with its place: reason, file, line, column, message.
using Finding = crds::TemplateWarning;
// "teams/platform.yaml:12:5: message"
std::string text_of(const Finding& finding);

struct Compilation {
    CompiledOrg org;                             // meaningful without errors only
    std::map<std::string, drivers::Tree> trees;  // files of the nodes, by digest
    EnvLayers env;
    std::vector<Finding> errors;    // in the order met, at most 50
    std::vector<Finding> warnings;  // in the order met, at most 1000
    std::vector<crds::TemplateExternal> externals;
    bool may_pass = false;  // the errors: another repository could not be reached
};

// The artifact: tree.json alone. Its digest names it, and is the same on every machine.
drivers::Tree artifact_of(const CompiledOrg& org);

// Fetches nothing while there are errors without it.
Compilation compile(TemplateFiles& files, Externals& externals, const CompileLimits& limits = {});

}  // namespace atelier::templates
