// What a forecast is made with.
#pragma once

#include <filesystem>
#include <string>

#include "base/log.h"
#include "base/random.h"
#include "crds/kind.h"
#include "drivers/git/git.h"
#include "drivers/trees/tree.h"
#include "reconcilers/common/runtimes.h"
#include "reconcilers/org_template/source.h"
#include "store/store.h"

namespace atelier::forecast {

// What is referred to must outlive every user of this value, and is thread-safe.
struct Dependencies {
    store::Store& store;
    const crds::Kinds& kinds;
    Random& random;
    drivers::Git& git;
    drivers::TreeStore& trees;
    std::filesystem::path templates_root;  // of `source.directory`; empty: there is none
    reconcilers::ExternalOptions external;
    reconcilers::Runtimes runtimes;
    std::string fingerprint_key;  // the server's key for digests of values; secret
    Log log;
};

}  // namespace atelier::forecast
