// A read-only view of a runtime for one forecast: its units are listed once, at the first question,
// however many workspaces are compared. Every call that would change the runtime is
// Code::unsupported.
#pragma once

#include <mutex>
#include <optional>

#include "drivers/runtime.h"

namespace atelier::forecast {

// Thread-safe. The runtime outlives it.
class ListedRuntime final : public drivers::Runtime {
  public:
    // `ours`: the labels that every unit of this server carries.
    ListedRuntime(drivers::Runtime& runtime, drivers::Labels ours)
        : runtime_(runtime), ours_(std::move(ours)) {}

    drivers::Capabilities capabilities() override;
    Result<void> ping() override { return runtime_.ping(); }
    Result<std::vector<drivers::Unit>> list(const drivers::Labels& having) override;
    Result<drivers::Image> image(const std::string& name) override { return runtime_.image(name); }
    Result<std::vector<drivers::Volume>> volumes(const drivers::Labels& having) override {
        return runtime_.volumes(having);
    }

    Result<void> ensure_network(const std::string&, const drivers::Labels&) override;
    Result<void> remove_network(const std::string&) override;
    Result<void> join_network(const std::string&, const std::string&, const std::string&) override;
    Result<void> ensure_volume(const std::string&, const drivers::Labels&) override;
    Result<void> remove_volume(const std::string&) override;
    Result<std::string> create(const drivers::UnitSpec&) override;
    Result<void> start(const std::string&) override;
    Result<void> stop(const std::string&, Duration) override;
    Result<void> remove(const std::string&) override;
    Result<void> upload(const std::string&, const std::string&, const drivers::Tree&, int,
                        int) override;
    Result<drivers::ExecResult> exec(const std::string&, const std::vector<std::string>&,
                                     Duration) override;
    Result<std::string> logs(const std::string&, std::size_t) override;
    Result<void> events(std::stop_token, const drivers::Labels&,
                        const std::function<void(const drivers::Labels&)>&) override;

  private:
    using Units = std::vector<drivers::Unit>;
    drivers::Runtime& runtime_;
    const drivers::Labels ours_;
    std::mutex mutex_;  // guards all below
    std::optional<drivers::Capabilities> can_;
    std::optional<Result<Units>> units_;
    // If units_ is a listing: indexes into it, by "namespace/name" of the workspace.
    std::map<std::string, std::vector<std::size_t>> by_name_;
};

}  // namespace atelier::forecast
