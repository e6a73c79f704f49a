#include "cmd/runtimes.h"

#include "drivers/docker/docker.h"
#include "drivers/process/process.h"

namespace atelier::cmd {
namespace {

constexpr std::string_view local_socket = "unix:///var/run/docker.sock";

}  // namespace

Result<Runtimes> make_runtimes(const ServerOptions& options, const std::string& instance,
                               const Clock& clock, Random& random) {
    Runtimes runtimes;
    drivers::ProcessOptions process;
    process.root = options.home / "processes";
    runtimes.by_name["process"] = TRY(drivers::make_process_runtime(process, clock, random));
    bool docker = options.docker != "off";
    std::string why;
    if (docker) {
        drivers::DockerOptions to;
        to.host = options.docker == "auto" ? std::string(local_socket) : options.docker;
        to.probe_folder = (options.home / "workspaces").string();
        to.probe_labels = {{"atelier.dev/managed", "true"}, {"atelier.dev/instance", instance}};
        auto engine = TRY(drivers::connect_docker(to, clock, random));
        const auto answer = engine->list(to.probe_labels);
        if (answer || options.docker != "auto") {
            runtimes.by_name["docker"] = std::move(engine);
            why = "containers of the Docker Engine at " + to.host;
        } else {
            docker = false;
            why = "processes of this machine: no Docker answers at " + to.host;
        }
    } else {
        why = "processes of this machine: --docker is off";
    }
    runtimes.default_backend = options.backend;
    if (runtimes.default_backend.empty()) runtimes.default_backend = docker ? "docker" : "process";
    if (!runtimes.by_name.contains(runtimes.default_backend)) {
        return Error{Code::invalid, "--backend docker, but no Docker is used: see --docker"};
    }
    if (runtimes.default_backend == "process" && docker) {
        why = "processes of this machine: --backend says so";
    }
    runtimes.said = "workspaces run as " + why;
    return runtimes;
}

}  // namespace atelier::cmd
