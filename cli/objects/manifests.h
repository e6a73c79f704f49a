// The objects in files, folders and stdin, each with its file and line.
#pragma once

#include <istream>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "crds/yaml.h"

namespace atelier::cli {

struct Manifest {
    std::string file;
    crds::YamlDocument document;
    std::string pointer;  // JSON pointer of the object in its document: "", or "/items/0" in a List
    json::Document object;

    // The file and line ("org.yaml:12") of the object, or of a field of it ("spec.files[0].path").
    std::string place(std::string_view field = {}) const;
};

struct Manifests {
    std::vector<Manifest> objects;  // in the order of files and documents
    std::vector<Error> errors;      // files and documents that cannot be read
};

// `paths` are files, folders or "-" for stdin. A folder stands for its *.yaml, *.yml and *.json in
// the order of their names, with `recursive` also for those of the folders below. A List becomes
// one manifest for each of its items. Code::not_found when a path does not exist.
Result<Manifests> read_manifests(const std::vector<std::string>& paths, bool recursive,
                                 std::istream& standard_input);

}  // namespace atelier::cli
