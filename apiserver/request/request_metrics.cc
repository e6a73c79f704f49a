#include "apiserver/request/request_metrics.h"

namespace atelier::apiserver {

void RequestMetrics::record(std::string_view verb, std::string_view resource, int code,
                            Duration took) {
    Series series;
    {
        const std::lock_guard lock(mutex_);
        const std::tuple<std::string_view, std::string_view, int> wanted{verb, resource, code};
        auto it = series_.find(wanted);
        if (it == series_.end()) {
            const std::string v(verb);
            const std::string r(resource);
            Series made;
            made.total =
                &metrics_.counter("apiserver_request_total", "Requests answered.",
                                  {{"verb", v}, {"resource", r}, {"code", std::to_string(code)}});
            made.seconds = &metrics_.histogram("apiserver_request_duration_seconds",
                                               "Time until a request was answered; of a watch, "
                                               "until it began.",
                                               {{"verb", v}, {"resource", r}}, seconds_buckets());
            it = series_.emplace(std::tuple(v, r, code), made).first;
        }
        series = it->second;
    }
    series.total->add();
    series.seconds->observe(std::chrono::duration<double>(took).count());
}

}  // namespace atelier::apiserver
