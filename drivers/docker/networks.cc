#include "drivers/docker/networks.h"

#include "base/text.h"
#include "drivers/runtime_names.h"

namespace atelier::drivers {

using json::Document;
using json::Value;

Result<void> DockerNetworks::ensure(const std::string& name, const Labels& labels) {
    TRY(check_runtime_name("network", name));
    // The engine checks for a duplicate and creates in two steps: two callers at once make two
    // networks of one name, and then no unit of either can start.
    // An engine that hangs holds each caller for one deadline, not for those of all before it.
    const std::unique_lock one_at_a_time(mutex_, api_.deadline);
    if (!one_at_a_time) {
        return Error{Code::timeout,
                     "network \"" + name +
                         "\" cannot be looked for: another call that creates one has "
                         "not ended in time"};
    }
    // Listed, not inspected: the answer to an inspection names every container of the network, and
    // this is asked for each workspace.
    const std::string filter = "{\"name\":[\"" + name + "\"]}";
    const DockerReply found = TRY(api_.get("/networks?filters=" + url_escape(filter)));
    if (!found.ok()) return docker_error(found, "network \"" + name + "\" cannot be looked for");
    const Document networks = TRY(found.json());
    if (!networks.IsArray()) return Error{Code::internal, "the list of networks is not a list"};
    for (const auto& network : networks.GetArray()) {
        // The filter also finds longer names that hold this one.
        if (json::string_at(network, {"Name"}) != name) continue;
        if (has_all(labels_of(json::find(network, {"Labels"})), labels)) return {};
        return not_ours("network", name);
    }
    Document body = named(name, labels);
    json::set(body, "CheckDuplicate", Value(true), body.GetAllocator());
    const DockerReply made = TRY(api_.post("/networks/create", &body));
    // Another process created it since the listing.
    if (made.status == 409) return {};
    if (!made.ok()) return docker_error(made, "network \"" + name + "\" cannot be created");
    return {};
}

Result<void> DockerNetworks::remove(const std::string& name) {
    TRY(check_runtime_name("network", name));
    const DockerReply reply = TRY(api_.erase("/networks/" + name));
    if (reply.ok() || reply.status == 404) return {};
    if (reply.status == 403 || reply.status == 409) {
        return Error{Code::conflict, "network \"" + name + "\" is in use", reply.message()};
    }
    return docker_error(reply, "network \"" + name + "\" cannot be removed");
}

Result<void> DockerNetworks::join(const std::string& id, const std::string& name,
                                  const std::string& alias) {
    TRY(check_runtime_name("unit", id));
    TRY(check_runtime_name("network", name));
    Document body(rapidjson::kObjectType);
    auto& a = body.GetAllocator();
    json::set(body, "Container", id, a);
    if (!alias.empty()) {
        Value aliases(rapidjson::kArrayType);
        aliases.PushBack(json::make(alias, a), a);
        json::set(json::object_at(body, "EndpointConfig", a), "Aliases", std::move(aliases), a);
    }
    const DockerReply reply = TRY(api_.post("/networks/" + name + "/connect", &body));
    if (reply.ok()) return {};
    // 403 is the engine's answer for a unit that is in the network already.
    if (reply.status == 403 &&
        reply.message().find("already exists in network") != std::string::npos) {
        return {};
    }
    return docker_error(reply,
                        "unit " + id.substr(0, 12) + " cannot join network \"" + name + "\"");
}

}  // namespace atelier::drivers
