// A store over a store, for forecasts: reads see the base with the writes of the overlay on top,
// and no write of the overlay ever reaches the base. The overlay takes each resource from the base
// when that is first read or written, and does not see what is written to the base later.
//
// Objects of the core kind Event are answered as if they were written, and dropped, because nobody
// reads those of a forecast. Thread-safe. The base outlives it; shared objects may outlive the
// base.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "store/store.h"

namespace atelier::store {

class Overlay final : public Store {
  public:
    explicit Overlay(const Store& base) : base_(base), revision_(base.revision()) {}

    ObjectPtr get(const Key& key) const override;
    SnapshotPtr list(std::string_view resource) const override;
    std::vector<ObjectPtr> by_index(const FieldIndex& index, std::string_view value) const override;
    // Only of the newest revision; Code::gone for any other.
    Result<SnapshotPtr> list_at(std::string_view resource, Revision revision) const override;
    // Of what was written here.
    Result<std::vector<EventPtr>> events(std::string_view resource, Revision after,
                                         std::size_t most) const override;
    Revision revision() const override;
    // Answered before they return.
    void write(Write write, Done done) override;
    void write_all(std::vector<Write> writes, AllDone done) override;
    std::unique_ptr<Subscription> on_commit(std::function<void(Revision)> wake) override;
    Result<void> healthy() const override { return {}; }

    // What was written here after that revision, of all resources, oldest first.
    std::vector<EventPtr> written_after(Revision revision) const;

    // An object that was written here: as the base has it, and as it is now. nullptr: there is
    // none.
    struct Changed {
        ObjectPtr before;
        ObjectPtr after;
    };
    std::map<Key, Changed> changed() const;
    // The writes that bring the base to the overlay's state: one for each object that differs,
    // however many writes led there.
    std::vector<Write> writes() const;
    // As the base had it when the overlay took its resource.
    ObjectPtr before(const Key& key) const;
    SnapshotPtr list_before(std::string_view resource) const;
    std::vector<ObjectPtr> by_index_before(const FieldIndex& index, std::string_view value) const;

  private:
    struct Table {
        SnapshotPtr base;
        ObjectTable now;
        SnapshotPtr newest;  // of now; nullptr: changed since
    };
    struct Indexes {
        IndexSet before;
        IndexSet now;
    };
    Table& table(std::string_view resource) const;  // with mutex_ held
    Result<ObjectPtr> apply(const Write& write);

    const Store& base_;
    mutable std::mutex mutex_;  // guards all below
    mutable std::map<std::string, Table, std::less<>> tables_;
    mutable std::map<std::string, Indexes, std::less<>> indexes_;
    std::vector<EventPtr> events_;
    Revision revision_;
};

// The state that an overlay took from its base: for reading how it was before the forecast. Writes
// are refused with Code::unsupported. The overlay outlives it.
class OverlayBase final : public Store {
  public:
    explicit OverlayBase(const Overlay& overlay) : overlay_(overlay) {}
    ObjectPtr get(const Key& key) const override { return overlay_.before(key); }
    SnapshotPtr list(std::string_view resource) const override {
        return overlay_.list_before(resource);
    }
    std::vector<ObjectPtr> by_index(const FieldIndex& index,
                                    std::string_view value) const override {
        return overlay_.by_index_before(index, value);
    }
    Result<SnapshotPtr> list_at(std::string_view resource, Revision) const override {
        return overlay_.list_before(resource);
    }
    Result<std::vector<EventPtr>> events(std::string_view, Revision, std::size_t) const override {
        return std::vector<EventPtr>();
    }
    Revision revision() const override { return 0; }
    void write(Write write, Done done) override;
    void write_all(std::vector<Write> writes, AllDone done) override;
    std::unique_ptr<Subscription> on_commit(std::function<void(Revision)> wake) override;
    Result<void> healthy() const override { return {}; }

  private:
    const Overlay& overlay_;
};

}  // namespace atelier::store
