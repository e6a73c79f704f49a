#include "shared_log.h"

#include <algorithm>

#include "store/cached_store.h"

namespace atelier::store {
namespace {

Error unreachable() {
    return Error{Code::unavailable, "the database cannot be reached"};
}

class SharedBackend final : public Backend {
  public:
    explicit SharedBackend(std::shared_ptr<SharedLog> shared) : s_(std::move(shared)) {}

    Result<Marks> marks() override {
        const std::lock_guard lock(s_->mutex);
        if (s_->down) return unreachable();
        return s_->marks;
    }
    Result<void> read_objects(const std::function<Result<void>(StoredObject&&)>& visit) override {
        const std::lock_guard lock(s_->mutex);
        if (s_->down) return unreachable();
        for (const auto& [key, object] : s_->objects) TRY(visit(StoredObject(object)));
        return {};
    }
    Result<void> read_log(Revision after,
                          const std::function<Result<void>(StoredEntry&&)>& visit) override {
        const std::lock_guard lock(s_->mutex);
        if (s_->down) return unreachable();
        for (const StoredEntry& line : s_->log) {
            if (line.revision > after) TRY(visit(StoredEntry(line)));
        }
        return {};
    }
    Result<Outcome> commit(const Batch& batch) override {
        const std::lock_guard lock(s_->mutex);
        if (s_->down) return unreachable();
        Fault fault = Fault::none;
        if (!s_->faults.empty()) {
            fault = s_->faults.front();
            if (fault != Fault::reject) s_->faults.pop_front();
        }
        if (fault == Fault::refuse) return Error{Code::exhausted, "the disk is full"};
        if (fault == Fault::unreachable) return unreachable();
        const bool poisoned = std::any_of(batch.log.begin(), batch.log.end(),
                                          [](const Entry& e) { return e.key->name == "poison"; });
        if (fault == Fault::reject && poisoned) {
            return Error{Code::invalid, "the database refuses a value"};
        }
        if (batch.base != s_->marks.newest) return Outcome::overtaken;
        write(batch);
        if (fault == Fault::lose_answer) return unreachable();
        return Outcome::committed;
    }
    Result<std::size_t> trim(Revision upto, std::size_t) override {
        const std::lock_guard lock(s_->mutex);
        s_->marks.trimmed = upto;
        return std::erase_if(s_->log, [&](const StoredEntry& l) { return l.revision <= upto; });
    }
    Result<std::string> meta(std::string_view name) override {
        const std::lock_guard lock(s_->mutex);
        const auto it = s_->meta.find(name);
        return it == s_->meta.end() ? std::string() : it->second;
    }
    Result<void> set_meta(std::string_view name, std::string_view value) override {
        const std::lock_guard lock(s_->mutex);
        s_->meta.insert_or_assign(std::string(name), std::string(value));
        return {};
    }
    // Nothing is sealed in it.
    Result<std::size_t> reseal(const Reseal&, std::string_view) override { return std::size_t{0}; }
    Result<void> ping() override {
        const std::lock_guard lock(s_->mutex);
        if (s_->down) return unreachable();
        return {};
    }
    Result<void> probe() override {
        const std::lock_guard lock(s_->mutex);
        ++s_->probes;
        if (s_->down) return unreachable();
        return {};
    }

  private:
    void write(const Batch& batch) {
        for (const Entry& entry : batch.log) {
            CHECK(entry.revision == s_->marks.newest + 1);
            s_->marks.newest = entry.revision;
            s_->log.push_back({entry.change, *entry.key, entry.revision, entry.previous,
                               std::string(entry.content.bytes), std::string(entry.content.key_id),
                               std::string(entry.previous_content.bytes),
                               std::string(entry.previous_content.key_id)});
        }
        for (const Effect& effect : batch.effects) {
            const auto it = s_->objects.find(*effect.key);
            CHECK((it == s_->objects.end() ? 0 : it->second.revision) == effect.expected);
            CHECK(batch.log[effect.line].key->name == effect.key->name);
            if (effect.revision == 0) {
                s_->objects.erase(it);
            } else {
                s_->objects[*effect.key] = {*effect.key, effect.revision,
                                            std::string(effect.content.bytes),
                                            std::string(effect.content.key_id)};
            }
        }
    }

    std::shared_ptr<SharedLog> s_;
};

}  // namespace

std::unique_ptr<Backend> backend_over(std::shared_ptr<SharedLog> shared) {
    return std::make_unique<SharedBackend>(std::move(shared));
}

std::unique_ptr<Store> SharedLogTest::open(bool commit_inline) {
    Options options;
    options.commit_inline = commit_inline;
    return must(CachedStore::start(backend_over(shared_), must(Sealer::make({}, random_)), options,
                                   clock_, metrics_, Log()));
}

void SharedLogTest::fail_next(std::initializer_list<Fault> faults) {
    const std::lock_guard lock(shared_->mutex);
    shared_->faults = faults;
}

}  // namespace atelier::store
