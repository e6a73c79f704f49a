#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <sstream>
#include <unordered_map>

namespace atelier {
namespace {

class CounterSeries final : public Counter {
  public:
    explicit CounterSeries(prometheus::Counter& c) : c_(c) {}
    void add(double amount) override { c_.Increment(amount); }

  private:
    prometheus::Counter& c_;
};

class GaugeSeries final : public Gauge {
  public:
    explicit GaugeSeries(prometheus::Gauge& g) : g_(g) {}
    void set(double value) override { g_.Set(value); }
    void add(double amount) override { g_.Increment(amount); }

  private:
    prometheus::Gauge& g_;
};

class HistogramSeries final : public Histogram {
  public:
    explicit HistogramSeries(prometheus::Histogram& h) : h_(h) {}
    void observe(double value) override { h_.Observe(value); }

  private:
    prometheus::Histogram& h_;
};

}  // namespace

struct Metrics::State {
    prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
    std::mutex mutex;  // guards what follows
    std::unordered_map<const void*, std::unique_ptr<Counter>> counters;
    std::unordered_map<const void*, std::unique_ptr<Gauge>> gauges;
    std::unordered_map<const void*, std::unique_ptr<Histogram>> histograms;
    std::vector<std::function<void()>> samplers;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
    auto& series =
        prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry).Add(labels);
    const std::lock_guard lock(state_->mutex);
    auto& slot = state_->counters[&series];
    if (!slot) slot = std::make_unique<CounterSeries>(series);
    return *slot;
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
    auto& series =
        prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry).Add(labels);
    const std::lock_guard lock(state_->mutex);
    auto& slot = state_->gauges[&series];
    if (!slot) slot = std::make_unique<GaugeSeries>(series);
    return *slot;
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help,
                              const Labels& labels, const std::vector<double>& upper_bounds) {
    auto& series = prometheus::BuildHistogram()
                       .Name(name)
                       .Help(help)
                       .Register(state_->registry)
                       .Add(labels, upper_bounds);
    const std::lock_guard lock(state_->mutex);
    auto& slot = state_->histograms[&series];
    if (!slot) slot = std::make_unique<HistogramSeries>(series);
    return *slot;
}

void Metrics::before_scrape(std::function<void()> sample) {
    const std::lock_guard lock(state_->mutex);
    state_->samplers.push_back(std::move(sample));
}

std::string Metrics::text() {
    std::vector<std::function<void()>> samplers;
    {
        const std::lock_guard lock(state_->mutex);
        samplers = state_->samplers;
    }
    for (const auto& sample : samplers) sample();
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, state_->registry.Collect());
    return out.str();
}

const std::vector<double>& seconds_buckets() {
    static const std::vector<double> buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                             0.5,   1,      2.5,   5,    10,    30,   60,  300};
    return buckets;
}

}  // namespace atelier
