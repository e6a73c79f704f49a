#include "crds/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json_members.h"
#include "base/text.h"
#include "crds/causes.h"
#include "crds/deleted_workspace.h"
#include "crds/meta.h"

namespace atelier::crds {
namespace {

using json::find;
using json::Value;
using json::view;

// Every field of ObjectMeta, in the order in which they are stored.
constexpr std::string_view known_fields[] = {"name",
                                             "generateName",
                                             "namespace",
                                             "selfLink",
                                             "uid",
                                             "resourceVersion",
                                             "generation",
                                             "creationTimestamp",
                                             "deletionTimestamp",
                                             "deletionGracePeriodSeconds",
                                             "labels",
                                             "annotations",
                                             "ownerReferences",
                                             "finalizers",
                                             "managedFields"};

// Kept from the stored object, whatever a client sends.
constexpr std::string_view server_fields[] = {"selfLink",
                                              "uid",
                                              "resourceVersion",
                                              "generation",
                                              "creationTimestamp",
                                              "deletionTimestamp",
                                              "deletionGracePeriodSeconds"};

constexpr std::size_t most_finalizers_named = 10;
constexpr std::size_t most_annotation_bytes = std::size_t{256} << 10;

constexpr std::string_view label_rule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view subdomain_rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view qualified_rule =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view label_value_rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_word(std::string_view text) {
    return !text.empty() && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
           });
}

// What is wrong with "prefix/name", or nothing.
std::string_view wrong_with_qualified(std::string_view text) {
    const std::size_t slash = text.find('/');
    std::string_view name = text;
    if (slash != std::string_view::npos) {
        if (slash == 0) return "prefix part must be non-empty";
        if (!is_dns_subdomain(text.substr(0, slash))) {
            return "prefix part must be a lowercase RFC 1123 subdomain";
        }
        name = text.substr(slash + 1);
    }
    if (name.empty()) return "name part must be non-empty";
    if (name.size() > 63) return "name part must be no more than 63 characters";
    return is_word(name) ? std::string_view() : qualified_rule;
}

std::string json_string(std::string_view text) {
    Value value(rapidjson::StringRef(text.data(), static_cast<rapidjson::SizeType>(text.size())));
    return json::text(value);
}

class Checker {
  public:
    explicit Checker(std::vector<Cause>& causes) : causes_(causes) {}

    void names(const Kind& kind, const Meta& meta) {
        if (meta.name.empty()) {
            add("name", "FieldValueRequired", "Required value: name or generateName is required");
        } else if (kind.resource() == "namespaces") {
            if (!is_dns_label(meta.name)) invalid("name", meta.name, label_rule);
        } else if (!is_dns_subdomain(meta.name)) {
            meta.name.size() > 253
                ? invalid("name", meta.name, "must be no more than 253 characters")
                : invalid("name", meta.name, subdomain_rule);
        }
        if (kind.scope == Scope::cluster) {
            if (!meta.ns.empty()) {
                add("namespace", "FieldValueForbidden", "Forbidden: not allowed on this type");
            }
        } else if (meta.ns.empty()) {
            add("namespace", "FieldValueRequired", "Required value");
        } else if (!is_dns_label(meta.ns)) {
            invalid("namespace", meta.ns, label_rule);
        }
    }

    void labels(const Meta& meta) {
        for (const auto& [name, value] : meta.labels) {
            const std::string_view wrong = wrong_with_qualified(name);
            if (!wrong.empty()) invalid("labels", name, wrong);
            if (value.size() > 63) {
                invalid("labels", value, "must be no more than 63 characters");
            } else if (!value.empty() && !is_word(value)) {
                invalid("labels", value, label_value_rule);
            }
        }
    }

    void annotations(const Meta& meta) {
        std::size_t bytes = 0;
        for (const auto& [name, value] : meta.annotations) {
            bytes += name.size() + value.size();
            const std::string_view wrong = wrong_with_qualified(lower(name));
            if (!wrong.empty()) invalid("annotations", name, wrong);
        }
        if (bytes > most_annotation_bytes) {
            add("annotations", "FieldValueTooLong",
                fmt::format("Too long: may not be more than {} bytes", most_annotation_bytes));
        }
    }

    // Another one would leave the volumes behind that it has.
    void volumes(const Meta& meta, const Meta& before) {
        const std::string now = meta.annotation(annotation::volumes_of);
        if (now == before.annotation(annotation::volumes_of)) return;
        invalid(fmt::format("annotations[{}]", annotation::volumes_of), now,
                "it is set when the Workspace is made, and cannot be changed");
    }

    void owners(const Meta& meta) {
        const OwnerReference* controller = nullptr;
        for (std::size_t i = 0; i < meta.owners.size(); ++i) {
            const OwnerReference& owner = meta.owners[i];
            const auto wanted = [&](std::string_view field, const std::string& value,
                                    std::string_view what) {
                if (!value.empty()) return;
                invalid(fmt::format("ownerReferences[{}].{}", i, field), value,
                        fmt::format("{} must not be empty", what));
            };
            wanted("apiVersion", owner.api_version, "version");
            wanted("kind", owner.kind, "kind");
            wanted("name", owner.name, "name");
            wanted("uid", owner.uid, "uid");
            if (!owner.controller.value_or(false)) continue;
            if (controller) {
                add("ownerReferences", "FieldValueInvalid",
                    fmt::format("Invalid value: {}: Only one reference can have Controller set to "
                                "true. Found \"true\" in references for {} and {}",
                                json_string(owner.name), controller->name, owner.name));
            }
            controller = &owner;
        }
    }

