// The objects of files, folders and stdin, each with where it stands.
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
    std::string pointer;  // of the object in the document: "", or "/items/0" in a List
    json::Document object;

    // "org.yaml:12", of the object or of a field of it ("spec.files[0].path").
    std::string place(std::string_view field = {}) const;
};

struct Manifests {
    std::vector<Manifest> objects;  // in the order of files and documents
    std::vector<Error> errors;      // files and documents that cannot be read
};

// `paths` are files, folders (their *.yaml, *.yml and *.json by name, with `recursive` also those
// below) or "-". A list is taken apart. Code::not_found when a path does not exist.
Result<Manifests> read_manifests(const std::vector<std::string>& paths, bool recursive,
                                 std::istream& standard_input);

}  // namespace atelier::cli
