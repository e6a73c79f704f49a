#include "cmd/runtimes.h"

#include <filesystem>

#include "drivers/docker/docker.h"
#include "drivers/host_folder_rule.h"
#include "drivers/process/process.h"
#include "reconcilers/common/runtimes.h"

namespace atelier::cmd {
namespace {

constexpr std::string_view usual_socket = "/var/run/docker.sock";

std::string summary_of(const RuntimeChoice& choice, const ServerOptions& options) {
    if (choice.default_backend == "docker") {
        return "workspaces run as containers of the Docker Engine at " + choice.docker_host;
    }
    const std::string why = !choice.docker_host.empty() ? "--backend says so"
                            : options.docker == "off"
                                ? "--docker is off"
                                : "there is no socket " + std::string(usual_socket);
    return "workspaces run as processes of this machine, as the server's own user, who can read "
           "its token and keys: " +
           why;
}

}  // namespace

Result<RuntimeChoice> choose_runtimes(const ServerOptions& options, bool usual_socket_is_there) {
    RuntimeChoice choice;
    choice.process = options.process_runtime;
    if (options.docker == "auto") {
        if (usual_socket_is_there) choice.docker_host = "unix://" + std::string(usual_socket);
    } else if (options.docker != "off") {
        choice.docker_host = options.docker;
    }
    const bool docker = !choice.docker_host.empty();
    if (!docker && !choice.process) {
        return Error{
            Code::invalid,
            "there is no runtime: --process-runtime is off, and Docker is not used; name its "
            "socket with --docker unix://<socket>"};
    }
    choice.default_backend = options.backend;
    if (choice.default_backend.empty()) choice.default_backend = docker ? "docker" : "process";
    if (choice.default_backend == "docker" && !docker) {
        return Error{Code::invalid, "--backend is docker, but Docker is not used: see --docker"};
    }
    if (choice.default_backend == "process" && !choice.process) {
        return Error{Code::invalid, "--backend is process, but --process-runtime is off"};
    }
    choice.summary = summary_of(choice, options);
    return choice;
}

Result<OwnedRuntimes> make_runtimes(const ServerOptions& options, const std::string& instance,
                                    const Clock& clock, Random& random) {
    std::error_code ignored;
    const RuntimeChoice choice =
        TRY(choose_runtimes(options, std::filesystem::exists(usual_socket, ignored)));
    OwnedRuntimes runtimes;
    if (choice.process) {
        drivers::ProcessOptions process;
        process.root = options.home / "processes";
        runtimes.by_name["process"] = TRY(drivers::make_process_runtime(process, clock, random));
    }
    if (!choice.docker_host.empty()) {
        drivers::DockerOptions docker;
        docker.host = choice.docker_host;
        docker.probe_folder = (options.home / "workspaces").string();
        docker.probe_labels = reconcilers::labels_of_server(instance);
        runtimes.by_name["docker"] = TRY(drivers::connect_docker(docker, clock, random));
    }
    for (auto& [name, runtime] : runtimes.by_name) {
        runtime = drivers::with_host_folder_rule(
            std::move(runtime), {options.home, options.host_folders}, "/workspace");
    }
    runtimes.default_backend = choice.default_backend;
    runtimes.summary = choice.summary;
    return runtimes;
}

}  // namespace atelier::cmd
