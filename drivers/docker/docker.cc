#include "drivers/docker/docker.h"

#include "drivers/docker/events.h"
#include "drivers/docker/exec.h"
#include "drivers/docker/files.h"
#include "drivers/docker/images.h"
#include "drivers/docker/networks.h"
#include "drivers/docker/probe.h"
#include "drivers/docker/units.h"
#include "drivers/docker/volumes.h"

namespace atelier::drivers {

namespace {

// The Runtime, in the parts of this folder.
class DockerEngine final : public Runtime {
  public:
    DockerEngine(std::unique_ptr<DockerHttp> http, const DockerOptions& options, const Clock& clock,
                 Random& random)
        : http_(std::move(http)),
          api_{*http_, options.deadline},
          clock_(clock),
          probe_(api_, clock, random, options.probe_folder, options.probe_labels),
          networks_(api_),
          events_(api_),
          images_(api_, clock, options.pull, options.pull_deadline) {}

    Capabilities capabilities() override {
        const auto shared = probe_.shared();
        return {"docker", true, true, true, shared && *shared, shared ? true : false};
    }
    Result<void> ping() override {
        const DockerReply reply = TRY(api_.get("/containers/json?limit=1"));
        if (!reply.ok()) return docker_error(reply, "units cannot be listed");
        return {};
    }
    Result<std::vector<Unit>> list(const Labels& having) override {
        return list_units(api_, having);
    }
    Result<Image> image(const std::string& name) override { return images_.find(name); }
    Result<void> ensure_network(const std::string& name, const Labels& labels) override {
        return networks_.ensure(name, labels);
    }
    Result<void> remove_network(const std::string& name) override { return networks_.remove(name); }
    Result<void> join_network(const std::string& id, const std::string& network,
                              const std::string& alias) override {
        return networks_.join(id, network, alias);
    }
    Result<void> ensure_volume(const std::string& name, const Labels& labels) override {
        return drivers::ensure_volume(api_, name, labels);
    }
    Result<std::vector<Volume>> volumes(const Labels& having) override {
        return list_volumes(api_, having);
    }
    Result<void> remove_volume(const std::string& name) override {
        return drivers::remove_volume(api_, name);
    }
    Result<std::string> create(const UnitSpec& spec) override { return create_unit(api_, spec); }
    Result<void> start(const std::string& id) override { return start_unit(api_, id); }
    Result<void> stop(const std::string& id, Duration grace) override {
        return stop_unit(api_, id, grace);
    }
    Result<void> remove(const std::string& id) override { return remove_unit(api_, id); }
    Result<void> upload(const std::string& id, const std::string& folder, const Tree& tree, int uid,
                        int gid) override {
        return upload_files(api_, id, folder, tree, {uid, gid, clock_.now()});
    }
    Result<ExecResult> exec(const std::string& id, const std::vector<std::string>& command,
                            Duration deadline) override {
        return exec_in(api_, id, command, deadline);
    }
    Result<std::string> logs(const std::string& id, std::size_t last_lines) override {
        return logs_of(api_, id, last_lines);
    }
    Result<void> events(std::stop_token stop, const Labels& having,
                        const std::function<void(const Labels&)>& on_event) override {
        return events_.follow(stop, having, on_event);
    }

  private:
    const std::unique_ptr<DockerHttp> http_;
    const DockerApi api_;
    const Clock& clock_;
    FileSystemProbe probe_;
    DockerNetworks networks_;
    DockerEvents events_;
    DockerImages images_;  // the last member: its threads use the others
};

}  // namespace

Result<std::unique_ptr<Runtime>> connect_docker(const DockerOptions& options, const Clock& clock,
                                                Random& random) {
    auto http = TRY(DockerHttp::open(options.host, options.tls));
    return std::unique_ptr<Runtime>(
        std::make_unique<DockerEngine>(std::move(http), options, clock, random));
}

}  // namespace atelier::drivers
