#include "apiserver/verbs/patch.h"

#include <fmt/format.h>

#include "apiserver/request/body.h"
#include "apiserver/verbs/json_patch.h"
#include "apiserver/verbs/strategic_merge.h"
#include "apiserver/verbs/write.h"

namespace atelier::apiserver {
namespace {

constexpr std::string_view json_type = "application/json-patch+json";
constexpr std::string_view merge_type = "application/merge-patch+json";
constexpr std::string_view strategic_type = "application/strategic-merge-patch+json";

struct Patch {
    std::string type;
    json::Document body;
    std::vector<std::string> duplicates;
};

Result<json::Document> apply(const Patch& patch, json::Document current) {
    auto& allocator = current.GetAllocator();
    if (patch.type == json_type) {
        TRY(apply_json_patch(current, patch.body));
    } else if (patch.type == strategic_type) {
        TRY(apply_strategic_merge(current, patch.body, allocator));
    } else {
        json::merge_patch(current, patch.body, allocator);
    }
    // Before anything walks the outcome by calling itself.
    TRY(json::check(current));
    const json::Value* metadata = json::find(current, {"metadata"});
    if (!current.IsObject() || !metadata || !metadata->IsObject()) {
        return Error{Code::invalid, "the patch leaves no object with metadata"};
    }
    return current;
}

Error immutable(std::string field, std::string_view value, std::string_view why) {
    const std::string message = fmt::format("Invalid value: \"{}\": {}", value, why);
    return {Code::invalid, message, {}, {{std::move(field), "FieldValueInvalid", message}}};
}

// What an object is cannot be patched: its type and its uid.
Result<void> check_unchanged(const Call& call, const store::Object& old,
                             const json::Document& object) {
    const std::string kind = json::string_at(object, {"kind"});
    if (kind != call.kind().kind) return immutable("kind", kind, "a patch cannot change it");
    const std::string version = json::string_at(object, {"apiVersion"});
    if (version != call.kind().api_version()) {
        return immutable("apiVersion", version, "a patch cannot change it");
    }
    const std::string uid = json::string_at(object, {"metadata", "uid"});
    if (!uid.empty() && uid != old.meta.uid) {
        return immutable("metadata.uid", uid, "field is immutable");
    }
    return {};
}

Result<json::Document> patched(Services& services, Call& call, const store::Object& old,
                               const json::Document& current, const Patch& patch) {
    json::Document object = TRY(apply(patch, json::copy(current)));
    // A revision in the patch says which state it was made for.
    const Revision expected =
        TRY(parse_revision(json::string_at(object, {"metadata", "resourceVersion"})));
    if (expected > 0 && expected != old.revision) {
        return Error{Code::conflict,
                     "the object has been modified; please apply your changes to the latest "
                     "version and try again"};
    }
    TRY(check_unchanged(call, old, object));
    TRY(fit_to_route(call, object));
    std::vector<std::string> unknown;
    const crds::Admission admission{services.clock.now(), services.random, services.objects,
                                    &unknown};
    const bool status = call.route.subresource == "status";
    json::Document next =
        TRY(status ? crds::admit_status(call.kind(), current, std::move(object), admission)
                   : crds::admit_update(call.kind(), current, std::move(object), admission));
    TRY(judge_fields(call, unknown, patch.duplicates));
    return next;
}

// Whether the patch itself names a revision: then a race is a conflict.
bool names_revision(const Patch& patch) {
    return patch.type != json_type &&
           !json::string_at(patch.body, {"metadata", "resourceVersion"}).empty();
}

}  // namespace

void patch_object(Services& services, const CallPtr& call) {
    auto patch = std::make_shared<Patch>();
    patch->type = media_type(call->request.header("content-type"));
    const bool strategic = call->kind().strategic_merge;
    if (patch->type != json_type && patch->type != merge_type &&
        !(patch->type == strategic_type && strategic)) {
        return call->fail(unsupported_media_type(
            fmt::format("{}, {}{}{}", json_type, merge_type, strategic ? ", " : "",
                        strategic ? strategic_type : std::string_view())));
    }
    auto decoded = decode_json(call->request.body);
    if (!decoded) return call->fail(decoded.error());
    patch->body = std::move(decoded->value);
    patch->duplicates = std::move(decoded->duplicates);
    if (patch->type != json_type && !patch->body.IsObject()) {
        return call->fail(bad_request("a merge patch is a JSON object"));
    }
    const bool conditional = names_revision(*patch);
    change_object(services, call,
                  {[&services, call, patch](const store::Object& old, json::Document current) {
                       return patched(services, *call, old, current, *patch);
                   },
                   conditional});
}

}  // namespace atelier::apiserver
