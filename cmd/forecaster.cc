#include "cmd/forecaster.h"

#include "base/fingerprint.h"

namespace atelier::cmd {
namespace {

class StoreForecasts final : public apiserver::ForecastService {
  public:
    StoreForecasts(forecast::Dependencies tools, const Clock& clock, std::stop_token stop)
        : plans_(std::move(tools), clock, std::move(stop)) {}

    Result<json::Document> plan(const std::string& ns, const json::Value& spec) override {
        return plans_.make(ns, spec);
    }
    Result<json::Document> plan_org(const std::string& ns, const std::string& org) override {
        return plans_.of_org(ns, org);
    }
    Result<json::Document> apply(const std::string& ns, const std::string& token) override {
        return plans_.apply(ns, token);
    }

  private:
    forecast::Forecasts plans_;
};

}  // namespace

std::unique_ptr<apiserver::ForecastService> make_forecast_service(forecast::Dependencies tools,
                                                                  const Clock& clock,
                                                                  std::stop_token stop) {
    return std::make_unique<StoreForecasts>(std::move(tools), clock, std::move(stop));
}

std::string plan_key(const std::string& encryption_key) {
    return keyed_digest(encryption_key, "fingerprints of plans");
}

}  // namespace atelier::cmd
