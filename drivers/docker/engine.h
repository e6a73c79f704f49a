// Inside the Docker driver: the Runtime, whose functions stand in docker_*.cc by subject.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "drivers/docker/docker.h"
#include "drivers/runtime_names.h"

namespace atelier::drivers {

class DockerEngine final : public Runtime {
  public:
    DockerEngine(std::unique_ptr<DockerHttp> http, DockerOptions options, const Clock& clock,
                 Random& random)
        : http_(std::move(http)), options_(std::move(options)), clock_(clock), random_(random) {}

    Capabilities capabilities() override;
    Result<std::vector<Unit>> list(const Labels& having) override;
    Result<std::string> image(const std::string& name) override;
    Result<void> ensure_network(const std::string& name, const Labels& labels) override;
    Result<void> remove_network(const std::string& name) override;
    Result<void> ensure_volume(const std::string& name, const Labels& labels) override;
    Result<std::vector<Volume>> volumes(const Labels& having) override;
    Result<void> remove_volume(const std::string& name) override;
    Result<std::string> create(const UnitSpec& spec) override;
    Result<void> start(const std::string& id) override;
    Result<void> stop(const std::string& id, Duration grace) override;
    Result<void> remove(const std::string& id) override;
    Result<void> upload(const std::string& id, const std::string& folder, const Tree& tree, int uid,
                        int gid) override;
    Result<ExecResult> exec(const std::string& id, const std::vector<std::string>& command,
                            Duration deadline) override;
    Result<std::string> logs(const std::string& id, std::size_t last_lines) override;
    Result<void> events(std::stop_token stop, const Labels& having,
                        const std::function<void(const Labels&)>& on_event) override;

  private:
    Result<DockerReply> get(const std::string& path);
    Result<DockerReply> post(const std::string& path, const json::Value* body);
    Result<DockerReply> erase(const std::string& path);
    Result<std::optional<Unit>> complete(Unit unit);
    void settle(const std::string& id);
    Result<std::optional<std::string>> find_image(const std::string& name);
    Result<void> pull(const std::string& name);
    Result<ExecResult> exec_once(const std::string& id, const std::vector<std::string>& command,
                                 Duration deadline);
    // Whether the probe folder is seen by containers; an error when it is not yet known.
    Result<bool> probe();
    Result<bool> probe_with(const std::string& folder, const std::string& nonce);
    Result<bool> probe_in(const std::string& image, const std::string& folder,
                          const std::string& nonce);
    Result<std::string> make_probe_image();
    Result<void> clear_old_probes();
    std::string probe_owner() const;

    std::unique_ptr<DockerHttp> http_;
    DockerOptions options_;
    const Clock& clock_;
    Random& random_;
    std::mutex networks_mutex_;  // held while one is made
    std::mutex probe_mutex_;
    std::optional<bool> shares_file_system_;
    std::mutex events_mutex_;
    std::map<Labels, std::string> seen_until_;  // by filter: the time of the newest event
};

// The error that a reply of the daemon means, for what was being done: "unit \"x\" ...".
Error docker_error(const DockerReply& reply, std::string_view doing);
// {"label":["a=b"]} in a query.
json::Document label_filter(const Labels& having);
Labels labels_of(const json::Value* object);

}  // namespace atelier::drivers
