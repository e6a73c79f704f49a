#include "apiserver/verbs/update.h"

// PUT, of objects and of their subresources.
#include <fmt/format.h>

#include "apiserver/request/body.h"
#include "apiserver/resources/selectors.h"
#include "apiserver/verbs/write.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

struct Replacement {
    json::Document object;
    std::vector<std::string> duplicates;
    Revision expected = 0;  // 0: whatever is there
};

Error invalid_finalizers(std::string_view field, std::string_view value, std::string_view why) {
    const std::string message = fmt::format("Invalid value: {}: {}", value, why);
    return {Code::invalid, message, {}, {{std::string(field), "FieldValueInvalid", message}}};
}

// "kubernetes", or a name with a domain as those of metadata.finalizers.
bool is_finalizer(std::string_view name) {
    if (name == "kubernetes") return true;
    const std::size_t slash = name.find('/');
    return slash != std::string_view::npos && is_dns_subdomain(name.substr(0, slash)) &&
           is_label_value(name.substr(slash + 1)) && slash + 1 < name.size();
}

// Only `spec.finalizers` of a namespace is taken. https://pkg.go.dev/k8s.io/kubernetes
// pkg/apis/core/validation: ValidateNamespaceFinalizeUpdate.
Result<json::Document> finalize(json::Document current, const json::Value& object) {
    auto& allocator = current.GetAllocator();
    json::Value finalizers(rapidjson::kArrayType);
    if (const json::Value* wanted = json::find(object, {"spec", "finalizers"});
        wanted && !wanted->IsNull()) {
        if (!wanted->IsArray()) {
            return invalid_finalizers("spec.finalizers", json::text(*wanted), "must be a list");
        }
        std::size_t at = 0;
        for (const json::Value& name : wanted->GetArray()) {
            const std::string field = fmt::format("spec.finalizers[{}]", at++);
            if (!name.IsString() || !is_finalizer(json::view(name))) {
                return invalid_finalizers(field, json::text(name),
                                          "must be \"kubernetes\" or a name with a domain, as "
                                          "example.com/name");
            }
        }
        finalizers.CopyFrom(*wanted, allocator);
    }
    json::set(json::object_at(current, "spec", allocator), "finalizers", std::move(finalizers),
              allocator);
    return current;
}

Result<json::Document> replace(Services& services, Call& call, const store::Object& old,
                               json::Document current, const Replacement& wanted) {
    if (wanted.expected > 0 && wanted.expected != old.revision) {
        return Error{Code::conflict,
                     "the object has been modified; please apply your changes to the latest "
                     "version and try again"};
    }
    const std::string uid = json::string_at(wanted.object, {"metadata", "uid"});
    if (!uid.empty() && uid != old.meta.uid) {
        return Error{Code::conflict,
                     fmt::format("Precondition failed: UID in precondition: {}, UID in object "
                                 "meta: {}",
                                 uid, old.meta.uid)};
    }
    if (call.route.subresource == "finalize") return finalize(std::move(current), wanted.object);
    std::vector<std::string> unknown;
    const crds::Admission admission{services.clock.now(), services.random, services.objects,
                                    &unknown};
    const bool status = call.route.subresource == "status";
    auto next =
        status ? crds::admit_status(call.kind(), current, json::copy(wanted.object), admission)
               : crds::admit_update(call.kind(), current, json::copy(wanted.object), admission);
    if (!next) return next;
    if (const auto ok = judge_fields(call, unknown, wanted.duplicates); !ok) return ok.error();
    return next;
}

// A custom object is replaced only by a request that names the revision it was made from; core
// kinds are more lenient, as in Kubernetes.
Result<Revision> expected_revision(const Call& call, const json::Value& object) {
    const Revision revision =
        TRY(parse_revision(json::string_at(object, {"metadata", "resourceVersion"})));
    if (revision == 0 && !call.kind().strategic_merge && call.route.subresource.empty()) {
        const std::string message = "Invalid value: 0x0: must be specified for an update";
        return Error{Code::invalid,
                     message,
                     {},
                     {{"metadata.resourceVersion", "FieldValueInvalid", message}}};
    }
    return revision;
}

}  // namespace

void update_object(Services& services, const CallPtr& call) {
    auto decoded = decode_body(*call, call->kind().strategic_merge);
    if (!decoded) return call->fail(decoded.error());
    auto wanted = std::make_shared<Replacement>();
    wanted->object = std::move(decoded->value);
    wanted->duplicates = std::move(decoded->duplicates);
    if (const auto fits = fit_to_route(*call, wanted->object); !fits)
        return call->fail(fits.error());
    // Leader election puts a Lease that is not there yet.
    const bool create_on_update = call->kind().resource() == "leases.coordination.k8s.io";
    const bool exists = services.objects.get(call->route.key()) != nullptr;
    if (!exists && !create_on_update) return call->fail(not_found(call->kind(), call->route.name));
    const auto expected = expected_revision(*call, wanted->object);
    if (!expected) return call->fail(expected.error());
    wanted->expected = *expected;

    if (create_on_update && *expected == 0 && !exists) {
        auto object = std::make_shared<const json::Document>(std::move(wanted->object));
        auto duplicates =
            std::make_shared<const std::vector<std::string>>(std::move(wanted->duplicates));
        return store_new_object(services, call, std::move(object), std::move(duplicates));
    }
    change_object(services, call,
                  {[&services, call, wanted](const store::Object& old, json::Document current) {
                       return replace(services, *call, old, std::move(current), *wanted);
                   },
                   *expected > 0});
}

}  // namespace atelier::apiserver
