#include "drivers/docker/volumes.h"

#include "drivers/runtime_names.h"

namespace atelier::drivers {

using json::Document;
using json::Value;

Result<void> ensure_volume(const DockerApi& api, const std::string& name, const Labels& labels) {
    TRY(check_runtime_name("volume", name));
    const Document body = named(name, labels);
    const DockerReply reply = TRY(api.post("/volumes/create", &body));
    if (!reply.ok()) return docker_error(reply, "volume \"" + name + "\" cannot be created");
    // When a volume of that name is there, the engine answers with that one, whatever its labels.
    const Document volume = TRY(reply.json());
    if (!has_all(labels_of(json::find(volume, {"Labels"})), labels)) {
        return not_ours("volume", name);
    }
    return {};
}

Result<std::vector<Volume>> list_volumes(const DockerApi& api, const Labels& having) {
    const std::string filter = json::text(label_filter(having));
    const DockerReply reply = TRY(api.get("/volumes?filters=" + url_escape(filter)));
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

Result<void> remove_volume(const DockerApi& api, const std::string& name) {
    TRY(check_runtime_name("volume", name));
    const DockerReply reply = TRY(api.erase("/volumes/" + name));
    if (reply.ok() || reply.status == 404) return {};
    if (reply.status == 409) {
        return Error{Code::conflict, "volume \"" + name + "\" is in use", reply.message()};
    }
    return docker_error(reply, "volume \"" + name + "\" cannot be removed");
}

}  // namespace atelier::drivers
