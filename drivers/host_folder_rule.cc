#include "drivers/host_folder_rule.h"

namespace atelier::drivers {
namespace {

class RuledRuntime final : public Runtime {
  public:
    RuledRuntime(std::unique_ptr<Runtime> runtime, HostFolders folders, std::string target)
        : runtime_(std::move(runtime)), folders_(std::move(folders)), target_(std::move(target)) {}

    Result<std::string> create(const UnitSpec& spec) override {
        for (const Mount& mount : spec.mounts) {
            if (mount.kind != Mount::Kind::host || mount.target != target_) continue;
            TRY(folders_.check(mount.source));
        }
        return runtime_->create(spec);
    }

    Capabilities capabilities() override { return runtime_->capabilities(); }
    Result<void> ping() override { return runtime_->ping(); }
    Result<std::vector<Unit>> list(const Labels& having) override { return runtime_->list(having); }
    Result<Image> image(const std::string& name) override { return runtime_->image(name); }
    Result<void> ensure_network(const std::string& name, const Labels& labels) override {
        return runtime_->ensure_network(name, labels);
    }
    Result<void> remove_network(const std::string& name) override {
        return runtime_->remove_network(name);
    }
    Result<void> join_network(const std::string& id, const std::string& network,
                              const std::string& alias) override {
        return runtime_->join_network(id, network, alias);
    }
    Result<void> ensure_volume(const std::string& name, const Labels& labels) override {
        return runtime_->ensure_volume(name, labels);
    }
    Result<std::vector<Volume>> volumes(const Labels& having) override {
        return runtime_->volumes(having);
    }
    Result<void> remove_volume(const std::string& name) override {
        return runtime_->remove_volume(name);
    }
    Result<void> start(const std::string& id) override { return runtime_->start(id); }
    Result<void> stop(const std::string& id, Duration grace) override {
        return runtime_->stop(id, grace);
    }
    Result<void> remove(const std::string& id) override { return runtime_->remove(id); }
    Result<void> upload(const std::string& id, const std::string& folder, const Tree& tree, int uid,
                        int gid) override {
        return runtime_->upload(id, folder, tree, uid, gid);
    }
    Result<ExecResult> exec(const std::string& id, const std::vector<std::string>& command,
                            Duration deadline) override {
        return runtime_->exec(id, command, deadline);
    }
    Result<std::string> logs(const std::string& id, std::size_t last_lines) override {
        return runtime_->logs(id, last_lines);
    }
    Result<void> events(std::stop_token stop, const Labels& having,
                        const std::function<void(const Labels&)>& on_event) override {
        return runtime_->events(std::move(stop), having, on_event);
    }

  private:
    const std::unique_ptr<Runtime> runtime_;
    const HostFolders folders_;
    const std::string target_;
};

}  // namespace

std::unique_ptr<Runtime> with_host_folder_rule(std::unique_ptr<Runtime> runtime,
                                               HostFolders folders, std::string target) {
    return std::make_unique<RuledRuntime>(std::move(runtime), std::move(folders),
                                          std::move(target));
}

}  // namespace atelier::drivers
