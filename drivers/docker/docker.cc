#include "drivers/docker/docker.h"

#include "base/text.h"
#include "drivers/docker/engine.h"

namespace atelier::drivers {

Result<std::unique_ptr<Runtime>> connect_docker(const DockerOptions& options, const Clock& clock,
                                                Random& random) {
    auto http = TRY(DockerHttp::open(options.host, options.tls));
    return std::unique_ptr<Runtime>(
        std::make_unique<DockerEngine>(std::move(http), options, clock, random));
}

Error docker_error(const DockerReply& reply, std::string_view doing) {
    const std::string text = reply.message();
    const std::string message(doing);
    const std::string detail = std::to_string(reply.status) + " " + text;
    if (text.find("no space left on device") != std::string::npos) {
        return {Code::exhausted, message + ": the disk of the Docker engine is full", detail};
    }
    switch (reply.status) {
        case 400:
            return {Code::invalid, message + ": the Docker engine refuses what is asked", detail};
        case 401:
        case 403:
            return {Code::forbidden, message + ": the Docker engine forbids it", detail};
        case 404:
            return {Code::not_found, message + ": it is not there", detail};
        case 409:
            return {Code::conflict, message + ": it is in use or in another state", detail};
        case 502:
        case 503:
        case 504:
            return {Code::unavailable, message + ": the Docker engine is not ready", detail};
        default:
            return {Code::internal, message + ": the Docker engine failed", detail};
    }
}

json::Document label_filter(const Labels& having) {
    json::Document filter(rapidjson::kObjectType);
    auto& a = filter.GetAllocator();
    if (having.empty()) return filter;
    json::Value labels(rapidjson::kArrayType);
    for (const auto& [key, value] : having) labels.PushBack(json::make(key + "=" + value, a), a);
    json::set(filter, "label", std::move(labels), a);
    return filter;
}

Labels labels_of(const json::Value* object) {
    Labels labels;
    if (!object || !object->IsObject()) return labels;
    for (const auto& member : object->GetObject()) {
        if (!member.value.IsString()) continue;
        labels.emplace(json::view(member.name), json::view(member.value));
    }
    return labels;
}

Result<DockerReply> DockerEngine::get(const std::string& path) {
    return http_->call({.method = "GET", .path = path, .deadline = options_.deadline});
}

Result<DockerReply> DockerEngine::post(const std::string& path, const json::Value* body) {
    return http_->call({.method = "POST",
                        .path = path,
                        .body = body ? json::text(*body) : std::string(),
                        .deadline = options_.deadline});
}

Result<DockerReply> DockerEngine::erase(const std::string& path) {
    return http_->call({.method = "DELETE", .path = path, .deadline = options_.deadline});
}

Capabilities DockerEngine::capabilities() {
    Capabilities capabilities{"docker", true, true, true, false};
    const auto shared = probe();
    capabilities.shares_file_system = shared && *shared;
    return capabilities;
}

}  // namespace atelier::drivers
