// Gauges over the fleet, counted from the objects at each scrape: how many objects of a kind have
// which condition, and how many have which value of a field. The number of series is bounded by
// kinds, condition types and values, never by objects. Only what changed since the last scrape is
// read again.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "controllers/follower.h"
#include "crds/kind.h"
#include "store/store.h"

namespace atelier::controllers {

// One gauge per value of a string field: metric{label="value"}.
struct FieldGauge {
    std::string resource;
    std::string metric;
    std::string help;
    std::string label;
    std::vector<std::string> path;    // {"status", "phase"}
    std::vector<std::string> always;  // values that are shown with 0 too
};

// Call sample() before each scrape. Collaborators outlive it. Thread-safe.
class FleetMetrics {
  public:
    FleetMetrics(store::Store& store, const crds::Kinds& kinds, Metrics& metrics,
                 std::vector<FieldGauge> gauges);
    void sample();

  private:
    using Series = std::pair<std::string, Labels>;  // metric name and labels
    std::vector<Series> series_of(const crds::Kind& kind, const store::Object& object) const;
    void count(const Series& series, double by);
    void forget(const Key& key);
    void remember(const crds::Kind& kind, const store::Object& object);
    std::string help_of(const std::string& metric) const;

    store::Store& store_;
    const crds::Kinds& kinds_;
    Metrics& metrics_;
    const std::vector<FieldGauge> gauges_;
    std::mutex mutex_;                           // guards what follows
    std::map<std::string, Follower> followers_;  // by resource
    std::map<Key, std::vector<Series>> held_;
    std::map<Series, double> counts_;
};

}  // namespace atelier::controllers
