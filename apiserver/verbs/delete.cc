#include <fmt/format.h>

#include <array>
#include <atomic>

#include "apiserver/request/body.h"
#include "apiserver/verbs/verbs.h"
#include "apiserver/verbs/write.h"

namespace atelier::apiserver {
namespace {

struct DeleteOptions {
    crds::Propagation propagation = crds::Propagation::background;
    std::string uid;        // precondition
    Revision revision = 0;  // precondition
};

Error unsupported_value(std::string field, std::string_view value, std::string_view known) {
    const std::string message =
        fmt::format("Unsupported value: \"{}\": supported values: {}", value, known);
    return {Code::invalid, message, {}, {{std::move(field), "FieldValueNotSupported", message}}};
}

Result<crds::Propagation> propagation_of(const std::string& policy, bool orphan) {
    if (policy.empty()) return orphan ? crds::Propagation::orphan : crds::Propagation::background;
    if (policy == "Background") return crds::Propagation::background;
    if (policy == "Foreground") return crds::Propagation::foreground;
    if (policy == "Orphan") return crds::Propagation::orphan;
    return unsupported_value("propagationPolicy", policy,
                             "\"Background\", \"Foreground\", \"Orphan\"");
}

// From the body, and where that says nothing from the query. Sets dry_run of the call.
Result<DeleteOptions> read_delete_options(Call& call) {
    DeleteOptions out;
    std::string policy = query_text(call.request, "propagationPolicy");
    bool orphan = query_flag(call.request, "orphanDependents");
    TRY(query_integer(call.request, "gracePeriodSeconds"));
    if (!call.request.body.empty()) {
        const Decoded decoded = TRY(decode_body(call, true));
        const json::Value& body = decoded.value;
        if (const std::string kind = json::string_at(body, {"kind"});
            !kind.empty() && kind != "DeleteOptions") {
            return Error{Code::invalid,
                         fmt::format("the body is a {}, where DeleteOptions are wanted", kind)};
        }
        if (const std::string given = json::string_at(body, {"propagationPolicy"});
            !given.empty()) {
            policy = given;
        }
        const json::Value* dependents = json::find(body, {"orphanDependents"});
        if (dependents && dependents->IsBool()) orphan = dependents->GetBool();
        out.uid = json::string_at(body, {"preconditions", "uid"});
        out.revision =
            TRY(parse_revision(json::string_at(body, {"preconditions", "resourceVersion"})));
        if (const json::Value* dry = json::find(body, {"dryRun"}); dry && dry->IsArray()) {
            for (const json::Value& value : dry->GetArray()) {
                if (!value.IsString() || json::view(value) != "All") {
                    return unsupported_value("dryRun", json::text(value), "\"All\"");
                }
                call.options.dry_run = true;
            }
        }
    }
    out.propagation = TRY(propagation_of(policy, orphan));
    return out;
}

// The namespaces that are always there.
bool is_protected(const crds::Kind& kind, std::string_view name) {
    constexpr std::array<std::string_view, 3> names{"default", "kube-system", "kube-public"};
    return kind.resource() == "namespaces" &&
           std::find(names.begin(), names.end(), name) != names.end();
}

Result<void> check_preconditions(const store::Object& object, const DeleteOptions& options) {
    if (!options.uid.empty() && options.uid != object.meta.uid) {
        return Error{Code::conflict,
                     fmt::format("Precondition failed: UID in precondition: {}, UID in object "
                                 "meta: {}",
                                 options.uid, object.meta.uid)};
    }
    if (options.revision > 0 && options.revision != object.revision) {
        return Error{Code::conflict,
                     fmt::format("Precondition failed: ResourceVersion in precondition: {}, "
                                 "ResourceVersion in object meta: {}",
                                 options.revision, object.revision)};
    }
    return {};
}

// What became of one deletion.
struct Deleted {
    store::ObjectPtr object;
    bool gone = false;  // else it waits for its finalizers
};
using DeletedCall = std::function<void(Result<Deleted>)>;

struct Deletion {
    const crds::Kind& kind;
    Key key;
    DeleteOptions options;
    bool dry_run = false;
    DeletedCall done;
    int number = 1;
};

void run(Services& services, const std::shared_ptr<Deletion>& deletion) {
    const store::ObjectPtr old = services.objects.get(deletion->key);
    if (!old) return deletion->done(Error{Code::not_found, "not found"});
    if (const auto ok = check_preconditions(*old, deletion->options); !ok) {
        return deletion->done(ok.error());
    }
    const auto current = json::parse(old->body);
    if (!current) return deletion->done(current.error());
    const auto next = crds::begin_deletion(deletion->kind, *current, services.clock.now(),
                                           deletion->options.propagation);
    store::Write write;
    write.key = old->key;
    write.expected = old->revision;
    write.kind = next ? store::Write::Kind::update : store::Write::Kind::remove;
    if (next) write.body = crds::encode_body(*next);
    if (next && write.body.with(old->revision) == old->body) {
        return deletion->done(Deleted{old, false});
    }
    if (deletion->dry_run) return deletion->done(Deleted{old, !next});
    const bool gone = !next;
    services.store.write(std::move(write), [held = services.shared_from_this(), &services, deletion,
                                            gone](const Result<store::ObjectPtr>& stored) {
        if (stored) return deletion->done(Deleted{*stored, gone});
        // Without a precondition on the revision a race is only a reason to look again.
        if (stored.error().code == Code::conflict && deletion->options.revision == 0 &&
            deletion->number++ < most_attempts) {
            return run(services, deletion);
        }
        deletion->done(stored.error());
    });
}

Failure protected_failure(const crds::Kind& kind, std::string_view name) {
    return failure_of({Code::forbidden, "this namespace may not be deleted"}, &kind, name);
}

}  // namespace

void delete_object(Services& services, const CallPtr& call) {
    const auto options = read_delete_options(*call);
    if (!options) return call->fail(options.error());
    if (is_protected(call->kind(), call->route.name)) {
        return call->fail(protected_failure(call->kind(), call->route.name));
    }
    const auto done = [&services, call](const Result<Deleted>& deleted) {
        if (!deleted) return call->fail(deleted.error());
        if (!deleted->gone) return answer_object(services, *call, 200, deleted->object);
        call->json(200,
                   deleted_status_json(call->kind(), call->route.name, deleted->object->meta.uid));
    };
    run(services, std::make_shared<Deletion>(Deletion{call->kind(), call->route.key(), *options,
                                                      call->options.dry_run, done}));
}

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
    if (!list) return call->fail(options_failure(list.error()));
    const auto selection = read_selection(*call, *list);
    if (!selection) return call->fail(selection.error());
    const auto options = read_delete_options(*call);
    if (!options) return call->fail(options.error());

    std::vector<Key> keys;
    const store::SnapshotPtr snapshot = services.objects.list(call->kind());
    for (const store::ObjectPtr& object : snapshot->objects) {
        if (!selection->matches(*object)) continue;
        if (!is_protected(call->kind(), object->key.name)) keys.push_back(object->key);
    }
    auto gathering = std::make_shared<Gathering>(call, keys.size());
    for (Key& key : keys) {
        run(services, std::make_shared<Deletion>(
                          Deletion{call->kind(), std::move(key), *options, call->options.dry_run,
                                   [gathering](const Result<Deleted>& d) { gathering->done(d); }}));
    }
    gathering->one_less();
}

}  // namespace atelier::apiserver
