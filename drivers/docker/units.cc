#include "drivers/docker/units.h"

#include <algorithm>

#include "base/text.h"
#include "drivers/runtime_names.h"

namespace atelier::drivers {

namespace {

using json::Allocator;
using json::Document;
using json::Value;

Unit::State state_of(std::string_view text) {
    if (text == "created") return Unit::State::created;
    if (text == "running" || text == "restarting") return Unit::State::running;
    if (text == "paused") return Unit::State::paused;
    return Unit::State::exited;  // exited, dead, removing
}

// The engine writes "never" as "0001-01-01T00:00:00Z".
std::optional<Instant> time_of(const Value& value, std::initializer_list<std::string_view> path) {
    const std::string text = json::string_at(value, path);
    if (text.empty() || text.starts_with("0001-")) return std::nullopt;
    const auto instant = parse_rfc3339(text);
    return instant ? std::optional(*instant) : std::nullopt;
}

Value strings(const std::vector<std::string>& list, Allocator& a) {
    Value array(rapidjson::kArrayType);
    for (const std::string& text : list) array.PushBack(json::make(text, a), a);
    return array;
}

Value map_of(const std::map<std::string, std::string>& map, Allocator& a) {
    Value object(rapidjson::kObjectType);
    for (const auto& [key, value] : map) json::set(object, key, value, a);
    return object;
}

Value mount_of(const Mount& mount, Allocator& a) {
    Value object(rapidjson::kObjectType);
    switch (mount.kind) {
        case Mount::Kind::volume:
            json::set(object, "Type", "volume", a);
            break;
        case Mount::Kind::host:
            json::set(object, "Type", "bind", a);
            break;
        case Mount::Kind::tmpfs:
            json::set(object, "Type", "tmpfs", a);
            break;
    }
    if (mount.kind != Mount::Kind::tmpfs) json::set(object, "Source", mount.source, a);
    json::set(object, "Target", mount.target, a);
    json::set(object, "ReadOnly", Value(mount.read_only), a);
    return object;
}

Value host_config(const UnitSpec& spec, Allocator& a) {
    Value host(rapidjson::kObjectType);
    Value mounts(rapidjson::kArrayType);
    for (const Mount& mount : spec.mounts) mounts.PushBack(mount_of(mount, a), a);
    json::set(host, "Mounts", std::move(mounts), a);
    if (spec.memory_bytes > 0) {
        json::set(host, "Memory", Value(spec.memory_bytes), a);
        json::set(host, "MemorySwap", Value(spec.memory_bytes), a);  // no swap on top
    }
    if (spec.nano_cpus > 0) json::set(host, "NanoCpus", Value(spec.nano_cpus), a);
    if (spec.pids > 0) json::set(host, "PidsLimit", Value(spec.pids), a);
    json::set(host, "CapDrop", strings({"ALL"}, a), a);
    // What an entry point that begins as root needs to hand files to its user, become it, and end
    // it; nothing that reaches out of the container.
    json::set(host, "CapAdd",
              strings({"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"}, a), a);
    json::set(host, "SecurityOpt", strings({"no-new-privileges:true"}, a), a);
    json::set(host, "ReadonlyRootfs", Value(spec.read_only_root), a);
    json::set(host, "Init", Value(false), a);
    json::set(json::object_at(host, "RestartPolicy", a), "Name", "no", a);
    json::set(host, "NetworkMode", spec.network.empty() ? "none" : spec.network, a);
    Value& log = json::object_at(host, "LogConfig", a);
    json::set(log, "Type", "json-file", a);
    Value& log_options = json::object_at(log, "Config", a);
    json::set(log_options, "max-size", "10m", a);
    json::set(log_options, "max-file", "3", a);
    return host;
}

Document container_of(const UnitSpec& spec) {
    Document body(rapidjson::kObjectType);
    Allocator& a = body.GetAllocator();
    json::set(body, "Image", spec.image, a);
    if (!spec.command.empty()) json::set(body, "Cmd", strings(spec.command, a), a);
    std::vector<std::string> env;
    for (const auto& [name, value] : spec.env) env.push_back(name + "=" + value);
    json::set(body, "Env", strings(env, a), a);
    json::set(body, "Labels", map_of(spec.labels, a), a);
    json::set(body, "HostConfig", host_config(spec, a), a);
    if (!spec.network.empty() && !spec.network_alias.empty()) {
        Value& networking = json::object_at(body, "NetworkingConfig", a);
        Value& endpoints = json::object_at(networking, "EndpointsConfig", a);
        Value& endpoint = json::object_at(endpoints, spec.network, a);
        json::set(endpoint, "Aliases", strings({spec.network_alias}, a), a);
    }
    return body;
}

Result<void> check_spec(const UnitSpec& spec) {
    if (spec.image.empty()) {
        return Error{Code::invalid, "unit \"" + spec.name + "\" names no image"};
    }
    for (const auto& [name, value] : spec.env) {
        if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos ||
            value.find('\0') != std::string::npos) {
            return Error{Code::invalid, "environment variable \"" + name + "\" of unit \"" +
                                            spec.name + "\" has a character that none may have"};
        }
    }
    return {};
}

bool says(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

// The engine answers most failures to start with 400 or 500 and the text of a program below it.
// Those that a person or a caller can mend have a code and words of their own.
Error start_error(const DockerReply& reply, const std::string& id) {
    const std::string text = reply.message();
    const std::string unit = "unit " + id.substr(0, 12);
    // containerd still knows a task of this name, or the engine is about to remove the container.
    // Neither ends by waiting.
    if (says(text, "task already exists") || says(text, "already exists: unknown") ||
        says(text, "marked for removal")) {
        return {Code::conflict,
                unit + " cannot start again and must be replaced: the Docker engine says \"" +
                    engine_words(text) + "\"",
                text};
    }
    if (reply.status == 404 && says(text, "network")) {
        return {Code::not_found,
                unit + " cannot start: the Docker engine says \"" + engine_words(text) + "\"",
                text};
    }
    if (says(text, "executable file not found") ||
        (says(text, "exec:") && says(text, "no such file or directory"))) {
        return {Code::invalid, unit + " cannot start: its image has no such command", text};
    }
    if (says(text, "exec:") && says(text, "permission denied")) {
        return {Code::invalid, unit + " cannot start: its command is not executable", text};
    }
    return docker_error(reply, unit + " cannot start");
}

// --- what is observed ----------------------------------------------------------------------

std::int64_t number_at(const Value& value, std::initializer_list<std::string_view> path) {
    const Value* number = json::find(value, path);
    return number && number->IsInt64() ? number->GetInt64() : 0;
}

// A container without a network has an entry "none". A running one that was torn from its network
// has an entry without an endpoint, at times.
std::vector<std::string> networks_of(const Value& container, bool running) {
    std::vector<std::string> names;
    const Value* networks = json::find(container, {"NetworkSettings", "Networks"});
    if (!networks || !networks->IsObject()) return names;
    for (const auto& network : networks->GetObject()) {
        const std::string_view name = json::view(network.name);
        const bool attached = !json::string_at(network.value, {"EndpointID"}).empty();
        if (name != "none" && (attached || !running)) names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<Mount> mounts_of(const Value& container) {
    std::vector<Mount> found;
    const Value* mounts = json::find(container, {"Mounts"});
    if (!mounts || !mounts->IsArray()) return found;
    for (const auto& mount : mounts->GetArray()) {
        const std::string type = json::string_at(mount, {"Type"});
        const Value* writable = json::find(mount, {"RW"});
        Mount one;
        one.kind = type == "volume"  ? Mount::Kind::volume
                   : type == "tmpfs" ? Mount::Kind::tmpfs
                                     : Mount::Kind::host;
        one.target = json::string_at(mount, {"Destination"});
        one.read_only = writable && writable->IsFalse();
        if (one.kind == Mount::Kind::volume) one.source = json::string_at(mount, {"Name"});
        if (one.kind == Mount::Kind::host) one.source = json::string_at(mount, {"Source"});
        found.push_back(std::move(one));
    }
    std::sort(found.begin(), found.end(),
              [](const Mount& a, const Mount& b) { return a.target < b.target; });
    return found;
}

void read_health(const Value& container, Unit& unit) {
    const std::string status = json::string_at(container, {"State", "Health", "Status"});
    if (status == "starting") unit.health = Unit::Health::starting;
    if (status == "healthy") unit.health = Unit::Health::healthy;
    if (status != "unhealthy") return;
    unit.health = Unit::Health::unhealthy;
    const Value* log = json::find(container, {"State", "Health", "Log"});
    if (!log || !log->IsArray() || log->Empty()) return;
    unit.health_output =
        engine_words(json::string_at(log->GetArray()[log->Size() - 1], {"Output"}));
}

Unit unit_of(const Document& container) {
    Unit unit;
    unit.id = json::string_at(container, {"Id"});
    const std::string name = json::string_at(container, {"Name"});
    unit.name = name.starts_with('/') ? name.substr(1) : name;
    unit.labels = labels_of(json::find(container, {"Config", "Labels"}));
    unit.state = state_of(json::string_at(container, {"State", "Status"}));
    unit.image_id = json::string_at(container, {"Image"});
    unit.image = json::string_at(container, {"Config", "Image"});
    unit.exit_code = number_at(container, {"State", "ExitCode"});
    const Value* killed = json::find(container, {"State", "OOMKilled"});
    unit.out_of_memory = unit.state == Unit::State::exited && killed && killed->IsTrue();
    unit.started_at = time_of(container, {"State", "StartedAt"});
    unit.finished_at = time_of(container, {"State", "FinishedAt"});
    unit.networks = networks_of(container, unit.state == Unit::State::running);
    unit.mounts = mounts_of(container);
    unit.memory_bytes = number_at(container, {"HostConfig", "Memory"});
    unit.nano_cpus = number_at(container, {"HostConfig", "NanoCpus"});
    unit.pids = std::max<std::int64_t>(number_at(container, {"HostConfig", "PidsLimit"}), 0);
    read_health(container, unit);
    return unit;
}

}  // namespace

Result<std::optional<Unit>> inspect_unit(const DockerApi& api, const std::string& id) {
    const std::string name = TRY(check_runtime_name("unit", id));
    const DockerReply reply = TRY(api.get("/containers/" + name + "/json"));
    if (reply.status == 404) return std::optional<Unit>();
    if (!reply.ok()) {
        return docker_error(reply, "unit " + id.substr(0, 12) + " cannot be inspected");
    }
    const Document body = TRY(reply.json());
    return std::optional(unit_of(body));
}

// A listing has neither times nor limits, health or the reason of an end: each unit is inspected.
Result<std::vector<Unit>> list_units(const DockerApi& api, const Labels& having) {
    const std::string filter = json::text(label_filter(having));
    const DockerReply reply = TRY(api.get("/containers/json?all=1&filters=" + url_escape(filter)));
    if (!reply.ok()) return docker_error(reply, "units cannot be listed");
    const Document body = TRY(reply.json());
    if (!body.IsArray()) return Error{Code::internal, "the list of units is not a list"};
    std::vector<Unit> units;
    for (const auto& container : body.GetArray()) {
        // One that was removed since the listing is left out.
        auto unit = TRY(inspect_unit(api, json::string_at(container, {"Id"})));
        if (unit) units.push_back(*std::move(unit));
    }
    return units;
}

Result<std::string> create_unit(const DockerApi& api, const UnitSpec& spec) {
    TRY(check_spec(spec));
    const std::string name = TRY(check_runtime_name("unit", spec.name));
    const Document body = container_of(spec);
    const DockerReply reply = TRY(api.post("/containers/create?name=" + name, &body));
    const std::string unit = "unit \"" + spec.name + "\"";
    if (reply.status == 409) {
        return Error{Code::already_exists, unit + " is there already", reply.message()};
    }
    if (reply.status == 404) {
        return docker_error(reply, unit + " with image \"" + spec.image + "\" cannot be created");
    }
    if (!reply.ok()) return docker_error(reply, unit + " cannot be created");
    const Document answer = TRY(reply.json());
    return json::string_at(answer, {"Id"});
}

Result<void> start_unit(const DockerApi& api, const std::string& id) {
    const std::string name = TRY(check_runtime_name("unit", id));
    const DockerReply reply = TRY(api.post("/containers/" + name + "/start"));
    if (reply.ok() || reply.status == 304) return {};
    return start_error(reply, id);
}

Result<void> stop_unit(const DockerApi& api, const std::string& id, Duration grace) {
    const std::string name = TRY(check_runtime_name("unit", id));
    const auto seconds =
        std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(grace).count(), 0);
    const DockerReply reply =
        TRY(api.http.call({.method = "POST",
                           .path = "/containers/" + name + "/stop?t=" + std::to_string(seconds),
                           .deadline = api.deadline + std::chrono::seconds(seconds)}));
    if (reply.ok() || reply.status == 304 || reply.status == 404) return {};
    return docker_error(reply, "unit " + id.substr(0, 12) + " cannot be stopped");
}

Result<void> remove_unit(const DockerApi& api, const std::string& id) {
    const std::string name = TRY(check_runtime_name("unit", id));
    // v=1: the volumes without a name that an image asks for would otherwise stay for ever.
    const DockerReply reply = TRY(api.erase("/containers/" + name + "?force=1&v=1"));
    if (reply.ok() || reply.status == 404) return {};
    if (reply.status == 409) {
        return Error{Code::unavailable,
                     "unit " + id.substr(0, 12) + " is being removed by another call: try again",
                     reply.message()};
    }
    return docker_error(reply, "unit " + id.substr(0, 12) + " cannot be removed");
}

}  // namespace atelier::drivers
