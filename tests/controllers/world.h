// What the tests of controllers share: a store in memory, a clock that is set, and a reconciler
// that records.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.h"
#include "crds/lifecycle.h"
#include "reconcilers/reconciler.h"
#include "store/open.h"

namespace atelier::controllers {

class SetClock final : public Clock {
  public:
    Instant now() const override { return Instant{Duration{micros_.load()}}; }
    void advance(Duration by) { micros_ += by.count(); }

  private:
    std::atomic<std::int64_t> micros_{1'800'000'000'000'000};
};

struct World {
    explicit World(bool commit_inline = true) {
        store::Options options;
        options.url = "memory:";
        options.commit_inline = commit_inline;
        auto opened = store::open(options, clock, random, metrics, Log());
        CHECK(opened);
        store = *std::move(opened);
    }

    Key key(const std::string& name) const { return {"things.test", "default", name}; }

    store::ObjectPtr put(const Key& at, const std::string& metadata_rest = "",
                         const std::string& spec = "{}") {
        const auto old = store->get(at);
        const std::string text = R"({"apiVersion":"test/v1","kind":"Thing","metadata":{"name":")" +
                                 at.name + R"(","namespace":")" + at.ns + "\"" + metadata_rest +
                                 R"(},"spec":)" + spec + "}";
        store::Write write;
        write.kind = old ? store::Write::Kind::update : store::Write::Kind::create;
        write.key = at;
        write.expected = old ? old->revision : 0;
        const auto document = json::parse(text);
        CHECK(document);
        write.body = crds::encode_body(*document);
        auto stored = store::write_and_wait(*store, std::move(write));
        CHECK(stored);
        return *stored;
    }

    void remove(const Key& at) {
        store::Write write;
        write.kind = store::Write::Kind::remove;
        write.key = at;
        write.expected = store->get(at)->revision;
        CHECK(store::write_and_wait(*store, std::move(write)));
    }

    SetClock clock;
    SeededRandom random{1};
    Metrics metrics;
    std::unique_ptr<store::Store> store;
};

class Recorder final : public reconcilers::Reconciler {
  public:
    using Act = std::function<Result<reconcilers::Outcome>(const Key&, Instant)>;
    explicit Recorder(Act act = [](const Key&, Instant) { return reconcilers::Outcome{}; })
        : act_(std::move(act)) {}

    std::string_view resource() const override { return "things.test"; }
    std::string_view name() const override { return "recorder"; }
    std::vector<reconcilers::Interest> interests() const override {
        return {{"others.test", [](const store::Event& event, const store::Store&) {
                     return std::vector<Key>{{"things.test", "default", event.object->key.name}};
                 }}};
    }
    Result<reconcilers::Outcome> reconcile(const Key& key, Instant now) override {
        {
            const std::lock_guard lock(mutex_);
            seen_.push_back(key.name);
        }
        return act_(key, now);
    }
    std::vector<std::string> seen() const {
        const std::lock_guard lock(mutex_);
        return seen_;
    }

  private:
    Act act_;
    mutable std::mutex mutex_;
    std::vector<std::string> seen_;
};

}  // namespace atelier::controllers
