#include "store/subscribers.h"

#include <algorithm>
#include <condition_variable>
#include <thread>

namespace atelier::store {

struct Subscribers::Subscriber {
    std::function<void(Revision)> call;
    std::mutex mutex;  // guards what follows
    std::condition_variable returned;
    bool ended = false;
    std::vector<std::thread::id> running;  // the threads inside call
};

class Subscribers::Handle final : public Subscription {
  public:
    explicit Handle(std::shared_ptr<Subscriber> subscriber) : subscriber_(std::move(subscriber)) {}
    ~Handle() override {
        std::unique_lock lock(subscriber_->mutex);
        subscriber_->ended = true;
        // A call that ends its own subscription does not wait for itself.
        const auto self = std::this_thread::get_id();
        subscriber_->returned.wait(lock, [&] {
            return std::all_of(subscriber_->running.begin(), subscriber_->running.end(),
                               [&](std::thread::id id) { return id == self; });
        });
    }

  private:
    std::shared_ptr<Subscriber> subscriber_;
};

std::unique_ptr<Subscription> Subscribers::add(std::function<void(Revision)> wake) {
    auto subscriber = std::make_shared<Subscriber>();
    subscriber->call = std::move(wake);
    const std::lock_guard lock(mutex_);
    std::erase_if(subscribers_, [](const auto& weak) { return weak.expired(); });
    subscribers_.push_back(subscriber);
    return std::make_unique<Handle>(std::move(subscriber));
}

void Subscribers::wake(Revision revision) {
    std::vector<std::shared_ptr<Subscriber>> all;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& weak : subscribers_) {
            if (auto subscriber = weak.lock()) all.push_back(std::move(subscriber));
        }
    }
    for (const auto& subscriber : all) {
        {
            const std::lock_guard lock(subscriber->mutex);
            if (subscriber->ended) continue;
            subscriber->running.push_back(std::this_thread::get_id());
        }
        subscriber->call(revision);
        {
            const std::lock_guard lock(subscriber->mutex);
            auto& running = subscriber->running;
            running.erase(std::find(running.begin(), running.end(), std::this_thread::get_id()));
        }
        subscriber->returned.notify_all();
    }
}

}  // namespace atelier::store
