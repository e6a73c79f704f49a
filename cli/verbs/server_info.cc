// api-resources, version, healthcheck.
#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "cli/output/output.h"
#include "cli/verb.h"
#include "crds/yaml.h"

namespace atelier::cli {

int run_api_resources(Session& session) {
    const auto client = session.client();
    if (!client) return session.fail(client.error());
    auto resources = (*client)->resources();
    if (!resources) return session.fail(resources.error());
    std::sort(resources->begin(), resources->end(), [](const Resource& a, const Resource& b) {
        return std::tie(a.group, a.plural) < std::tie(b.group, b.plural);
    });
    TextTable table({"NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"});
    for (const Resource& resource : *resources) {
        table.add({resource.plural, join(resource.short_names, ","), resource.api_version(),
                   resource.namespaced ? "true" : "false", resource.kind});
    }
    session.out() << table.take_text(true);
    return exit_code::fine;
}

int run_version(Session& session) {
    const std::string output = session.arguments.text("output");
    if (!output.empty() && output != "json" && output != "yaml") {
        return session.usage("the output is json or yaml, not \"" + output + "\"");
    }
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::Value& own = json::object_at(out, "clientVersion", allocator);
    json::set(own, "version", session.process.version, allocator);
    if (!session.process.commit.empty())
        json::set(own, "commit", session.process.commit, allocator);
    std::optional<Error> missing;
    std::string server;
    if (!session.arguments.on("client")) {
        const auto client = session.client();
        const auto answer =
            client ? (*client)->call({"GET", "/version"}) : Result<json::Document>(client.error());
        if (answer) {
            server = json::string_at(*answer, {"gitVersion"});
            json::set(out, "serverVersion", json::Value(*answer, allocator), allocator);
        } else {
            missing = answer.error();
        }
    }
    if (output == "json") {
        session.out() << json::pretty(out) << "\n";
    } else if (output == "yaml") {
        session.out() << crds::to_yaml(out);
    } else {
        session.out() << "atelier " << session.process.version
                      << (session.process.commit.empty() ? "" : " (" + session.process.commit + ")")
                      << "\n";
        if (!server.empty()) session.out() << "server " << printable(server) << "\n";
    }
    return missing ? session.fail(*missing) : exit_code::fine;
}

int run_healthcheck(Session& session) {
    const auto client = session.client();
    if (!client) return session.fail(client.error());
    const auto answer = (*client)->raw({"GET", "/readyz", {}, "*/*"});
    if (!answer) {
        session.fail(answer.error());
        return exit_code::error;  // the only failure that a container's health check knows
    }
    if (answer->status == 200) {
        session.out() << "ready\n";
        return exit_code::fine;
    }
    session.err() << "not ready: the server answered " << answer->status << "\n";
    for (const auto& line : split(answer->body, '\n')) {
        if (line.starts_with("[-]")) session.err() << printable(line) << "\n";
    }
    return exit_code::error;
}

}  // namespace atelier::cli
