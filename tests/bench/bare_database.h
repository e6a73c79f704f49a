// The databases without us: the same rows a create writes, by the shortest way to them. What it
// does a second is what the store and the API are measured against.
#pragma once

#include <filesystem>
#include <string>

namespace atelier::bench {

// One writer, `group` creates a transaction, each on disk before the next begins.
double bare_sqlite(const std::filesystem::path& file, int creates, int group);

// As many connections, each one create a transaction; PostgreSQL commits them together. Leaves the
// schema `bare` behind, which the next call makes anew.
double bare_postgres(const std::string& url, int creates, int connections);

}  // namespace atelier::bench
