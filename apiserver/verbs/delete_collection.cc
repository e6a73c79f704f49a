#include "apiserver/verbs/delete_collection.h"

#include <atomic>
#include <mutex>
#include <optional>

#include "apiserver/request/collection.h"
#include "apiserver/verbs/deletion.h"

namespace atelier::apiserver {
namespace {

// Answers when the last of many deletions is done.
class Gathering {
  public:
    Gathering(CallPtr call, std::size_t count) : call_(std::move(call)), left_(count + 1) {}

    void done(const Result<Deleted>& deleted) {
        if (!deleted && deleted.error().code != Code::not_found) {
            const std::lock_guard lock(mutex_);
            if (!error_) error_ = deleted.error();
        }
        one_less();
    }
    void one_less() {
        if (left_.fetch_sub(1) > 1) return;
        if (error_) return call_->fail(*error_);
        call_->json(200, deleted_status_json(call_->kind(), "", ""));
    }

  private:
    CallPtr call_;
    std::atomic<std::size_t> left_;
    std::mutex mutex_;
    std::optional<Error> error_;  // under mutex_ until the last one is done
};

}  // namespace

void delete_objects(Services& services, const CallPtr& call) {
    const auto list = read_list_options(call->request, false);
    if (!list) return call->fail(options_failure(list.error(), "ListOptions"));
    const auto selection = read_selection(*call, *list);
    if (!selection) return call->fail(selection.error());
    const auto options = read_delete_options(*call);
    if (!options) return call->fail(options_failure(options.error(), "DeleteOptions"));

    std::vector<Key> keys;
    const store::SnapshotPtr snapshot = services.objects.list(call->kind());
    for (const store::ObjectPtr& object : snapshot->objects) {
        if (!selection->matches(*object)) continue;
        if (!is_protected(call->kind(), object->key.name)) keys.push_back(object->key);
    }
    auto gathering = std::make_shared<Gathering>(call, keys.size());
    for (Key& key : keys) {
        begin_deletion(
            services, std::make_shared<Deletion>(
                          Deletion{call->kind(), std::move(key), *options, call->options.dry_run,
                                   [gathering](const Result<Deleted>& d) { gathering->done(d); }}));
    }
    gathering->one_less();
}

}  // namespace atelier::apiserver
