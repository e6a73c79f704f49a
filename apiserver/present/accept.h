// Which form of an answer the client asked for: the Accept header.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atelier::apiserver {

enum class Form { object, table, partial };

struct Representation {
    Form form = Form::object;
    std::string version = "v1";  // of meta.k8s.io, with table and partial: v1 or v1beta1
    auto operator<=>(const Representation&) const = default;
};

enum class DiscoveryForm { plain, v2, v2beta1 };

// The first clause of the header that can be answered; nullopt: none (406). An absent header is
// plain JSON. Clauses are tried in their order, as kube-apiserver's clients expect.
std::optional<Representation> negotiate_resource(std::string_view accept);
std::optional<DiscoveryForm> negotiate_discovery(std::string_view accept);
// Whether OpenAPI v2 is asked for as protobuf; nullopt: neither that nor JSON is acceptable.
std::optional<bool> negotiate_openapi_v2(std::string_view accept);

// "application/json" of "Application/JSON; charset=utf-8".
std::string media_type(std::string_view content_type);

}  // namespace atelier::apiserver
