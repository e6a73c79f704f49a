// The bodies of lists that wait for their readers: shared where they are equal, and bounded
// together.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "apiserver/http/byte_budget.h"
#include "apiserver/http/http.h"
#include "apiserver/present/accept.h"
#include "apiserver/resources/selectors.h"

namespace atelier::apiserver {

// What the text of a list depends on.
struct ListKey {
    const crds::Kind* kind = nullptr;
    Revision revision = 0;
    SelectionKey selection;
    std::string after_ns;  // of a page: the last object before it
    std::string after_name;
    std::int64_t limit = 0;
    Representation as;
    auto operator<=>(const ListKey&) const = default;
};

// Thread-safe.
class ListAnswers {
  public:
    explicit ListAnswers(std::size_t most_bytes);

    // The same body, when it is being sent to another reader; else nullptr.
    Frame find(const ListKey& key);
    // Room for a body of about so many bytes, which the body then holds. nullptr: the lists that
    // wait for their readers fill the budget.
    class Room;
    std::shared_ptr<Room> reserve(std::size_t bytes);
    // Makes the body, which gives its room back when the last reader has received it. With a key,
    // find() returns it until then.
    Frame keep(std::shared_ptr<Room> room, std::string text, const std::optional<ListKey>& key);

  private:
    // Shared with the bodies, which may outlive us in the queues of connections.
    std::shared_ptr<ByteBudget> budget_;
    std::mutex mutex_;  // guards the map
    std::map<ListKey, std::weak_ptr<const std::string>> bodies_;
};

}  // namespace atelier::apiserver
