// The Kubernetes API as the command line uses it: discovery, objects, lists and watches.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/client/http_client.h"

namespace atelier::cli {

using Query = std::vector<std::pair<std::string, std::string>>;

// A kind of objects, as discovery describes it.
struct Resource {
    std::string group;
    std::string version;
    std::string kind;
    std::string plural;
    std::string singular;
    std::vector<std::string> short_names;
    std::vector<std::string> categories;
    std::vector<std::string> verbs;
    bool namespaced = true;

    std::string api_version() const { return group.empty() ? version : group + "/" + version; }
    // "workspace.atelier.dev", as `kubectl get -o name` has it.
    std::string name_prefix() const;
    // The path of the list, or of an object. An empty `ns` is all namespaces.
    std::string path(std::string_view ns, std::string_view name = {}) const;
};

struct Call {
    std::string method = "GET";
    std::string path;
    Query query = {};
    std::string accept = "application/json";
    std::string content_type = {};
    std::string body = {};
};

struct WatchEvent {
    std::string type;  // ADDED, MODIFIED, DELETED
    json::Document object;
};

// A watch. When the stream ends it connects again, from the last resource version it has received.
class Watch {
  public:
    virtual ~Watch() = default;
    // The next event; nothing when none comes within `patience`. Code::gone: the server no longer
    // has that history, so list again and start a new watch.
    virtual Result<std::optional<WatchEvent>> next(Duration patience) = 0;
};

inline constexpr std::string_view accept_table =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

// A client of one server. Used from one thread. Errors are those of the server's Status, with its
// causes, or of HttpClient.
class Client {
  public:
    // `warn` is called with the text of each Warning header.
    Client(std::unique_ptr<HttpClient> http, std::function<void(const std::string&)> warn);

    Result<json::Document> call(const Call& call);
    Result<HttpAnswer> raw(const Call& call);  // any status is a success

    // The kinds that can be listed. The server is asked once for the life of the client.
    Result<std::vector<Resource>> resources();
    // Finds a kind by its plural, singular, short name or kind, with or without ".group".
    // Code::invalid suggests the nearest name.
    Result<Resource> resolve(std::string_view text);
    Result<Resource> resolve_kind(std::string_view api_version, std::string_view kind);

    Result<json::Document> get(const Resource& resource, std::string_view ns,
                               std::string_view name);
    // Reads the list page by page and passes each page to `take`.
    Result<void> list(const Resource& resource, std::string_view ns, const Query& query,
                      std::string_view accept,
                      const std::function<Result<void>(json::Document page)>& take);
    Result<std::vector<json::Document>> items(const Resource& resource, std::string_view ns,
                                              const Query& query = {},
                                              std::string* revision = nullptr);
    Result<json::Document> merge_patch(const Resource& resource, std::string_view ns,
                                       std::string_view name, const json::Value& patch,
                                       const Query& query = {});
    // With an empty `revision` the watch begins with an ADDED for each object that exists.
    Result<std::unique_ptr<Watch>> watch(const Resource& resource, std::string_view ns, Query query,
                                         std::string revision,
                                         std::string_view accept = "application/json");

  private:
    Result<void> discover(const std::string& path);

    std::unique_ptr<HttpClient> http_;
    std::function<void(const std::string&)> warn_;
    std::optional<std::vector<Resource>> resources_;
};

// Percent-encodes all but RFC 3986's unreserved characters.
std::string percent_encode(std::string_view text);
// The Error that a Status object means.
Error error_of_status(int http_status, const json::Value& status);

}  // namespace atelier::cli
