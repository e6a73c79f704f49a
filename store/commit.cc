#include "store/commit.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "store/transition.h"

namespace atelier::store {
namespace {

class CommitBuilder {
  public:
    CommitBuilder(Commit& commit, const CommitContext& context)
        : commit_(commit), context_(context) {
        commit_.batch.base = context.base;
        commit_.batch.at = context.now;
    }

    Result<ObjectPtr> add(const Pending& pending) {
        const Write& write = pending.write;
        Touched& touched = touch(write.key);
        TRY(check_allowed(write, touched.now));
        if (changes_nothing(write, touched.now)) return touched.now;
        const Revision revision = context_.base + static_cast<Revision>(commit_.events.size()) + 1;
        const ObjectPtr object = TRY(next_state(write, pending.meta, touched.now, revision));
        record(write, touched, object, revision);
        touched.now = write.kind == Write::Kind::remove ? nullptr : object;
        return object;
    }

    // A group of joined writes: when one is refused, what the others did is undone.
    void add_all(const std::vector<Pending>& writes, std::size_t first, std::size_t end) {
        const std::size_t events = commit_.events.size();
        const std::size_t sealed = commit_.sealed.size();
        std::map<Key, Touched> before;
        for (std::size_t i = first; i < end; ++i) {
            const Key& key = writes[i].write.key;
            before.emplace(key, touch(key));
        }
        for (std::size_t i = first; i < end; ++i) {
            auto answer = add(writes[i]);
            if (answer) {
                commit_.answers.push_back(std::move(answer));
                continue;
            }
            for (auto& [key, touched] : before) touched_.at(key) = std::move(touched);
            commit_.events.resize(events);
            commit_.batch.log.resize(events);
            commit_.sealed.resize(sealed);
            commit_.answers.resize(first, answer);
            commit_.answers.resize(end, answer);
            return;
        }
    }

    void finish() {
        for (const auto& [key, touched] : touched_) {
            const Revision expected = touched.before ? touched.before->revision : 0;
            const Revision revision = touched.now ? touched.now->revision : 0;
            // Created and removed again within the batch, or only checked.
            if (expected == revision) continue;
            Effect effect;
            effect.key = touched.now ? &touched.now->key : &touched.before->key;
            effect.expected = expected;
            effect.revision = revision;
            effect.line = touched.line;
            if (touched.now) {
                effect.uid = touched.now->meta.uid;
                effect.content = touched.content;
            }
            commit_.batch.effects.push_back(effect);
        }
    }

  private:
    struct Touched {
        ObjectPtr before;  // as of the batch's base
        ObjectPtr now;
        Content content;  // of now, when the batch made it
        std::size_t line = 0;
    };

    Touched& touch(const Key& key) {
        const auto it = touched_.find(key);
        if (it != touched_.end()) return it->second;
        const ObjectPtr found = context_.find(key);
        return touched_.emplace(key, Touched{found, found, {}, 0}).first->second;
    }

    void record(const Write& write, Touched& touched, const ObjectPtr& object, Revision revision) {
        EventPtr event = event_of(write, touched.now, object);
        Entry entry;
        entry.change = event->change;
        entry.key = &object->key;
        entry.revision = revision;
        entry.content = content_of(*object);
        if (touched.now) {
            entry.previous = touched.now->revision;
            if (entry.previous <= context_.trimmed) {
                entry.previous_content = content_of(*touched.now);
            }
        }
        touched.content = entry.content;
        touched.line = commit_.batch.log.size();
        commit_.batch.log.push_back(entry);
        commit_.events.push_back(std::move(event));
    }

    Content content_of(const Object& object) {
        if (!is_sealed(object.key.resource) || !context_.sealer.has_key()) return {object.body, {}};
        commit_.sealed.push_back(
            context_.sealer.seal(object.body, place_of(object.key, object.revision)));
        return {commit_.sealed.back(), context_.sealer.key_id()};
    }

    Commit& commit_;
    const CommitContext& context_;
    std::map<Key, Touched> touched_;
};

}  // namespace

bool is_sealed(std::string_view resource) {
    return resource == "secrets";
}

std::string place_of(const Key& key, Revision revision) {
    // Names hold no line feed.
    return fmt::format("{}\n{}\n{}\n{}", key.resource, key.ns, key.name, revision);
}

std::size_t end_of_joined(const std::vector<Pending>& writes, std::size_t first) {
    while (first < writes.size() && writes[first].joined) ++first;
    return std::min(first + 1, writes.size());
}

Commit prepare(const std::vector<Pending>& writes, const CommitContext& context) {
    Commit out;
    out.answers.reserve(writes.size());
    CommitBuilder builder(out, context);
    for (std::size_t i = 0; i < writes.size();) {
        const std::size_t end = end_of_joined(writes, i);
        if (end - i == 1) {
            out.answers.push_back(builder.add(writes[i]));
        } else {
            builder.add_all(writes, i, end);
        }
        i = end;
    }
    builder.finish();
    return out;
}

}  // namespace atelier::store
