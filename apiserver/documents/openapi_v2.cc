// The protobuf of OpenAPI version 2. Field numbers:
// https://github.com/google/gnostic-models/blob/main/openapiv2/OpenAPIv2.proto
#include <fmt/format.h>

#include "apiserver/documents/openapi.h"

namespace atelier::apiserver {
namespace {

// Writes the two wire types that the document needs.
class Message {
  public:
    Message& text(unsigned field, std::string_view value) {
        varint(field << 3 | 2);
        varint(value.size());
        bytes_ += value;
        return *this;
    }
    Message& message(unsigned field, const Message& value) { return text(field, value.bytes_); }
    Message& flag(unsigned field, bool value) {
        varint(field << 3);
        varint(value ? 1 : 0);
        return *this;
    }
    const std::string& bytes() const { return bytes_; }

  private:
    void varint(std::uint64_t value) {
        while (value >= 0x80) {
            bytes_ += static_cast<char>(value | 0x80);
            value >>= 7;
        }
        bytes_ += static_cast<char>(value);
    }
    std::string bytes_;
};

Message named(std::string_view name, const Message& value) {
    return Message().text(1, name).message(2, value);
}
// Any{yaml}: JSON is YAML.
Message any(std::string_view yaml) {
    return Message().text(2, yaml);
}

Message schema(const json::Value& in);

Message properties(const json::Value& in) {
    Message out;
    for (const auto& m : in.GetObject()) {
        out.message(1, named(json::view(m.name), schema(m.value)));
    }
    return out;
}

std::string reference_of(const json::Value& in) {
    std::string reference = json::string_at(in, {"$ref"});
    const json::Value* all = json::find(in, {"allOf"});
    if (reference.empty() && all && all->IsArray() && all->Size() == 1) {
        reference = json::string_at((*all)[0], {"$ref"});
    }
    const std::size_t slash = reference.rfind('/');
    return slash == std::string::npos ? std::string()
                                      : "#/definitions/" + reference.substr(slash + 1);
}

bool is_true(const json::Value& in, std::string_view name) {
    const json::Value* value = json::find(in, {name});
    return value && value->IsBool() && value->GetBool();
}

// Type and structure. A schema that takes more than one type, or any field, is left open: version 2
// cannot say it, and kubectl would refuse what the server takes.
void shape(const json::Value& in, Message& out) {
    if (is_true(in, "x-kubernetes-preserve-unknown-fields") ||
        is_true(in, "x-kubernetes-int-or-string") || is_true(in, "nullable")) {
        return;
    }
    if (const std::string type = json::string_at(in, {"type"}); !type.empty()) {
        out.message(22, Message().text(1, type));
    }
    if (const json::Value* items = json::find(in, {"items"}); items && items->IsObject()) {
        out.message(23, Message().message(1, schema(*items)));
    }
    if (const json::Value* below = json::find(in, {"properties"}); below && below->IsObject()) {
        out.message(25, properties(*below));
    }
    if (const json::Value* more = json::find(in, {"additionalProperties"})) {
        if (more->IsObject()) out.message(21, Message().message(1, schema(*more)));
        if (more->IsBool()) out.message(21, Message().flag(2, more->GetBool()));
    }
    if (const json::Value* required = json::find(in, {"required"});
        required && required->IsArray()) {
        for (const json::Value& name : required->GetArray()) out.text(19, json::view(name));
    }
}

Message schema(const json::Value& in) {
    Message out;
    if (!in.IsObject()) return out;
    const std::string reference = reference_of(in);
    if (!reference.empty()) out.text(1, reference);
    if (const std::string format = json::string_at(in, {"format"}); !format.empty()) {
        out.text(2, format);
    }
    if (const std::string text = json::string_at(in, {"description"}); !text.empty()) {
        out.text(4, text);
    }
    if (reference.empty()) shape(in, out);
    if (const json::Value* texts = json::find(in, {"enum"}); texts && texts->IsArray()) {
        for (const json::Value& text : texts->GetArray()) out.message(20, any(json::text(text)));
    }
    for (const auto& m : in.GetObject()) {
        if (json::view(m.name).starts_with("x-kubernetes-")) {
            out.message(31, named(json::view(m.name), any(json::text(m.value))));
        }
    }
    return out;
}

Message query_parameter(std::string_view name) {
    const Message parameter = Message().text(2, "query").text(4, name).text(6, "string");
    const Message non_body = Message().message(3, parameter);
    return Message().message(1, Message().message(2, non_body));
}

Message operation(const ApiOperation& in) {
    Message out;
    out.text(5, in.id).text(6, "application/json");
    if (in.method == "post" || in.method == "put") out.text(7, "application/json");
    if (in.method == "patch") {
        out.text(7, "application/json-patch+json").text(7, "application/merge-patch+json");
    }
    if (in.method != "get") {
        out.message(8, query_parameter("dryRun"));
        if (in.method != "delete") {
            out.message(8, query_parameter("fieldManager"));
            out.message(8, query_parameter("fieldValidation"));
        }
    }
    const Message response = Message().message(1, Message().text(1, "OK"));
    out.message(9, Message().message(1, named("200", response)));
    out.message(13, named("x-kubernetes-action", any(in.action)));
    out.message(13, named("x-kubernetes-group-version-kind", any(gvk_json(*in.kind))));
    return out;
}

unsigned method_field(std::string_view method) {
    if (method == "get") return 2;
    if (method == "put") return 3;
    if (method == "post") return 4;
    return method == "delete" ? 5 : 8;
}

Message path_item(const ApiPath& path) {
    Message out;
    for (const ApiOperation& op : path.operations) {
        out.message(method_field(op.method), operation(op));
    }
    return out;
}

}  // namespace

std::string openapi_v2_protobuf(const Catalog& catalog, const std::string& version) {
    Message paths;
    for (const crds::Kind* kind : catalog.kinds()) {
        for (const ApiPath& path : api_paths(catalog, *kind)) {
            paths.message(2, named(path.path, path_item(path)));
        }
    }
    Message defined;
    const json::Document all = definitions(catalog, catalog.kinds());
    for (const auto& m : all.GetObject()) {
        defined.message(1, named(json::view(m.name), schema(m.value)));
    }
    return Message()
        .text(1, "2.0")
        .message(2, Message().text(1, "Atelier").text(2, version))
        .message(8, paths)
        .message(9, defined)
        .bytes();
}

}  // namespace atelier::apiserver
