// Which parts of a template reach a workspace as files, and which as environment.
#pragma once

#include <string>

#include "templates/compile.h"
#include "templates/document.h"

namespace atelier::templates {

// Fills the files, trees and environment of a compilation. Used by one thread; what it is made with
// outlives it.
class Delivery {
  public:
    Delivery(Loader& loader, Compilation& out) : loader_(loader), out_(out) {}

    // Reads the template's own `.env`, if there is one.
    void read_org_env();
    // Reads the node's folder: its `.env` becomes environment, everything else files. Sets the
    // node's files and environment names; the tree and the values go to the compilation.
    void deliver(Mapping& entry, Node& node);
    // Adds values that do not come from a `.env` file and take precedence over it. After deliver().
    void add_env(Node& node, EnvMap values);

  private:
    EnvMap read_env(const std::string& file, const std::string& text);
    void take_env(drivers::Tree& tree, const Mount& mount, Node& node);
    void take_reserved(drivers::Tree& tree, const Place& place, const std::string& folder);

    Loader& loader_;
    Compilation& out_;
    std::int64_t bytes_ = 0;
};

}  // namespace atelier::templates
