// Compiles a template: reads org.yaml, follows its includes and externals, merges defaults, and
// checks every field. Reads through `files` and `externals` only. Deterministic: equal content
// gives an equal result on every machine, however it is divided into files and repositories.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crds/org_template.h"
#include "drivers/trees/tree.h"
#include "templates/compiled.h"
#include "templates/externals.h"
#include "templates/files.h"
#include "templates/finding.h"

namespace atelier::templates {

struct CompileLimits {
    std::int64_t nodes = 10'000;
    int include_depth = 16;
    int external_depth = 4;
    std::int64_t includes = 20'000;         // in all
    std::int64_t yaml_bytes = 64 << 20;     // of all YAML files read
    std::int64_t file_bytes = 256 << 20;    // of all files that are delivered
    std::int64_t prompt_bytes = 256 << 10;  // of one prompt
    // The plugins that exist; any other is warned about. nullopt: it is not known which exist.
    std::optional<std::set<std::string>> known_plugins = std::nullopt;
};

struct Compilation {
    CompiledOrg org;                             // meaningful without errors only
    std::map<std::string, drivers::Tree> trees;  // files of the nodes, by digest
    EnvLayers env;                               // secret
    std::vector<Finding> errors;                 // in the order met, at most 50
    std::vector<Finding> warnings;               // in the order met, at most 1000
    std::vector<crds::TemplateExternal> externals;
    bool may_pass = false;  // an error may pass by itself: a repository could not be reached
};

// The artifact: a tree with tree.json alone. Its digest names it, and is the same on every machine.
drivers::Tree artifact_of(const CompiledOrg& org);

// Blocks while externals are fetched; nothing is fetched while the template has errors without
// them. `files` and `externals` are used by the calling thread alone.
Compilation compile(TemplateFiles& files, Externals& externals, const CompileLimits& limits = {});

}  // namespace atelier::templates
