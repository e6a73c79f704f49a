#include "apiserver/present/accept.h"

#include <map>
#include <vector>

#include "base/text.h"

namespace atelier::apiserver {
namespace {

struct Clause {
    std::string type;
    std::map<std::string, std::string, std::less<>> parameters;

    std::string parameter(std::string_view name) const {
        const auto it = parameters.find(name);
        return it == parameters.end() ? std::string() : it->second;
    }
    bool is_any_json() const {
        return type == "application/json" || type == "*/*" || type == "application/*";
    }
};

std::vector<Clause> clauses_of(std::string_view accept) {
    std::vector<Clause> out;
    if (trim(accept).empty()) accept = "application/json";
    for (const std::string& text : split(accept, ',')) {
        const std::vector<std::string> parts = split(text, ';');
        Clause clause;
        clause.type = lower(trim(parts.front()));
        for (std::size_t i = 1; i < parts.size(); ++i) {
            const std::string_view part = trim(parts[i]);
            const std::size_t equals = part.find('=');
            if (equals == std::string_view::npos) continue;
            clause.parameters[lower(trim(part.substr(0, equals)))] =
                std::string(trim(part.substr(equals + 1)));
        }
        const std::string quality = clause.parameter("q");
        if (quality == "0" || quality == "0.0") continue;
        out.push_back(std::move(clause));
    }
    return out;
}

}  // namespace

std::optional<Representation> negotiate_resource(std::string_view accept) {
    for (const Clause& clause : clauses_of(accept)) {
        if (!clause.is_any_json()) continue;
        const std::string as = clause.parameter("as");
        if (as.empty()) return Representation{};
        const std::string version = clause.parameter("v");
        if (clause.parameter("g") != "meta.k8s.io" || (version != "v1" && version != "v1beta1")) {
            continue;
        }
        if (as == "Table") return Representation{Form::table, version};
        if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList") {
            return Representation{Form::partial, version};
        }
    }
    return std::nullopt;
}

std::optional<DiscoveryForm> negotiate_discovery(std::string_view accept) {
    for (const Clause& clause : clauses_of(accept)) {
        if (!clause.is_any_json()) continue;
        const std::string as = clause.parameter("as");
        if (as.empty()) return DiscoveryForm::plain;
        if (as != "APIGroupDiscoveryList" || clause.parameter("g") != "apidiscovery.k8s.io") {
            continue;
        }
        if (clause.parameter("v") == "v2") return DiscoveryForm::v2;
        if (clause.parameter("v") == "v2beta1") return DiscoveryForm::v2beta1;
    }
    return std::nullopt;
}

std::optional<bool> negotiate_openapi_v2(std::string_view accept) {
    for (const Clause& clause : clauses_of(accept)) {
        // Both spellings are in use; '@' is the older one.
        if (clause.type == "application/com.github.proto-openapi.spec.v2@v1.0+protobuf" ||
            clause.type == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf") {
            return true;
        }
        if (clause.is_any_json()) return false;
    }
    return std::nullopt;
}

std::string media_type(std::string_view content_type) {
    return lower(trim(content_type.substr(0, content_type.find(';'))));
}

}  // namespace atelier::apiserver
