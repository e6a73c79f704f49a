#include "apiserver/verbs/list_answers.h"

namespace atelier::apiserver {

class ListAnswers::Room {
  public:
    explicit Room(std::shared_ptr<ByteBudget> budget)
        : budget_(std::move(budget)), share_(*budget_) {}

    bool resize(std::size_t bytes) { return share_.resize(bytes); }
    std::string text;

  private:
    std::shared_ptr<ByteBudget> budget_;
    BudgetShare share_;
};

ListAnswers::ListAnswers(std::size_t most_bytes)
    : budget_(std::make_shared<ByteBudget>(most_bytes)) {}

Frame ListAnswers::find(const ListKey& key) {
    const std::lock_guard lock(mutex_);
    const auto it = bodies_.find(key);
    return it == bodies_.end() ? nullptr : it->second.lock();
}

std::shared_ptr<ListAnswers::Room> ListAnswers::reserve(std::size_t bytes) {
    auto room = std::make_shared<Room>(budget_);
    return room->resize(bytes) ? room : nullptr;
}

Frame ListAnswers::keep(std::shared_ptr<Room> room, std::string text,
                        const std::optional<ListKey>& key) {
    // The estimate was refused or granted; the difference to the truth is only counted.
    (void)room->resize(text.capacity());
    room->text = std::move(text);
    Frame body(room, &room->text);
    if (!key) return body;
    const std::lock_guard lock(mutex_);
    std::erase_if(bodies_, [](const auto& entry) { return entry.second.expired(); });
    bodies_[*key] = body;
    return body;
}

}  // namespace atelier::apiserver
