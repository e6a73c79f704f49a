// Tar as a stream from a tree, and a tree from an untrusted tar. Nothing here touches a disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/trees/tree.h"

namespace atelier::drivers {

struct TarOwner {
    int uid = 0;
    int gid = 0;
    Instant modified;  // of every entry: a tar without times makes files of 1970
};

// A tar of a tree, made while it is read: it holds one piece of it at a time. The tree must outlive
// it. Every path stands below `prefix` (a safe relative path, with or without a slash at its end,
// or empty); folders, also those of the prefix, come as entries of their own (0755); files are 0644
// or 0755. Not thread-safe.
class TarStream {
  public:
    TarStream(const Tree& tree, std::string_view prefix, const TarOwner& owner);
    ~TarStream();
    TarStream(const TarStream&) = delete;
    TarStream& operator=(const TarStream&) = delete;

    // Fills at most `size` bytes; 0: the end. invalid when a path of the tree is not safe.
    Result<std::size_t> read(char* buffer, std::size_t size);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// All of the stream.
Result<std::string> write_tar(const Tree& tree, std::string_view prefix, const TarOwner& owner);

struct ArchiveLimits {
    std::int64_t entries = 20'000;
    std::int64_t bytes = 100 << 20;  // of all files, as unpacked
};

// Tar, or tar in gzip. Hostile input is refused as invalid, naming the entry: absolute paths, "..",
// names that are not UTF-8, devices, pipes, hard links, symbolic links that lead outside, a file
// that is also a folder. Over a limit: too_large, before the memory is used. Owners, times and all
// bits of the mode but "executable" are dropped.
Result<Tree> read_tar(std::string_view bytes, const ArchiveLimits& limits = {});

}  // namespace atelier::drivers
