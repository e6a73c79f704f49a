#include "store/open.h"

#include <fmt/format.h>

#include "store/cached_store.h"
#include "store/commit.h"
#include "store/memory_backend.h"
#include "store/postgres_backend.h"
#include "store/sqlite_backend.h"

namespace atelier::store {
namespace {

Result<std::unique_ptr<Backend>> backend_of(const Options& options) {
    const std::string_view url = options.url;
    if (url == "memory:") return memory_backend();
    if (options.encryption_key.empty()) {
        return Error{Code::invalid, "a database needs an encryption key of 32 bytes"};
    }
    if (url.starts_with("sqlite:")) return open_sqlite(url.substr(7));
    if (url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return open_postgres(options.url);
    }
    return Error{Code::invalid,
                 "the store's URL must be \"sqlite:<path>\", \"postgres://…\" or \"memory:\""};
}

Result<void> reseal(Backend& backend, const Sealer& sealer, const std::string& old,
                    const Log& log) {
    const auto anew = [&](const SealedContent& content) -> Result<std::string> {
        const std::string place = place_of(content.key, content.revision);
        const auto opened = sealer.open(content.bytes, content.key_id, place);
        if (!opened) return opened.error().in(content.key.text());
        return sealer.seal(*opened, place);
    };
    const std::size_t sealed = TRY(backend.reseal(anew, sealer.key_id()));
    log.info("sealed every Secret anew; the old encryption key is not needed any more",
             {{"contents", std::to_string(sealed)}, {"key", sealer.key_id()}, {"old_key", old}});
    return {};
}

// A database is bound to its key from the start, so that a wrong key is refused at once, and not
// when the first Secret is read or after new ones were sealed under it.
Result<void> bind_key(Backend& backend, const Sealer& sealer, const Log& log) {
    if (!sealer.has_key()) return {};
    const std::string bound = TRY(backend.meta("key_id"));
    if (bound.empty()) return backend.set_meta("key_id", sealer.key_id());
    if (bound == sealer.key_id()) return {};
    if (sealer.knows(bound)) return reseal(backend, sealer, bound, log);
    return Error{Code::invalid,
                 fmt::format("the database is sealed under the encryption key {}, the one given is "
                             "{}: put the right key back; to change it, give both "
                             "(docs/store.md, Keys)",
                             bound, sealer.key_id())};
}

Result<void> give_identity(Backend& backend, Random& random) {
    const std::string known = TRY(backend.meta("identity"));
    if (!known.empty()) return {};
    return backend.set_meta("identity", uuid4(random));
}

}  // namespace

Result<std::unique_ptr<Store>> open(const Options& options, const Clock& clock, Random& random,
                                    Metrics& metrics, Log log) {
    std::vector<std::string> keys;
    if (!options.encryption_key.empty()) {
        keys = options.old_encryption_keys;
        keys.insert(keys.begin(), options.encryption_key);
    }
    Sealer sealer = TRY(Sealer::make(std::move(keys), random));
    auto backend = TRY(backend_of(options));
    TRY(bind_key(*backend, sealer, log));
    // What forgets itself has nobody to be recognised by.
    if (options.url != "memory:") TRY(give_identity(*backend, random));
    return CachedStore::start(std::move(backend), std::move(sealer), options, clock, metrics,
                              std::move(log));
}

}  // namespace atelier::store
