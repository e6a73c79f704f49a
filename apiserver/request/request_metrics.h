// How many requests there were and how long they took, by verb and resource.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "base/clock.h"
#include "base/metrics.h"

namespace atelier::apiserver {

// Thread-safe. Labels are bounded: verbs, resources that are served, and HTTP codes.
class RequestMetrics {
  public:
    explicit RequestMetrics(Metrics& metrics) : metrics_(metrics) {}
    void record(std::string_view verb, std::string_view resource, int code, Duration took);

  private:
    struct Series {
        Counter* total = nullptr;
        Histogram* seconds = nullptr;  // without the code
    };
    Metrics& metrics_;
    std::mutex mutex_;
    std::map<std::tuple<std::string, std::string, int>, Series, std::less<>>
        series_;  // under mutex_
};

}  // namespace atelier::apiserver
