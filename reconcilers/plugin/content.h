// What a plugin's tree holds: whether it may be used, and what it can do. Pure.
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

// The tree as it may be kept: without an upstream `.complete`, which is ours alone to write, and
// without `.git`. Code::invalid: links, unsafe names, nothing in it.
Result<drivers::Tree> clean(const drivers::Tree& tree);

// Integrity, as far as it is declared: manifest.json's own digest, and `sha256` of plugin.yaml
// where the Plugin names one. Code::forbidden says what differs.
Result<void> verify(const drivers::Tree& tree, const std::string& sha256);

// The digest that manifest.json declares: SHA-256 over "path NUL bytes" of every other file,
// sorted.
std::string manifest_json_digest(const drivers::Tree& tree);

PluginContent inspect(const drivers::Tree& tree);

}  // namespace atelier::reconcilers
