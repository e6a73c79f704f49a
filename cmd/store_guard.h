// Keeps a store that is not the one this home has worked with from ending what runs: a mistyped
// --store, a lost file or half a backup looks like a store in which every Workspace was deleted.
//
// The home remembers in <home>/store.json which store it worked with, and how far that one was.
// When the store found now is another one, is behind, or has no Workspace at all beside units that
// run, the server serves but holds: it starts no controller until an operator confirms the
// store (--accept-store).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "cmd/runtimes.h"
#include "drivers/runtime.h"
#include "store/store.h"

namespace atelier::cmd {

struct StoreMark {
    std::string identity;  // store::Store::identity()
    Revision revision = 0;
};

// What the file says; nothing when there is none. Code::invalid, naming the file, when it is
// damaged.
Result<std::optional<StoreMark>> read_store_mark(const std::filesystem::path& file);
Result<void> write_store_mark(const std::filesystem::path& file, const StoreMark& mark);

struct FoundStore {
    StoreMark mark;
    std::size_t workspaces = 0;  // Workspace objects in it
    // Units of this server whose Workspace the store does not have: what controllers would remove.
    std::vector<std::string> strangers;
    bool units_known = true;  // every runtime answered
};

// Why the server must hold, and what to do; empty when it need not. `accepted` is the identity that
// the operator has named by --accept-store.
std::string why_hold(const std::optional<StoreMark>& known, const FoundStore& found,
                     const std::string& accepted);

// Keeps the file of the home up to date with the store, every few seconds and at its end. It owns a
// thread; the store and the log outlive it.
class StoreMarkKeeper {
  public:
    StoreMarkKeeper(std::filesystem::path file, const store::Store& store, Log log);
    ~StoreMarkKeeper();

  private:
    void write();
    const std::filesystem::path file_;
    const store::Store& store_;
    const Log log_;
    Revision written_ = -1;
    std::jthread thread_;
};

// What the store has beside what runs. Asks every runtime once for the units with these labels.
FoundStore find_strangers(const store::Store& store, OwnedRuntimes& runtimes,
                          const drivers::Labels& ours);

}  // namespace atelier::cmd
