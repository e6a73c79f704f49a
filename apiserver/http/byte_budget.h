// A bound on the bytes that many requests or answers hold together.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace atelier::apiserver {

// Thread-safe. Never blocks. Outlives its shares.
class ByteBudget {
  public:
    explicit ByteBudget(std::size_t most) : most_(most) {}

    // False when that would pass the bound. While nothing is held, one holder may pass it: what is
    // larger than the whole budget is then served alone instead of never.
    bool take(std::size_t bytes);
    void give_back(std::size_t bytes);
    std::size_t held() const { return held_.load(); }

  private:
    const std::size_t most_;
    std::atomic<std::size_t> held_{0};
};

// What one holder has of a budget; given back when it is destroyed. Not thread-safe.
class BudgetShare {
  public:
    explicit BudgetShare(ByteBudget& budget) : budget_(&budget) {}
    ~BudgetShare() { resize(0); }
    BudgetShare(const BudgetShare&) = delete;
    BudgetShare& operator=(const BudgetShare&) = delete;

    // Holds `bytes` from now on. False, and nothing changed, when the budget has not as much;
    // less than before is never refused.
    bool resize(std::size_t bytes);
    // Leaves this budget for another one, of which it holds nothing yet.
    void move_to(ByteBudget& budget);

  private:
    ByteBudget* budget_;
    std::size_t held_ = 0;
};

}  // namespace atelier::apiserver
