// What units need: images, networks, volumes.
#include <algorithm>

#include "base/text.h"
#include "drivers/docker/engine.h"

namespace atelier::drivers {

namespace {

using json::Document;
using json::Value;

Result<void> check_image_name(const std::string& name) {
    constexpr std::string_view others = "._-/:@";
    const bool fine = !name.empty() && name.size() <= 512 && name.front() != '/' &&
                      name.find("..") == std::string::npos &&
                      std::all_of(name.begin(), name.end(), [&](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                 (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
                      });
    if (fine) return {};
    return Error{Code::invalid, "\"" + name + "\" is not the name of an image"};
}

// Without a tag the engine would pull every one.
std::pair<std::string, std::string> name_and_tag(const std::string& name) {
    if (name.find('@') != std::string::npos) return {name, ""};
    const std::size_t slash = name.rfind('/');
    const std::size_t colon = name.rfind(':');
    if (colon != std::string::npos && (slash == std::string::npos || colon > slash)) {
        return {name.substr(0, colon), name.substr(colon + 1)};
    }
    return {name, "latest"};
}

// A pull reports by lines of JSON, its failure too, under a status that says success.
std::string error_in_progress(const std::string& lines) {
    for (const std::string& line : split(lines, '\n')) {
        if (trim(line).empty()) continue;
        const auto progress = json::parse(line);
        if (!progress) continue;
        const std::string text = json::string_at(*progress, {"error"});
        if (!text.empty()) return text;
    }
    return {};
}

Document labelled(const std::string& name, const Labels& labels) {
    Document body(rapidjson::kObjectType);
    auto& a = body.GetAllocator();
    json::set(body, "Name", name, a);
    Value object(rapidjson::kObjectType);
    for (const auto& [key, value] : labels) json::set(object, key, value, a);
    json::set(body, "Labels", std::move(object), a);
    return body;
}

}  // namespace

// --- images --------------------------------------------------------------------------------

Result<std::optional<std::string>> DockerEngine::find_image(const std::string& name) {
    const DockerReply reply = TRY(get("/images/" + name + "/json"));
    if (reply.status == 404) return std::optional<std::string>();
    if (!reply.ok()) return docker_error(reply, "image \"" + name + "\" cannot be inspected");
    const Document body = TRY(reply.json());
    return std::optional(json::string_at(body, {"Id"}));
}

Result<void> DockerEngine::pull(const std::string& name) {
    const auto [repository, tag] = name_and_tag(name);
    const DockerReply reply = TRY(http_->call(
        {.method = "POST",
         .path = "/images/create?fromImage=" + url_escape(repository) + "&tag=" + url_escape(tag),
         .deadline = options_.pull_deadline}));
    const std::string failure = reply.ok() ? error_in_progress(reply.body) : reply.message();
    if (reply.ok() && failure.empty()) return {};
    return Error{Code::not_found,
                 "image \"" + name +
                     "\" is not on the Docker host and cannot be pulled: build or load it there, "
                     "or check its name and the way to its registry",
                 failure};
}

Result<std::string> DockerEngine::image(const std::string& name) {
    TRY(check_image_name(name));
    if (auto id = TRY(find_image(name))) return *id;
    if (!options_.pull) {
        return Error{Code::not_found, "image \"" + name +
                                          "\" is not on the Docker host, and pulling is switched "
                                          "off: build or load it there"};
    }
    TRY(pull(name));
    if (auto id = TRY(find_image(name))) return *id;
    return Error{Code::not_found, "image \"" + name + "\" was pulled and is gone again"};
}

// --- networks ------------------------------------------------------------------------------

Result<void> DockerEngine::ensure_network(const std::string& name, const Labels& labels) {
    TRY(check_runtime_name("network", name));
    // The engine checks for a duplicate and creates in two steps: two callers at once make two
    // networks of one name, and then no unit of either can start.
    const std::lock_guard one_at_a_time(networks_mutex_);
    // Listed, not inspected: that would tell of every container in it, and each unit asks.
    const std::string filter = "{\"name\":[\"" + name + "\"]}";
    const DockerReply found = TRY(get("/networks?filters=" + url_escape(filter)));
    if (!found.ok()) return docker_error(found, "network \"" + name + "\" cannot be looked for");
    const Document networks = TRY(found.json());
    if (!networks.IsArray()) return Error{Code::internal, "the list of networks is not a list"};
    for (const auto& network : networks.GetArray()) {
        // The filter finds the name in longer ones too.
        if (json::string_at(network, {"Name"}) != name) continue;
        if (has_all(labels_of(json::find(network, {"Labels"})), labels)) return {};
        return not_ours("network", name);
    }
    Document body = labelled(name, labels);
    json::set(body, "CheckDuplicate", Value(true), body.GetAllocator());
    const DockerReply made = TRY(post("/networks/create", &body));
    // Somebody was faster.
    if (made.status == 409) return {};
    if (!made.ok()) return docker_error(made, "network \"" + name + "\" cannot be created");
    return {};
}

Result<void> DockerEngine::remove_network(const std::string& name) {
    TRY(check_runtime_name("network", name));
    const DockerReply reply = TRY(erase("/networks/" + name));
    if (reply.ok() || reply.status == 404) return {};
    if (reply.status == 403 || reply.status == 409) {
        return Error{Code::conflict, "network \"" + name + "\" is in use", reply.message()};
    }
    return docker_error(reply, "network \"" + name + "\" cannot be removed");
}

// --- volumes -------------------------------------------------------------------------------

Result<void> DockerEngine::ensure_volume(const std::string& name, const Labels& labels) {
    TRY(check_runtime_name("volume", name));
    const Document body = labelled(name, labels);
    const DockerReply reply = TRY(post("/volumes/create", &body));
    if (!reply.ok()) return docker_error(reply, "volume \"" + name + "\" cannot be created");
    // The answer is the volume of that name, also an old one.
    const Document volume = TRY(reply.json());
    if (!has_all(labels_of(json::find(volume, {"Labels"})), labels)) {
        return not_ours("volume", name);
    }
    return {};
}

Result<std::vector<Volume>> DockerEngine::volumes(const Labels& having) {
    const std::string filter = json::text(label_filter(having));
    const DockerReply reply = TRY(get("/volumes?filters=" + url_escape(filter)));
    if (!reply.ok()) return docker_error(reply, "volumes cannot be listed");
    const Document body = TRY(reply.json());
    std::vector<Volume> found;
    const Value* list = json::find(body, {"Volumes"});
    if (!list || !list->IsArray()) return found;
    for (const auto& volume : list->GetArray()) {
        found.push_back(
            {json::string_at(volume, {"Name"}), labels_of(json::find(volume, {"Labels"}))});
    }
    return found;
}

Result<void> DockerEngine::remove_volume(const std::string& name) {
    TRY(check_runtime_name("volume", name));
    const DockerReply reply = TRY(erase("/volumes/" + name));
    if (reply.ok() || reply.status == 404) return {};
    if (reply.status == 409) {
        return Error{Code::conflict, "volume \"" + name + "\" is in use", reply.message()};
    }
    return docker_error(reply, "volume \"" + name + "\" cannot be removed");
}

}  // namespace atelier::drivers
