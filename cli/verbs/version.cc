#include <ostream>

#include "cli/output/text_table.h"
#include "cli/verbs/verbs.h"
#include "crds/yaml.h"

namespace atelier::cli {

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

}  // namespace atelier::cli
