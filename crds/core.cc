#include "crds/core.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/field_codec.h"
#include "base/json_members.h"
#include "crds/causes.h"
#include "crds/definition.h"
#include "crds/yaml.h"

namespace atelier::crds {
namespace {

using json::find;
using json::string_at;
using json::Value;
using json::view;

constexpr std::size_t most_data_bytes = std::size_t{1} << 20;

void add(std::vector<Cause>& causes, std::string field, std::string_view reason,
         std::string message) {
    add_cause(causes, {std::move(field), std::string(reason), std::move(message)});
}

bool is_config_key(std::string_view key) {
    return !key.empty() && key.size() <= 253 && key != "." && !key.starts_with("..") &&
           std::all_of(key.begin(), key.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.';
           });
}

// The keys of a Secret or ConfigMap become names of files and variables. Returns the bytes held.
std::size_t check_keys(const Value& object, std::string_view member, std::vector<Cause>& causes) {
    const Value* data = find(object, {member});
    if (!data || !data->IsObject()) return 0;
    std::size_t bytes = 0;
    for (const auto& m : data->GetObject()) {
        bytes += m.value.IsString() ? m.value.GetStringLength() : 0;
        if (is_config_key(view(m.name))) continue;
        add(causes, fmt::format("{}[{}]", member, view(m.name)), "FieldValueInvalid",
            fmt::format("Invalid value: {}: a valid config key must consist of alphanumeric "
                        "characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
                        "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
                        json::text(m.name)));
    }
    return bytes;
}

void check_immutable(const Value& object, const Value* old,
                     std::initializer_list<std::string_view> members, std::vector<Cause>& causes) {
    if (!old) return;
    const Value* sealed = find(*old, {"immutable"});
    if (!sealed || !sealed->IsTrue()) return;
    const Value* still = find(object, {"immutable"});
    if (!still || !still->IsTrue()) {
        add(causes, "immutable", "FieldValueForbidden",
            "Forbidden: field is immutable when `immutable` is set");
    }
    for (const std::string_view member : members) {
        const Value* now = find(object, {member});
        const Value* then = find(*old, {member});
        if ((now && then && json::equal(*now, *then)) || (!now && !then)) continue;
        add(causes, std::string(member), "FieldValueForbidden",
            "Forbidden: field is immutable when `immutable` is set");
    }
}

void check_size(std::string_view field, std::size_t bytes, std::vector<Cause>& causes) {
    if (bytes <= most_data_bytes) return;
    add(causes, std::string(field), "FieldValueTooLong",
        fmt::format("Too long: may not be more than {} bytes", most_data_bytes));
}

// Moves stringData into data. A value that is no text stays, for the schema to refuse.
void merge_string_data(json::Document& secret, const Value*) {
    auto& allocator = secret.GetAllocator();
    const Value* plain = find(secret, {"stringData"});
    if (!plain || !plain->IsObject()) {
        if (plain && plain->IsNull()) json::remove(secret, "stringData");
        return;
    }
    for (const auto& m : plain->GetObject()) {
        if (!m.value.IsString()) return;
    }
    const json::Document taken = json::copy(*plain);
    json::remove(secret, "stringData");
    Value& data = json::object_at(secret, "data", allocator);
    std::vector<std::pair<std::string_view, Value>> members;
    for (const auto& m : taken.GetObject()) {
        members.emplace_back(view(m.name), json::make(base64(view(m.value)), allocator));
    }
    json::set_members(data, std::move(members), allocator);
}

// Base64 may come in lines, as `base64` prints it; it is kept in one.
void join_lines(json::Document& secret) {
    Value* data = find(secret, {"data"});
    if (!data || !data->IsObject()) return;
    for (auto& m : data->GetObject()) {
        if (!m.value.IsString() || view(m.value).find_first_of("\r\n") == std::string_view::npos) {
            continue;
        }
        std::string text(view(m.value));
        std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
        m.value = json::make(text, secret.GetAllocator());
    }
}

void prepare_secret(json::Document& secret, const Value* old) {
    merge_string_data(secret, old);
    join_lines(secret);
}

void check_secret(const Value& secret, const Value* old, const Lookup&,
                  std::vector<Cause>& causes) {
    check_size("data", check_keys(secret, "data", causes) / 4 * 3, causes);
    const std::string type = string_at(secret, {"type"});
    static constexpr std::pair<std::string_view, std::string_view> wanted[] = {
        {"kubernetes.io/tls", "tls.crt"},
        {"kubernetes.io/tls", "tls.key"},
        {"kubernetes.io/dockerconfigjson", ".dockerconfigjson"},
        {"kubernetes.io/dockercfg", ".dockercfg"},
        {"kubernetes.io/ssh-auth", "ssh-privatekey"}};
    for (const auto& [of, key] : wanted) {
        if (type == of && !find(secret, {"data", key})) {
            add(causes, fmt::format("data[{}]", key), "FieldValueRequired", "Required value");
        }
    }
    if (type == "kubernetes.io/basic-auth" && !find(secret, {"data", "username"}) &&
        !find(secret, {"data", "password"})) {
        for (const char* key : {"username", "password"}) {
            add(causes, fmt::format("data[{}]", key), "FieldValueRequired", "Required value");
        }
    }
    if (old && string_at(*old, {"type"}) != type) {
        add(causes, "type", "FieldValueInvalid",
            fmt::format("Invalid value: \"{}\": field is immutable", type));
    }
    check_immutable(secret, old, {"data"}, causes);
}

void check_config_map(const Value& map, const Value* old, const Lookup&,
                      std::vector<Cause>& causes) {
    check_size("", check_keys(map, "data", causes) + check_keys(map, "binaryData", causes), causes);
    const Value* binary = find(map, {"binaryData"});
    if (binary && binary->IsObject()) {
        const Value none(rapidjson::kObjectType);
        const Value* data = find(map, {"data"});
        const json::MemberIndex index(data && data->IsObject() ? *data : none);
        for (const auto& m : binary->GetObject()) {
            if (index.find(view(m.name)) == json::MemberIndex::npos) continue;
            add(causes, fmt::format("data[{}]", view(m.name)), "FieldValueInvalid",
                fmt::format("Invalid value: {}: duplicate of key present in binaryData",
                            json::text(m.name)));
        }
    }
    check_immutable(map, old, {"data", "binaryData"}, causes);
}

// A namespace is born active and held by one finalizer of its own. Only while it is being deleted
// may that be taken away.
void prepare_namespace(json::Document& ns, const Value* old) {
    auto& allocator = ns.GetAllocator();
    const std::string name = string_at(ns, {"metadata", "name"});
    json::set(json::object_at(json::object_at(ns, "metadata", allocator), "labels", allocator),
              "kubernetes.io/metadata.name", name, allocator);
    if (!old) {
        json::set(json::object_at(ns, "status", allocator), "phase", "Active", allocator);
    }
    const bool ending = old && !string_at(*old, {"metadata", "deletionTimestamp"}).empty();
    if (ending) return;
    Value finalizers(rapidjson::kArrayType);
    finalizers.PushBack("kubernetes", allocator);
    if (const Value* held = old ? find(*old, {"spec", "finalizers"}) : nullptr) {
        finalizers.CopyFrom(*held, allocator);
    }
    json::set(json::object_at(ns, "spec", allocator), "finalizers", std::move(finalizers),
              allocator);
}

void check_event(const Value& event, const Value* old, const Lookup&, std::vector<Cause>& causes) {
    if (old) return;
    const std::string ns = string_at(event, {"metadata", "namespace"});
    const std::string of = string_at(event, {"involvedObject", "namespace"});
    if (of == ns || (of.empty() && ns == "default")) return;
    add(causes, "involvedObject.namespace", "FieldValueInvalid",
        fmt::format("Invalid value: \"{}\": does not match event.namespace", of));
}

}  // namespace

