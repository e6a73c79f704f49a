#include "controllers/follower.h"

namespace atelier::controllers {
namespace {

constexpr std::size_t events_at_once = 1000;

}  // namespace

bool Follower::follow(const Listed& listed, const Changed& changed) {
    while (cursor_) {
        const auto events = store_.events(resource_, *cursor_, events_at_once);
        if (!events) break;  // Code::gone: history was lost
        for (const auto& event : *events) {
            changed(*event);
            cursor_ = event->revision;
        }
        if (events->size() < events_at_once) return false;
    }
    const auto snapshot = store_.list(resource_);
    listed(*snapshot);
    cursor_ = snapshot->revision;
    return true;
}

}  // namespace atelier::controllers
