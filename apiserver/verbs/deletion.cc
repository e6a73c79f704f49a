#include "apiserver/verbs/deletion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apiserver/request/body.h"
#include "apiserver/verbs/write.h"
#include "base/json_text.h"

namespace atelier::apiserver {
namespace {

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

Error cannot_go_on() {
    return {Code::exhausted,
            "the object was changed by somebody else meanwhile, and the server has no room to try "
            "the deletion again: try again in a moment"};
}

// The object; or, when its body can no longer be read, what stands before the rest of it: type and
// metadata. Deleting needs no more, and what cannot be read must not be there for ever.
Result<json::Document> state_of(const store::Object& object) {
    if (auto whole = json::parse(object.body)) return whole;
    json::Document metadata = TRY(json::parse(member_text(object.body, "metadata")));
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::set(out, "apiVersion", string_below(object.body, {"apiVersion"}), allocator);
    json::set(out, "kind", string_below(object.body, {"kind"}), allocator);
    json::set(out, "metadata", json::Value(metadata, allocator), allocator);
    return out;
}

// The body of the next state. What state_of could not read follows the metadata as it was.
crds::Body body_of(const json::Document& next, const store::Object& old) {
    crds::Body body = crds::encode_body(next);
    if (json::parse(old.body)) return body;
    const std::string_view metadata = member_text(old.body, "metadata");
    const auto end = static_cast<std::size_t>(metadata.data() - old.body.data()) + metadata.size();
    body.text.pop_back();
    body.text += std::string_view(old.body).substr(end);
    return body;
}

}  // namespace

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
                         fmt::format("the body is a {}; a DELETE takes DeleteOptions", kind)};
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

bool is_protected(const crds::Kind& kind, std::string_view name) {
    constexpr std::array<std::string_view, 3> names{"default", "kube-system", "kube-public"};
    return kind.resource() == "namespaces" &&
           std::find(names.begin(), names.end(), name) != names.end();
}

void begin_deletion(Services& services, const std::shared_ptr<Deletion>& deletion) {
    const store::ObjectPtr old = services.objects.get(deletion->key);
    if (!old) return deletion->done(Error{Code::not_found, "not found"});
    if (const auto ok = check_preconditions(*old, deletion->options); !ok) {
        return deletion->done(ok.error());
    }
    const auto current = state_of(*old);
    if (!current) return deletion->done(current.error());
    const auto next = crds::begin_deletion(deletion->kind, *current, services.clock.now(),
                                           deletion->options.propagation);
    store::Write write;
    write.key = old->key;
    write.expected = old->revision;
    write.kind = next ? store::Write::Kind::update : store::Write::Kind::remove;
    if (next) write.body = body_of(*next, *old);
    if (next && write.body.with(old->revision) == old->body) {
        return deletion->done(Deleted{old, false});
    }
    if (deletion->dry_run) return deletion->done(Deleted{old, !next});
    const bool gone = !next;
    services.store.write(std::move(write), [held = services.shared_from_this(), &services, deletion,
                                            gone](const Result<store::ObjectPtr>& stored) {
        if (stored) return deletion->done(Deleted{*stored, gone});
        // Without a precondition on the revision, a lost race is a reason to try again.
        if (stored.error().code == Code::conflict && deletion->options.revision == 0 &&
            deletion->attempt++ < most_attempts) {
            const bool taken = services.compute([&services, deletion](bool stopped) {
                if (stopped) return deletion->done(cannot_go_on());
                begin_deletion(services, deletion);
            });
            return taken ? void() : deletion->done(cannot_go_on());
        }
        deletion->done(write_error(stored.error()));
    });
}

}  // namespace atelier::apiserver