    void finalizers(const Meta& meta, const Meta* old) {
        std::string added;
        std::size_t named = 0;
        std::set<std::string_view> held;
        if (old) held.insert(old->finalizers.begin(), old->finalizers.end());
        for (std::size_t i = 0; i < meta.finalizers.size(); ++i) {
            const std::string& finalizer = meta.finalizers[i];
            if (held.contains(finalizer)) continue;
            const std::string_view wrong = wrong_with_qualified(finalizer);
            if (!wrong.empty()) invalid(fmt::format("finalizers[{}]", i), finalizer, wrong);
            if (++named > most_finalizers_named) continue;
            added += (added.empty() ? "" : ", ") + json_string(finalizer);
        }
        if (named > most_finalizers_named) {
            added += fmt::format(", and {} more", named - most_finalizers_named);
        }
        if (old && old->deleted_at && !added.empty()) {
            add("finalizers", "FieldValueForbidden",
                fmt::format("Forbidden: no new finalizers can be added if the object is being "
                            "deleted, found new finalizers []string{{{}}}",
                            added));
        }
    }

  private:
    void add(std::string_view field, std::string_view reason, std::string message) {
        add_cause(causes_,
                  {fmt::format("metadata.{}", field), std::string(reason), std::move(message)});
    }
    void invalid(std::string_view field, std::string_view value, std::string_view rule) {
        add(field, "FieldValueInvalid",
            fmt::format("Invalid value: {}: {}", json_string(value.substr(0, 300)), rule));
    }

    std::vector<Cause>& causes_;
};

bool is_empty_container(const Value& value) {
    return (value.IsObject() && value.MemberCount() == 0) || (value.IsArray() && value.Empty());
}

Value without_times(const Value& metadata, json::Allocator& allocator) {
    Value out(metadata, allocator);
    if (Value* fields = find(out, {"managedFields"}); fields && fields->IsArray()) {
        for (Value& entry : fields->GetArray()) {
            if (entry.IsObject()) json::remove(entry, "time");
        }
    }
    return out;
}

}  // namespace

Result<void> normalize_metadata(json::Document& object, std::vector<std::string>& unknown) {
    auto& allocator = object.GetAllocator();
    Value* metadata = find(object, {"metadata"});
    if (metadata && !metadata->IsObject() && !metadata->IsNull()) {
        return Error{Code::invalid, "metadata: must be an object"};
    }
    Value& old = json::object_at(object, "metadata", allocator);
    for (const auto& m : old.GetObject()) {
        const std::string_view name = view(m.name);
        if (std::find(std::begin(known_fields), std::end(known_fields), name) ==
            std::end(known_fields)) {
            add_unknown(unknown, "metadata." + std::string(name));
        }
    }
    TRY(read_meta(object));
    if (const Value* managed = find(old, {"managedFields"})) {
        const bool good =
            managed->IsNull() || (managed->IsArray() &&
                                  std::all_of(managed->Begin(), managed->End(),
                                              [](const Value& entry) { return entry.IsObject(); }));
        if (!good) return Error{Code::invalid, "metadata.managedFields: must be a list of objects"};
    }
    Value ordered(rapidjson::kObjectType);
    for (const std::string_view name : known_fields) {
        Value* value = find(old, {name});
        if (!value || value->IsNull()) continue;
        // An empty managedFields is a request of its own: keep_metadata reads it.
        if (is_empty_container(*value) && name != "managedFields") continue;
        ordered.AddMember(json::make(name, allocator), *value, allocator);
    }
    old = std::move(ordered);
    return {};
}

void validate_metadata(const Kind& kind, const Value& object, const Value* old,
                       std::vector<Cause>& causes) {
    const Result<Meta> meta = read_meta(object);
    if (!meta) return;  // normalize_metadata has refused it
    Checker checker(causes);
    if (!old) {
        checker.names(kind, *meta);
        checker.labels(*meta);
        checker.annotations(*meta);
        checker.owners(*meta);
        checker.finalizers(*meta, nullptr);
        return;
    }
    const Result<Meta> before = read_meta(*old);
    if (!before) return;
    if (meta->labels != before->labels) checker.labels(*meta);
    if (meta->annotations != before->annotations) checker.annotations(*meta);
    if (kind.resource() == WorkspaceSpec::resource) checker.volumes(*meta, *before);
    const Value* now = find(object, {"metadata", "ownerReferences"});
    const Value* then = find(*old, {"metadata", "ownerReferences"});
    if (now && (!then || !json::equal(*now, *then))) checker.owners(*meta);
    checker.finalizers(*meta, &*before);
}

void keep_metadata(json::Document& object, const Value& old) {
    auto& allocator = object.GetAllocator();
    Value& metadata = json::object_at(object, "metadata", allocator);
    const auto keep = [&](std::string_view name) {
        json::remove(metadata, name);
        if (const Value* value = find(old, {"metadata", name})) {
            json::set(metadata, name, Value(*value, allocator), allocator);
        }
    };
    for (const std::string_view name : server_fields) keep(name);
    const Value* managed = find(metadata, {"managedFields"});
    if (!managed) {
        keep("managedFields");
    } else if (managed->IsArray() &&
               std::all_of(managed->Begin(), managed->End(), is_empty_container)) {
        json::remove(metadata, "managedFields");  // [] and [{}] reset it
    }
}

bool same_metadata(const Value& a, const Value& b) {
    json::Document scratch;
    return json::equal(without_times(a, scratch.GetAllocator()),
                       without_times(b, scratch.GetAllocator()));
}

}  // namespace atelier::crds
