#include "apiserver/request/body.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/request/protobuf.h"
#include "crds/yaml.h"

namespace atelier::apiserver {
namespace {

constexpr std::size_t most_named = 20;

Result<Decoded> decode_yaml(std::string_view text) {
    auto documents = crds::parse_yaml(text, "body");
    if (!documents) return documents.error();
    if (documents->size() != 1) {
        return Error{Code::invalid,
                     fmt::format("the body has {} YAML documents; it must have exactly one",
                                 documents->size())};
    }
    return Decoded{std::move(documents->front().value), {}};
}

Result<Decoded> check_shape(Decoded decoded) {
    if (decoded.value.IsNull()) decoded.value.SetObject();  // as kube-apiserver reads it
    if (!decoded.value.IsObject()) return Error{Code::invalid, "the body is not a JSON object"};
    json::Value* metadata = json::find(decoded.value, {"metadata"});
    if (metadata && metadata->IsNull()) {
        json::remove(decoded.value, "metadata");
    } else if (metadata && !metadata->IsObject()) {
        return Error{Code::invalid, "metadata is not an object"};
    }
    return decoded;
}

// "" when absent or null.
std::string text_at(const json::Value& object, std::initializer_list<std::string_view> path) {
    return json::string_at(object, path);
}

}  // namespace

Result<Decoded> decode_json(std::string_view text) {
    if (text.empty()) return Error{Code::invalid, "the request has no body"};
    Decoded out;
    out.value = TRY(json::parse_lenient(text, out.duplicates));
    return out;
}

Result<Decoded> decode_body(const Call& call, bool protobuf_allowed) {
    const std::string type = media_type(call.request.header("content-type"));
    const std::string& body = call.request.body;
    if (type.empty() || type == "application/json" || type == "*/*") {
        return check_shape(TRY(decode_json(body)));
    }
    if (type == "application/yaml") return check_shape(TRY(decode_yaml(body)));
    if (type == "application/vnd.kubernetes.protobuf" && protobuf_allowed) {
        return check_shape({TRY(decode_protobuf(body)), {}});
    }
    return Error{Code::unsupported,
                 fmt::format("the body of the request was in an unknown format - accepted media "
                             "types include: application/json, application/yaml{}",
                             protobuf_allowed ? ", application/vnd.kubernetes.protobuf" : "")};
}

Result<void> judge_fields(Call& call, const std::vector<std::string>& unknown,
                          const std::vector<std::string>& duplicates) {
    std::vector<std::string> problems;
    for (const std::string& path : unknown)
        problems.push_back(fmt::format("unknown field \"{}\"", path));
    for (const std::string& path : duplicates) {
        problems.push_back(fmt::format("duplicate field \"{}\"", path));
    }
    const std::size_t all = problems.size();
    if (all > most_named) {
        problems.resize(most_named);
        problems.push_back(fmt::format("and {} more", all - most_named));
    }
    if (problems.empty() || call.options.validation == FieldValidation::ignore) return {};
    if (call.options.validation == FieldValidation::warn) {
        call.warnings = std::move(problems);
        return {};
    }
    const crds::Kind& kind = call.kind();
    return Error{Code::invalid,
                 fmt::format("{} in version \"{}\" cannot be handled as a {}: strict decoding "
                             "error: {}",
                             kind.kind, kind.version, kind.kind, fmt::join(problems, ", "))};
}

Result<void> fit_to_route(const Call& call, json::Document& object) {
    const crds::Kind& kind = call.kind();
    auto& allocator = object.GetAllocator();
    const std::pair<std::string_view, std::string> type[] = {{"apiVersion", kind.api_version()},
                                                             {"kind", kind.kind}};
    for (const auto& [name, wanted] : type) {
        const std::string given = text_at(object, {name});
        if (!given.empty() && given != wanted) {
            return Error{Code::invalid,
                         fmt::format("the object's {} is \"{}\", but this URL takes \"{}\"", name,
                                     given, wanted)};
        }
        json::set(object, name, wanted, allocator);
    }
    json::Value& metadata = json::object_at(object, "metadata", allocator);
    const std::string ns = text_at(metadata, {"namespace"});
    if (!ns.empty() && ns != call.route.ns) {
        return Error{
            Code::invalid,
            fmt::format("the namespace of the provided object does not match the namespace "
                        "sent on the request (\"{}\" and \"{}\")",
                        ns, call.route.ns)};
    }
    if (!call.route.ns.empty()) json::set(metadata, "namespace", call.route.ns, allocator);
    if (!call.route.is_object()) return {};
    const std::string name = text_at(metadata, {"name"});
    if (!name.empty() && name != call.route.name) {
        return Error{Code::invalid,
                     fmt::format("the name of the object ({}) does not match the name on the URL "
                                 "({})",
                                 name, call.route.name)};
    }
    json::set(metadata, "name", call.route.name, allocator);
    return {};
}

}  // namespace atelier::apiserver
