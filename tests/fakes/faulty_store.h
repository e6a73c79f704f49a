// A Store whose writes can fail: for the law that a reconciler converges whichever write fails, or
// is the last before a crash.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "store/store.h"

namespace atelier::fakes {

class FaultyStore final : public store::Store {
  public:
    // `inner` outlives it.
    explicit FaultyStore(store::Store& inner) : inner_(inner) {}

    // The nth write from now on fails, before it has an effect or after it. 0: none.
    void fail_write(int nth, bool after_its_effect) {
        after_ = after_its_effect;
        left_ = nth;
    }
    // Every write to that resource fails, until another one is named; empty: none.
    void fail_resource(std::string resource) { failing_ = std::move(resource); }
    // Called once, just before the next writes that hold together reach the store: somebody else is
    // quicker.
    void before_next_write_all(std::function<void()> what) { before_ = std::move(what); }
    int writes() const { return writes_; }  // so far

    store::ObjectPtr get(const Key& key) const override { return inner_.get(key); }
    store::SnapshotPtr list(std::string_view resource) const override {
        return inner_.list(resource);
    }
    std::vector<store::ObjectPtr> by_index(const store::FieldIndex& index,
                                           std::string_view value) const override {
        return inner_.by_index(index, value);
    }
    Result<store::SnapshotPtr> list_at(std::string_view resource,
                                       Revision revision) const override {
        return inner_.list_at(resource, revision);
    }
    Result<std::vector<store::EventPtr>> events(std::string_view resource, Revision after,
                                                std::size_t most) const override {
        return inner_.events(resource, after, most);
    }
    Revision revision() const override { return inner_.revision(); }
    void write(store::Write write, store::Done done) override {
        ++writes_;
        const bool fails = left_ > 0 && --left_ == 0;
        const Error error{Code::unavailable, "a planned failure of a write"};
        if (write.key.resource == failing_) return done(error);
        if (!fails) return inner_.write(std::move(write), std::move(done));
        if (!after_) return done(error);
        inner_.write(std::move(write),
                     [done = std::move(done), error](Result<store::ObjectPtr>) { done(error); });
    }
    // All of them count as one.
    void write_all(std::vector<store::Write> writes, store::AllDone done) override {
        ++writes_;
        if (before_) std::exchange(before_, nullptr)();
        const bool fails = left_ > 0 && --left_ == 0;
        const Error error{Code::unavailable, "a planned failure of a write"};
        for (const store::Write& write : writes) {
            if (write.key.resource == failing_) return done(error);
        }
        if (!fails) return inner_.write_all(std::move(writes), std::move(done));
        if (!after_) return done(error);
        inner_.write_all(std::move(writes),
                         [done = std::move(done), error](const auto&) { done(error); });
    }
    std::unique_ptr<store::Subscription> on_commit(std::function<void(Revision)> wake) override {
        return inner_.on_commit(std::move(wake));
    }
    Result<void> healthy() const override { return inner_.healthy(); }

  private:
    store::Store& inner_;
    std::function<void()> before_;
    std::string failing_;  // set while nobody writes
    std::atomic<int> left_ = 0;
    std::atomic<bool> after_ = false;
    std::atomic<int> writes_ = 0;
};

}  // namespace atelier::fakes
