#include "drivers/docker/api.h"

#include <algorithm>

#include "base/text.h"
#include "base/utf8.h"

namespace atelier::drivers {

namespace {

constexpr std::size_t most_words = 300;
constexpr std::size_t most_read = 4096;  // of a text whose words are taken: it may have megabytes

// "https://name:secret@host" -> "https://host".
std::string without_credentials(std::string text) {
    for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at)) {
        at += 3;
        const std::size_t end = text.find_first_of("/?# \"'", at);
        const std::size_t host = text.substr(0, end).rfind('@');
        if (host != std::string::npos && host >= at) text.erase(at, host + 1 - at);
    }
    return text;
}

}  // namespace

Result<DockerReply> DockerApi::get(const std::string& path) const {
    return http.call({.method = "GET", .path = path, .deadline = deadline});
}

Result<DockerReply> DockerApi::post(const std::string& path, const json::Value* body) const {
    return http.call({.method = "POST",
                      .path = path,
                      .body = body ? json::text(*body) : std::string(),
                      .deadline = deadline});
}

Result<DockerReply> DockerApi::erase(const std::string& path) const {
    return http.call({.method = "DELETE", .path = path, .deadline = deadline});
}

std::string engine_words(std::string_view text) {
    std::string line(trim(text.substr(0, most_read)));
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    }
    line = without_credentials(std::move(line));
    if (line.size() > most_words) line = line.substr(0, most_words - 3) + "...";
    return as_utf8(line);
}

Error docker_error(const DockerReply& reply, std::string_view doing) {
    const std::string text = reply.message();
    const std::string words = engine_words(text);
    const std::string says =
        std::string(doing) + ": " +
        (words.empty() ? "the Docker engine answered with status " + std::to_string(reply.status)
                       : "the Docker engine says \"" + words + "\"");
    const std::string detail = std::to_string(reply.status) + " " + text;
    if (text.find("no space left on device") != std::string::npos) {
        return {Code::exhausted, std::string(doing) + ": the disk of the Docker engine is full",
                detail};
    }
    switch (reply.status) {
        case 400:
            return {Code::invalid, says, detail};
        case 401:
        case 403:
            return {Code::forbidden, says, detail};
        case 404:
            return {Code::not_found, says, detail};
        case 409:
            return {Code::conflict, says, detail};
        case 502:
        case 503:
        case 504:
            return {Code::unavailable, says, detail};
        default:
            return {Code::internal, says, detail};
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

json::Document named(const std::string& name, const Labels& labels) {
    json::Document body(rapidjson::kObjectType);
    auto& a = body.GetAllocator();
    json::set(body, "Name", name, a);
    json::Value object(rapidjson::kObjectType);
    for (const auto& [key, value] : labels) json::set(object, key, value, a);
    json::set(body, "Labels", std::move(object), a);
    return body;
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

}  // namespace atelier::drivers
