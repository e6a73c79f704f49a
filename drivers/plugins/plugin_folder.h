// The plugins folder of one workspace: complete trees under their names, exchanged in one step.
//
//     <name>/                      live: what the agent loads
//     <name>/.complete             the marker: the digest of the other files, written last of all
//     .staging/<name>.<stamp>/     being made
//     .previous/<name>.<stamp>/    was live, waits to be collected
//
// A reader meets the old tree or the new one, never a mixture and, where there was an old one,
// never none. A crash at any step leaves one of them; what else it leaves is found by observe() and
// cleared by restore() and collect().
//
// Names are ^[a-z0-9][a-z0-9._-]{0,127}$; a stamp is digits, lower-case letters, 'T', 'Z' and '-',
// at most 64: no dot, so that the last dot ends the name. Anything else is Code::invalid. The
// caller makes sure that only one thread works on a name at a time. Blocking. Errors: invalid (a
// tree that may not be delivered), conflict (what was written is not what is there), exhausted,
// forbidden, unavailable and timeout (the place cannot be reached: nothing is known).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/trees/tree.h"

namespace atelier::drivers {

inline constexpr std::string_view plugin_marker = ".complete";
inline constexpr int plugin_owner = 1000;  // uid and gid of the agent's program
// Of the status.json that the agent writes, in bytes.
inline constexpr std::size_t most_status = 4 << 20;

// One plugin, as it is in the folder.
struct PluginState {
    bool live = false;    // there is something under its name
    std::string marker;   // what its marker holds; empty: not complete
    Manifest manifest;    // of the live files, read and hashed now, without the marker
    std::string problem;  // why the live files cannot be what we delivered: a link, a device, …
    std::vector<std::string> staged;    // stamps, oldest first
    std::vector<std::string> previous;  // stamps, oldest first
    // The digest of a whole, complete live tree; empty for anything else.
    std::string delivered() const;
};

class PluginFolder {
  public:
    virtual ~PluginFolder() = default;
    virtual std::string_view delivery() const = 0;  // "mount" or "exec", for status

    virtual Result<PluginState> observe(const std::string& name) = 0;
    // Names of everything live, complete or not.
    virtual Result<std::vector<std::string>> names() = 0;

    // Writes the tree to staging, gives it its owner, reads it back, compares, and marks it. A
    // marker that the tree brings itself is left out.
    virtual Result<void> stage(const std::string& name, const std::string& stamp,
                               const Tree& tree) = 0;
    // Makes the staged tree live; the old one becomes a previous one. When that fails, the old one
    // is live still, or again.
    virtual Result<void> swap(const std::string& name, const std::string& stamp) = 0;
    // Nothing is live: makes the newest complete previous tree live. not_found when there is none.
    virtual Result<void> restore(const std::string& name) = 0;
    // Takes the live tree away, in one step for readers. Absent is success.
    virtual Result<void> remove(const std::string& name, const std::string& stamp) = 0;
    // Removes every staged and previous tree of that name.
    virtual Result<void> collect(const std::string& name) = 0;

    // The text of the agent's status.json. not_found: nobody reports.
    virtual Result<std::string> agent_status() = 0;
};

Result<void> check_plugin_name(std::string_view name);
Result<void> check_stamp(std::string_view stamp);
// The tree without a marker of its own. invalid when it has a link or a path that may not be.
Result<Tree> deliverable(const Tree& tree);
// "x.y" and "20260508T141530Z-k2m9x" of "x.y.20260508T141530Z-k2m9x"; nullopt for another form.
struct StampedName {
    std::string name;
    std::string stamp;
};
std::optional<StampedName> parse_stamped(std::string_view text);

}  // namespace atelier::drivers
