// Typed forms of the core kinds that reconcilers read or write.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/fields.h"
#include "crds/meta.h"

namespace atelier::crds {

struct Secret {
    static constexpr std::string_view resource = "secrets";
    Meta meta;
    std::string type = "Opaque";
    std::map<std::string, std::string> data;  // decoded bytes
};
Result<Secret> decode_secret(std::string_view json);
json::Document encode_secret(const Secret& secret);

struct ConfigMap {
    static constexpr std::string_view resource = "configmaps";
    Meta meta;
    std::map<std::string, std::string> data;
};
Result<ConfigMap> decode_config_map(std::string_view json);

struct ObjectReference {
    std::string api_version;
    std::string kind;
    std::string ns;
    std::string name;
    std::string uid;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("apiVersion", self.api_version);
        v("kind", self.kind);
        v("namespace", self.ns);
        v("name", self.name);
        v("uid", self.uid);
    }
};

enum class EventType { normal, warning };

}  // namespace atelier::crds
