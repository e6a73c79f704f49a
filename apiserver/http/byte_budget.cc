#include "apiserver/http/byte_budget.h"

namespace atelier::apiserver {

bool ByteBudget::take(std::size_t bytes) {
    std::size_t held = held_.load();
    do {
        if (held > 0 && bytes > 0 && (held >= most_ || bytes > most_ - held)) return false;
    } while (!held_.compare_exchange_weak(held, held + bytes));
    return true;
}

void ByteBudget::give_back(std::size_t bytes) {
    held_.fetch_sub(bytes);
}

bool BudgetShare::resize(std::size_t bytes) {
    if (bytes > held_ && !budget_->take(bytes - held_)) return false;
    if (bytes < held_) budget_->give_back(held_ - bytes);
    held_ = bytes;
    return true;
}

void BudgetShare::move_to(ByteBudget& budget) {
    resize(0);
    budget_ = &budget;
}

}  // namespace atelier::apiserver
