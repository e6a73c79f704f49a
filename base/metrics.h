// Metrics for Prometheus. Names and units follow prometheus.io/docs/practices/naming. Series are
// never labelled with the name of an object: their number is bounded by the code, not by the fleet.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace atelier {

using Labels = std::map<std::string, std::string>;

class Counter {
  public:
    virtual ~Counter() = default;
    virtual void add(double amount = 1) = 0;  // thread-safe; a negative amount is ignored
};
class Gauge {
  public:
    virtual ~Gauge() = default;
    virtual void set(double value) = 0;  // thread-safe
    virtual void add(double amount) = 0;
};
class Histogram {
  public:
    virtual ~Histogram() = default;
    virtual void observe(double value) = 0;  // thread-safe
};

// Thread-safe. A series is made once and lives as long as the registry; asking again for the same
// name and labels gives the same one. Help is plain text without newline or backslash.
class Metrics {
  public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
    Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
    Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels,
                         const std::vector<double>& upper_bounds);

    // `sample` runs before each text(), to set gauges that are counted rather than kept.
    void before_scrape(std::function<void()> sample);
    // The text exposition format, version 0.0.4.
    std::string text();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Seconds, from a millisecond to five minutes.
const std::vector<double>& seconds_buckets();

}  // namespace atelier
