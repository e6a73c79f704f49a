// A store over a store: reads see the base with what was written here on top of it, and nothing
// that is written here ever reaches the base. Each resource is taken from the base as it is when it
// is first read or written, and stays so: what others write later is not seen.
//
// Events (the core kind) are answered as if written and dropped: nobody reads those of a preview.
// Thread-safe. The base outlives it; it keeps nothing of the base alive but shared objects.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "store/store.h"

namespace atelier::reconcilers::preview {

class Overlay final : public store::Store {
  public:
    explicit Overlay(const store::Store& base) : base_(base), revision_(base.revision()) {}

    store::ObjectPtr get(const Key& key) const override;
    store::SnapshotPtr list(std::string_view resource) const override;
    // Only of the newest revision; Code::gone for any other.
    Result<store::SnapshotPtr> list_at(std::string_view resource, Revision revision) const override;
    // Of what was written here.
    Result<std::vector<store::EventPtr>> events(std::string_view resource, Revision after,
                                                std::size_t most) const override;
    Revision revision() const override;
    // Answered before they return.
    void write(store::Write write, store::Done done) override;
    void write_all(std::vector<store::Write> writes, store::AllDone done) override;
    std::unique_ptr<store::Subscription> on_commit(std::function<void(Revision)> wake) override;
    Result<void> healthy() const override { return {}; }

    // What was written here after that revision, of all resources, oldest first.
    std::vector<store::EventPtr> written_after(Revision revision) const;

    // An object that was written here: as the base has it, and as it is now. nullptr: there is
    // none.
    struct Changed {
        store::ObjectPtr before;
        store::ObjectPtr after;
    };
    std::map<Key, Changed> changed() const;
    // What brings the base to where this is, whatever way was taken here: one write for each
    // object.
    std::vector<store::Write> writes() const;
    // As the base had it when its resource was first looked at.
    store::ObjectPtr before(const Key& key) const;
    store::SnapshotPtr list_before(std::string_view resource) const;

  private:
    struct Table {
        store::SnapshotPtr base;
        store::ObjectTable now;
    };
    Table& table(std::string_view resource) const;  // with mutex_ held
    Result<store::ObjectPtr> apply(store::Write& write);

    const store::Store& base_;
    mutable std::mutex mutex_;  // guards all below
    mutable std::map<std::string, Table, std::less<>> tables_;
    std::vector<store::EventPtr> events_;
    Revision revision_;
};

// The base as an overlay saw it first: for reading what was, with one view of one moment. Writes
// are refused. The overlay outlives it.
class Before final : public store::Store {
  public:
    explicit Before(const Overlay& overlay) : overlay_(overlay) {}
    store::ObjectPtr get(const Key& key) const override { return overlay_.before(key); }
    store::SnapshotPtr list(std::string_view resource) const override {
        return overlay_.list_before(resource);
    }
    Result<store::SnapshotPtr> list_at(std::string_view resource, Revision) const override {
        return overlay_.list_before(resource);
    }
    Result<std::vector<store::EventPtr>> events(std::string_view, Revision,
                                                std::size_t) const override {
        return std::vector<store::EventPtr>();
    }
    Revision revision() const override { return 0; }
    void write(store::Write write, store::Done done) override;
    void write_all(std::vector<store::Write> writes, store::AllDone done) override;
    std::unique_ptr<store::Subscription> on_commit(std::function<void(Revision)> wake) override;
    Result<void> healthy() const override { return {}; }

  private:
    const Overlay& overlay_;
};

}  // namespace atelier::reconcilers::preview
