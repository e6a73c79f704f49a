// A TreeStore in memory, for tests and simulation. Passes the contract tests of the real one.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "drivers/trees/tree.h"

namespace atelier::fakes {

class MemoryTreeStore final : public drivers::TreeStore {
  public:
    Result<std::string> put(const drivers::Tree& tree) override;
    Result<drivers::TreePtr> get(const std::string& digest) override;
    Result<drivers::Manifest> manifest(const std::string& digest) override;
    Result<std::string> read(const std::string& digest, const std::string& path) override;

    void lose(const std::string& digest);  // as a damaged disk does
    std::size_t size() const;
    int puts() const;

  private:
    mutable std::mutex mutex_;
    std::map<std::string, drivers::TreePtr> trees_;
    int puts_ = 0;
};

}  // namespace atelier::fakes
