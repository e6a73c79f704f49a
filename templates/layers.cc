#include "templates/layers.h"

#include "base/digest.h"
#include "base/fields.h"
#include "base/fingerprint.h"

namespace atelier::templates {
namespace {

constexpr std::size_t most_bytes = 900'000;
constexpr std::string_view infix = ".template-env";
constexpr std::string_view secret_type = "atelier.dev/template-env";
constexpr std::size_t name_digits = 12;
constexpr std::string_view artifact_key = "artifact";
constexpr std::string_view org_key = "org";
constexpr std::string_view node_prefix = "node.";

std::string text_of(const EnvMap& values) {
    json::Document object(rapidjson::kObjectType);
    for (const auto& [name, value] : values) {
        json::set(object, name, value, object.GetAllocator());
    }
    return json::canonical(object);
}

Result<EnvMap> values_of(const std::string& text) {
    const json::Document object = TRY(json::parse(text));
    EnvMap values;
    if (!object.IsObject()) return values;
    for (const auto& member : object.GetObject()) {
        if (member.value.IsString()) {
            values.emplace(json::view(member.name), json::view(member.value));
        }
    }
    return values;
}

}  // namespace

std::string layers_secret_name(const std::string& template_name,
                               const crds::TemplateRevision& revision) {
    const std::string digest = sha256_hex(revision.revision + "\n" + revision.artifact_digest);
    return template_name + std::string(infix) + "." + digest.substr(0, name_digits);
}

bool is_layers_secret_name(std::string_view name, const std::string& template_name) {
    if (!name.starts_with(template_name)) return false;
    return name.substr(template_name.size()).starts_with(infix);
}

bool is_layers_secret(const crds::Secret& secret) {
    return secret.type == secret_type;
}

bool has_values(const EnvLayers& layers) {
    return !layers.org.empty() || !layers.nodes.empty();
}

std::string keyed_digest_of_values(const EnvLayers& layers, std::string_view key) {
    if (!has_values(layers)) return {};
    std::string all = text_of(layers.org);
    for (const auto& [node, values] : layers.nodes) all += "\n" + node + " " + text_of(values);
    return keyed_digest(key, all);
}

Result<crds::Secret> secret_of_layers(const crds::OrgTemplate& owner, const EnvLayers& layers,
                                      const crds::TemplateRevision& revision) {
    crds::Secret secret;
    secret.meta.name = layers_secret_name(owner.meta.name, revision);
    secret.meta.ns = owner.meta.ns;
    secret.meta.labels[std::string(crds::label::managed)] = "true";
    secret.meta.owners.push_back(owner.as_owner());
    secret.type = secret_type;
    secret.data[std::string(artifact_key)] = revision.artifact_digest;
    if (!layers.org.empty()) secret.data[std::string(org_key)] = text_of(layers.org);
    for (const auto& [key, values] : layers.nodes) {
        secret.data[std::string(node_prefix) + key] = text_of(values);
    }
    std::size_t bytes = 0;
    for (const auto& [key, text] : secret.data) bytes += key.size() + text.size();
    if (bytes > most_bytes) {
        return Error{Code::too_large,
                     "the .env files of the template together have more than 900000 bytes"};
    }
    return secret;
}

bool are_layers_of(const crds::Secret& secret, const crds::TemplateRevision& revision) {
    const auto of = secret.data.find(std::string(artifact_key));
    return of != secret.data.end() && of->second == revision.artifact_digest;
}

Result<EnvLayers> layers_of_secret(const crds::Secret& secret) {
    EnvLayers layers;
    for (const auto& [key, text] : secret.data) {
        if (key == org_key) {
            layers.org = TRY(values_of(text));
        } else if (key.starts_with(node_prefix)) {
            layers.nodes[key.substr(node_prefix.size())] = TRY(values_of(text));
        }
    }
    return layers;
}

}  // namespace atelier::templates