void add_core_kinds(Kinds& kinds) {
    for (const EmbeddedFile& file : embedded_core_definitions()) {
        const auto documents = parse_yaml(file.text, file.name);
        CHECK(documents && documents->size() == 1);
        Result<Kind> kind = kind_of_definition(documents->front().value);
        CHECK(bool(kind));
        kind->strategic_merge = true;
        if (kind->plural == "secrets") {
            kind->prepare = prepare_secret;
            kind->rule = check_secret;
        } else if (kind->plural == "configmaps") {
            kind->rule = check_config_map;
        } else if (kind->plural == "namespaces") {
            kind->prepare = prepare_namespace;
        } else if (kind->plural == "events") {
            kind->rule = check_event;
        }
        kinds.add(*std::move(kind));
    }
}

Result<Secret> decode_secret(std::string_view text) {
    const json::Document document = TRY(json::parse(text));
    Secret secret;
    secret.meta = TRY(read_meta(document));
    json::FieldReader reader(document);
    reader("type", secret.type);
    std::map<std::string, std::string> encoded;
    reader("data", encoded);
    if (reader.error()) return *reader.error();
    for (auto& [key, value] : encoded) {
        std::string bytes;
        if (!base64_decode(value, bytes)) {
            return Error{Code::invalid, fmt::format("data.{}: must be base64", key)};
        }
        secret.data.emplace(key, std::move(bytes));
    }
    return secret;
}

json::Document encode_secret(const Secret& secret) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::set(out, "apiVersion", "v1", allocator);
    json::set(out, "kind", "Secret", allocator);
    json::set(out, "metadata", write_meta(secret.meta, allocator), allocator);
    json::set(out, "type", secret.type, allocator);
    Value data(rapidjson::kObjectType);
    for (const auto& [key, bytes] : secret.data) {
        data.AddMember(json::make(key, allocator), json::make(base64(bytes), allocator), allocator);
    }
    if (data.MemberCount() > 0) json::set(out, "data", std::move(data), allocator);
    return out;
}

Result<ConfigMap> decode_config_map(std::string_view text) {
    const json::Document document = TRY(json::parse(text));
    ConfigMap map;
    map.meta = TRY(read_meta(document));
    json::FieldReader reader(document);
    reader("data", map.data);
    if (reader.error()) return *reader.error();
    return map;
}

}  // namespace atelier::crds

INSTANTIATE_FIELDS(atelier::crds::ObjectReference);
