#include "apiserver/verbs/write.h"

#include <fmt/format.h>

#include "apiserver/request/body.h"

namespace atelier::apiserver {
namespace {

// One change under way. A lost race starts it again.
struct Attempt {
    CallPtr call;
    Mutation mutation;
    int number = 1;
};
using AttemptPtr = std::shared_ptr<Attempt>;

void run(Services& services, const AttemptPtr& attempt);

// Called on the store's thread, which must not compute: a table or a part of the object is made
// elsewhere, the object itself is only shared.
void answer_stored(Services& services, const CallPtr& call, int status,
                   const store::ObjectPtr& object) {
    if (call->view.as.form == Form::object) return answer_object(services, *call, status, object);
    services.compute(call, [&services, call, status, object] {
        answer_object(services, *call, status, object);
    });
}

void finish(Services& services, const AttemptPtr& attempt, const Result<store::ObjectPtr>& stored) {
    Call& call = *attempt->call;
    if (stored) return answer_stored(services, attempt->call, 200, *stored);
    const Code code = stored.error().code;
    if (code != Code::conflict) return call.fail(write_error(stored.error()));
    if (attempt->mutation.conditional || attempt->number >= most_attempts) {
        return call.fail(modified(call.kind(), call.route.name));
    }
    ++attempt->number;
    services.compute(attempt->call, [&services, attempt] { run(services, attempt); });
}

void run(Services& services, const AttemptPtr& attempt) {
    Call& call = *attempt->call;
    call.warnings.clear();
    const store::ObjectPtr old = services.objects.get(call.route.key());
    if (!old) return call.fail(not_found(call.kind(), call.route.name));
    auto current = json::parse(old->body);
    if (!current) return call.fail(current.error());
    const auto next = attempt->mutation.make(*old, *std::move(current));
    if (!next) return call.fail(next.error());

    auto encoded = encode_checked(*next);
    if (!encoded) return call.fail(encoded.error());
    crds::Body body = *std::move(encoded);
    if (body.with(old->revision) == old->body) return answer_object(services, call, 200, old);
    if (call.options.dry_run) return answer_dry_run(services, call, 200, body, old->revision);

    store::Write write;
    write.kind = crds::is_finished(*next) ? store::Write::Kind::remove : store::Write::Kind::update;
    write.key = old->key;
    write.expected = old->revision;
    if (write.kind == store::Write::Kind::update) write.body = std::move(body);
    services.store.write(std::move(write), [held = services.shared_from_this(), &services,
                                            attempt](const Result<store::ObjectPtr>& stored) {
        finish(services, attempt, stored);
    });
}

// A namespace that is absent or ending takes nothing new.
std::optional<Failure> check_namespace(Services& services, const Call& call,
                                       std::string_view name) {
    if (call.route.ns.empty()) return std::nullopt;
    const store::ObjectPtr ns = services.objects.get({"namespaces", "", call.route.ns});
    if (!ns) {
        Failure failure{404, "NotFound", fmt::format("namespaces \"{}\" not found", call.route.ns)};
        failure.name = call.route.ns;
        failure.kind = "namespaces";
        return failure;
    }
    if (!ns->meta.deleted_at) return std::nullopt;
    Failure failure = failure_of(
        {Code::forbidden, fmt::format("unable to create new content in namespace {} because it is "
                                      "being terminated",
                                      call.route.ns)},
        &call.kind(), name);
    failure.causes = {{"metadata.namespace", "NamespaceTerminating",
                       fmt::format("namespace {} is being terminated", call.route.ns)}};
    return failure;
}

struct Creation {
    CallPtr call;
    std::shared_ptr<const json::Document> object;
    std::shared_ptr<const std::vector<std::string>> duplicates;
    bool generated = false;  // the server made the name up: after a collision it tries another
    int number = 1;
};

void run(Services& services, const std::shared_ptr<Creation>& creation) {
    constexpr int most_names = 8;
    Call& call = *creation->call;
    call.warnings.clear();
    std::vector<std::string> unknown;
    const crds::Admission admission{services.clock.now(), services.random, services.objects,
                                    &unknown};
    const auto admitted = crds::admit_create(call.kind(), json::copy(*creation->object), admission);
    if (!admitted) {
        const std::string name = json::string_at(*creation->object, {"metadata", "name"});
        return call.fail(failure_of(admitted.error(), &call.kind(), name));
    }
    if (const auto ok = judge_fields(call, unknown, *creation->duplicates); !ok) {
        return call.fail(ok.error());
    }
    const std::string name = json::string_at(*admitted, {"metadata", "name"});
    auto encoded = encode_checked(*admitted);
    if (!encoded) return call.fail(encoded.error());
    crds::Body body = *std::move(encoded);
    store::Write write;
    write.key = {call.kind().resource(), call.route.ns, name};
    if (call.options.dry_run) {
        if (services.objects.get(write.key)) {
            return call.fail(failure_of({Code::already_exists, ""}, &call.kind(), name));
        }
        return answer_dry_run(services, call, 201, body, 0);
    }
    write.body = std::move(body);
    services.store.write(std::move(write), [held = services.shared_from_this(), &services, creation,
                                            name](const Result<store::ObjectPtr>& stored) {
        Call& done = *creation->call;
        if (stored) return answer_stored(services, creation->call, 201, *stored);
        if (stored.error().code == Code::already_exists && creation->generated &&
            creation->number++ < most_names) {
            return services.compute(creation->call,
                                    [&services, creation] { run(services, creation); });
        }
        done.fail(failure_of(write_error(stored.error()), &done.kind(), name));
    });
}

}  // namespace

void change_object(Services& services, const CallPtr& call, Mutation mutation) {
    run(services, std::make_shared<Attempt>(Attempt{call, std::move(mutation)}));
}

void store_new_object(Services& services, const CallPtr& call,
                      std::shared_ptr<const json::Document> object,
                      std::shared_ptr<const std::vector<std::string>> duplicates) {
    const std::string name = json::string_at(*object, {"metadata", "name"});
    if (const auto failure = check_namespace(services, *call, name)) return call->fail(*failure);
    auto creation = std::make_shared<Creation>();
    creation->call = call;
    creation->generated = name.empty();
    creation->object = std::move(object);
    creation->duplicates = std::move(duplicates);
    run(services, creation);
}

void answer_object(Services& services, Call& call, int status, const store::ObjectPtr& object) {
    call.body(status, "application/json", services.presenter.one(call.kind(), object, call.view),
              {{"Cache-Control", "no-cache, private"}});
}

void answer_dry_run(Services& services, Call& call, int status, const crds::Body& body,
                    Revision revision) {
    auto object = std::make_shared<store::Object>();
    object->revision = revision;
    object->body = revision > 0 ? body.with(revision) : body.text;
    if (auto meta = crds::peek_meta(object->body)) object->meta = *std::move(meta);
    // Tables keep their rows by revision, and what is not stored must not be kept under one.
    if (call.view.as.form == Form::table) call.view = {};
    answer_object(services, call, status, object);
}

Error write_error(Error error) {
    if (error.code == Code::unavailable) {
        error.message +=
            "; the change may have been stored all the same: read the object before trying again";
    }
    return error;
}

Result<crds::Body> encode_checked(const json::Value& object) {
    TRY(json::check(object));
    crds::Body body = crds::encode_body(object);
    if (body.text.size() <= most_object_bytes) return body;
    return Error{Code::too_large, fmt::format("the object is too large: {} bytes, at most {} are "
                                              "kept",
                                              body.text.size(), most_object_bytes)};
}

}  // namespace atelier::apiserver
