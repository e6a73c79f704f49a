// The org as the simulation wants it: a random tree of nodes that is edited at random, and its text
// as a template repository.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "drivers/trees/tree.h"

namespace atelier::sim {

struct Node {
    std::string parent;  // key; empty: a root
    std::string model;
    std::string prompt;
    std::set<std::string> plugins;
};

class TemplateModel {
  public:
    TemplateModel(Random& random, std::vector<std::string> plugins);

    // One random edit; what it did, for the trace.
    std::string edit();
    drivers::Tree files() const;  // org.yaml and what it names
    const std::map<std::string, Node>& nodes() const { return nodes_; }

  private:
    std::string pick();
    bool is_below(const std::string& key, const std::string& ancestor) const;
    void write(const std::string& parent, int depth, std::string& yaml) const;

    Random& random_;
    const std::vector<std::string> plugins_;
    std::map<std::string, Node> nodes_;  // by key
    int made_ = 0;
};

// Uniform in [0, below).
std::size_t draw(Random& random, std::size_t below);

}  // namespace atelier::sim
