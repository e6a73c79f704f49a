// Checks where a plugin comes from, and puts what it finds into the tree store.
#pragma once

#include <filesystem>
#include <string>

#include "crds/plugin.h"
#include "drivers/git/git.h"
#include "drivers/trees/tree.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/plugin/plan.h"

namespace atelier::reconcilers::plugin {

struct Options {
    std::filesystem::path directory;  // that local://name is below; empty: there is none
    std::string github_url = "https://github.com";
};

// Thread-safe. Collaborators outlive it.
class Upstream {
  public:
    Upstream(const Objects& objects, drivers::Git& git, drivers::TreeStore& trees, Options options)
        : objects_(objects), git_(git), trees_(trees), options_(std::move(options)) {}

    Check look(const crds::Plugin& plugin) const;
    // Makes sure that the tree of a version that is in use is in the tree store, by fetching it
    // again if it was lost. A tree of another digest than the version's is refused.
    Result<void> keep(const crds::Plugin& plugin, const crds::PluginVersion& version) const;

  private:
    struct Look;
    Check look_local(const crds::Plugin& plugin, const std::string& name) const;
    Result<drivers::Tree> read(const crds::Plugin& plugin, const std::string& commit) const;

    const Objects& objects_;
    drivers::Git& git_;
    drivers::TreeStore& trees_;
    const Options options_;
};

}  // namespace atelier::reconcilers::plugin
