// How a Store is made.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "store/store.h"

namespace atelier::store {

struct Options {
    // "sqlite:<path>", "postgres://…" (libpq connection URI), or "memory:".
    std::string url = {};
    // 32 bytes: Secrets are sealed with AES-256-GCM under it before they reach the database.
    // Empty only with "memory:".
    std::string encryption_key = {};
    // Earlier keys. A database that is sealed under one of them is resealed under the key above
    // while it is opened.
    std::vector<std::string> old_encryption_keys = {};
    // How much history is kept for watchers that come back: what is older than history_kept, or
    // beyond the bytes, is dropped, the oldest first. Bytes are those of the bodies.
    std::size_t events_kept = 10'000;                    // in memory, per resource
    std::size_t events_bytes = std::size_t{64} << 20;    // in memory, of all resources
    Duration history_kept = std::chrono::minutes(10);    // in memory and in the database
    std::size_t history_bytes = std::size_t{256} << 20;  // in the database
    // Commit inside write() on the caller's thread instead of on a writer thread: for simulation.
    bool commit_inline = false;
};

// Opens or makes the database, migrates it, loads it. Collaborators outlive the store.
Result<std::unique_ptr<Store>> open(const Options& options, const Clock& clock, Random& random,
                                    Metrics& metrics, Log log);

}  // namespace atelier::store
