// Containers: what is there, and their lives.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "drivers/docker/engine.h"

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

// "0001-01-01T00:00:00Z" is how the daemon says never.
std::optional<Instant> time_of(const Value& value, std::initializer_list<std::string_view> path) {
    const std::string text = json::string_at(value, path);
    if (text.empty() || text.starts_with("0001-")) return std::nullopt;
    const auto instant = parse_rfc3339(text);
    return instant ? std::optional(*instant) : std::nullopt;
}

// Of the names of a container, its own: the others are "/other/alias" of old links.
std::string own_name(const Value& container) {
    const Value* names = json::find(container, {"Names"});
    if (!names || !names->IsArray()) return {};
    for (const auto& name : names->GetArray()) {
        if (!name.IsString()) continue;
        const std::string_view text = json::view(name);
        if (text.starts_with('/') && text.find('/', 1) == std::string_view::npos) {
            return std::string(text.substr(1));
        }
    }
    return {};
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

// The daemon says most failures to start with 400 or 500 and a text of the program below it. Those
// that a person can mend are told apart.
Error start_error(const DockerReply& reply, const std::string& id) {
    const std::string text = reply.message();
    const std::string unit = "unit " + id.substr(0, 12);
    if (reply.status == 404 && says(text, "network")) {
        return {Code::not_found, unit + " cannot start: its network is not there", text};
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

}  // namespace

// A listing lacks times, and the exit code but in a text for people: those are asked for of each
// unit that has ended. Nothing: it went away meanwhile.
Result<std::optional<Unit>> DockerEngine::complete(Unit unit) {
    const DockerReply reply = TRY(get("/containers/" + unit.id + "/json"));
    if (reply.status == 404) return std::optional<Unit>();
    if (!reply.ok()) return docker_error(reply, "a unit cannot be inspected");
    const Document body = TRY(reply.json());
    unit.state = state_of(json::string_at(body, {"State", "Status"}));
    const Value* code = json::find(body, {"State", "ExitCode"});
    if (code && code->IsInt64()) unit.exit_code = code->GetInt64();
    unit.started_at = time_of(body, {"State", "StartedAt"});
    unit.finished_at = time_of(body, {"State", "FinishedAt"});
    return std::optional(std::move(unit));
}

Result<std::vector<Unit>> DockerEngine::list(const Labels& having) {
    const std::string filter = json::text(label_filter(having));
    const DockerReply reply = TRY(get("/containers/json?all=1&filters=" + url_escape(filter)));
    if (!reply.ok()) return docker_error(reply, "units cannot be listed");
    const Document body = TRY(reply.json());
    if (!body.IsArray()) return Error{Code::internal, "the list of units is not a list"};
    std::vector<Unit> units;
    for (const auto& container : body.GetArray()) {
        Unit unit;
        unit.id = json::string_at(container, {"Id"});
        unit.name = own_name(container);
        unit.labels = labels_of(json::find(container, {"Labels"}));
        unit.state = state_of(json::string_at(container, {"State"}));
        unit.image_id = json::string_at(container, {"ImageID"});
        if (unit.state != Unit::State::exited) {
            units.push_back(std::move(unit));
        } else if (auto whole = TRY(complete(std::move(unit)))) {
            units.push_back(std::move(*whole));
        }
    }
    return units;
}

Result<std::string> DockerEngine::create(const UnitSpec& spec) {
    TRY(check_spec(spec));
    const std::string name = TRY(check_runtime_name("unit", spec.name));
    const Document body = container_of(spec);
    const DockerReply reply = TRY(post("/containers/create?name=" + name, &body));
    const std::string unit = "unit \"" + spec.name + "\"";
    if (reply.status == 409) {
        return Error{Code::already_exists, unit + " is there already", reply.message()};
    }
    if (reply.status == 404) {
        return Error{Code::not_found, "image \"" + spec.image + "\" of " + unit + " is not there",
                     reply.message()};
    }
    if (!reply.ok()) return docker_error(reply, unit + " cannot be created");
    const Document answer = TRY(reply.json());
    return json::string_at(answer, {"Id"});
}

Result<void> DockerEngine::start(const std::string& id) {
    const std::string name = TRY(check_runtime_name("unit", id));
    const DockerReply reply = TRY(post("/containers/" + name + "/start", nullptr));
    if (reply.ok() || reply.status == 304) return {};
    return start_error(reply, id);
}

Result<void> DockerEngine::stop(const std::string& id, Duration grace) {
    const std::string name = TRY(check_runtime_name("unit", id));
    const auto seconds =
        std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(grace).count(), 0);
    const DockerReply reply =
        TRY(http_->call({.method = "POST",
                         .path = "/containers/" + name + "/stop?t=" + std::to_string(seconds),
                         .deadline = options_.deadline + std::chrono::seconds(seconds)}));
    if (reply.ok() || reply.status == 304 || reply.status == 404) return {};
    return docker_error(reply, "unit " + id.substr(0, 12) + " cannot be stopped");
}

Result<void> DockerEngine::remove(const std::string& id) {
    const std::string name = TRY(check_runtime_name("unit", id));
    // v=1: volumes without a name, that an image asks for, would be left for ever.
    const DockerReply reply = TRY(erase("/containers/" + name + "?force=1&v=1"));
    if (reply.ok() || reply.status == 404) return {};
    if (reply.status == 409) {
        return Error{Code::unavailable,
                     "unit " + id.substr(0, 12) + " is being removed: look again soon",
                     reply.message()};
    }
    return docker_error(reply, "unit " + id.substr(0, 12) + " cannot be removed");
}

}  // namespace atelier::drivers
