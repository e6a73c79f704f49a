#include "store/open.h"

#include "store/cached_store.h"
#include "store/memory_backend.h"

namespace atelier::store {
namespace {

Result<std::unique_ptr<Backend>> backend_of(const Options& options) {
    if (options.url == "memory:") return memory_backend();
    return Error{Code::invalid,
                 "the store's URL must be \"sqlite:<path>\", \"postgres://…\" or \"memory:\""};
}

}  // namespace

Result<std::unique_ptr<Store>> open(const Options& options, const Clock& clock, Random& random,
                                    Metrics& metrics, Log log) {
    std::vector<std::string> keys;
    if (!options.encryption_key.empty()) keys.push_back(options.encryption_key);
    Sealer sealer = TRY(Sealer::make(std::move(keys), random));
    auto backend = TRY(backend_of(options));
    return CachedStore::start(std::move(backend), std::move(sealer), options, clock, metrics,
                              std::move(log));
}

}  // namespace atelier::store
