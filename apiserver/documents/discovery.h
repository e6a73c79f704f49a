// Discovery: the documents at /api, /apis and below, in the plain and the aggregated form, from
// which clients learn what is served.
// https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "apiserver/present/accept.h"
#include "apiserver/resources/catalog.h"

namespace atelier::apiserver {

// One ready answer.
struct StaticAnswer {
    std::string content_type = "application/json";
    std::string body;
    std::string etag;  // in quotes
};
StaticAnswer static_answer(std::string body, std::string content_type = "application/json");

// All answers, made once. Immutable; safe to share between threads.
class Discovery {
  public:
    // `address` is host:port, as clients reach this server.
    Discovery(const Catalog& catalog, const std::string& address);

    const StaticAnswer& core_versions(DiscoveryForm form) const;  // /api
    const StaticAnswer& groups(DiscoveryForm form) const;         // /apis
    const StaticAnswer* group(std::string_view name) const;       // /apis/{group}
    const StaticAnswer* resources(
        const GroupVersion& gv) const;  // /api/v1, /apis/{group}/{version}

  private:
    std::map<DiscoveryForm, StaticAnswer> core_versions_;
    std::map<DiscoveryForm, StaticAnswer> groups_;
    std::map<std::string, StaticAnswer, std::less<>> group_;
    std::map<GroupVersion, StaticAnswer> resources_;
};

}  // namespace atelier::apiserver
