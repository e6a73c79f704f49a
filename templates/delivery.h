// What of a template reaches a workspace as files, and what as environment.
#pragma once

#include <string>

#include "templates/compile.h"
#include "templates/document.h"

namespace atelier::templates {

class Delivery {
  public:
    Delivery(Loader& loader, Compilation& out) : loader_(loader), out_(out) {}

    // The template's own `.env`.
    void read_org_env();
    // Reads the node's folder: its `.env` becomes environment, the rest files. Sets the node's
    // files and environment names; the tree and the values go to the compilation.
    void deliver(Mapping& entry, Node& node);
    // Values that come from elsewhere than a `.env`; they win over it. After deliver().
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
