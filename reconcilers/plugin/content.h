// What the tree of a plugin contains: whether it may be used, and its capabilities. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "crds/plugin.h"
#include "drivers/trees/tree.h"

namespace atelier::reconcilers {

struct PluginContent {
    std::string version;  // of plugin.yaml
    crds::PluginCapabilities capabilities;
    std::vector<std::string> warnings;  // plugin.yaml is missing or malformed: tolerated
};

// The tree as it may be stored: without a `.complete` from upstream, which only the server may
// write, and without `.git`. invalid: it has links or unsafe names, or no file at all.
Result<drivers::Tree> clean(const drivers::Tree& tree);

// Checks the digests that are declared: the one in manifest.json, and `sha256` of plugin.yaml where
// the Plugin names one. forbidden: the message says which digest differs.
Result<void> verify(const drivers::Tree& tree, const std::string& sha256);

// The digest that manifest.json declares: SHA-256 over "path NUL bytes" of every other file,
// sorted.
std::string manifest_json_digest(const drivers::Tree& tree);

PluginContent inspect(const drivers::Tree& tree);

}  // namespace atelier::reconcilers
