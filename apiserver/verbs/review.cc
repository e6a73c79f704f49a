#include "apiserver/verbs/review.h"

// There are no roles: every authenticated user may do everything.
#include "apiserver/request/body.h"

namespace atelier::apiserver {
namespace {

json::Value strings(const std::vector<std::string>& texts, json::Allocator& allocator) {
    json::Value out(rapidjson::kArrayType);
    for (const std::string& text : texts) out.PushBack(json::make(text, allocator), allocator);
    return out;
}

json::Value user_json(const User& user, json::Allocator& allocator) {
    json::Value info(rapidjson::kObjectType);
    json::set(info, "username", user.name, allocator);
    json::set(info, "groups", strings(user.groups, allocator), allocator);
    return info;
}

json::Value subject(const User& user, json::Allocator& allocator) {
    json::Value out(rapidjson::kObjectType);
    json::set(out, "userInfo", user_json(user, allocator), allocator);
    return out;
}

json::Value token_status(const std::optional<User>& user, json::Allocator& allocator) {
    json::Value out(rapidjson::kObjectType);
    if (user) {
        json::set(out, "authenticated", json::Value(true), allocator);
        json::set(out, "user", user_json(*user, allocator), allocator);
    } else {
        json::set(out, "user", json::Value(rapidjson::kObjectType), allocator);
        json::set(out, "error", "invalid bearer token", allocator);
    }
    return out;
}

json::Value access(bool allowed, json::Allocator& allocator) {
    json::Value out(rapidjson::kObjectType);
    json::set(out, "allowed", json::Value(allowed), allocator);
    json::set(out, "reason",
              allowed ? "every known user may do everything"
                      : "this server has no credential of that user",
              allocator);
    return out;
}

json::Value rules(json::Allocator& allocator) {
    const std::vector<std::string> all{"*"};
    json::Value resource(rapidjson::kObjectType);
    for (const char* name : {"verbs", "apiGroups", "resources"}) {
        json::set(resource, name, strings(all, allocator), allocator);
    }
    json::Value path(rapidjson::kObjectType);
    for (const char* name : {"verbs", "nonResourceURLs"}) {
        json::set(path, name, strings(all, allocator), allocator);
    }
    json::Value out(rapidjson::kObjectType);
    json::Value resources(rapidjson::kArrayType);
    resources.PushBack(std::move(resource), allocator);
    json::Value paths(rapidjson::kArrayType);
    paths.PushBack(std::move(path), allocator);
    json::set(out, "resourceRules", std::move(resources), allocator);
    json::set(out, "nonResourceRules", std::move(paths), allocator);
    json::set(out, "incomplete", json::Value(false), allocator);
    return out;
}

json::Value status_of(const Authentication& authentication, const Call& call,
                      const json::Value& object, json::Allocator& allocator) {
    const std::string_view kind = call.route.review->kind;
    if (kind == "SelfSubjectReview") return subject(call.user, allocator);
    if (kind == "SelfSubjectAccessReview") return access(true, allocator);
    if (kind == "TokenReview") {
        const std::string token = json::string_at(object, {"spec", "token"});
        return token_status(authentication.who_has(token), allocator);
    }
    if (kind == "SubjectAccessReview") {
        const std::string user = json::string_at(object, {"spec", "user"});
        return access(authentication.knows(user), allocator);
    }
    return rules(allocator);
}

}  // namespace

void create_review(const Authentication& authentication, const CallPtr& call) {
    auto decoded = decode_body(*call, true);
    if (!decoded) return call->fail(decoded.error());
    const Review& review = *call->route.review;
    json::Document& object = decoded->value;
    auto& allocator = object.GetAllocator();
    const std::string kind = json::string_at(object, {"kind"});
    if (!kind.empty() && kind != review.kind) {
        return call->fail(bad_request("the body is a " + kind + "; this path takes a " +
                                      std::string(review.kind)));
    }
    json::set(object, "apiVersion", std::string(review.group) + "/" + std::string(review.version),
              allocator);
    json::set(object, "kind", review.kind, allocator);
    json::object_at(object, "metadata", allocator);
    json::Value status = status_of(authentication, *call, object, allocator);
    json::set(object, "status", std::move(status), allocator);
    call->json(201, json::text(object) + "\n");
}

}  // namespace atelier::apiserver
