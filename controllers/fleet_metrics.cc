#include "controllers/fleet_metrics.h"

#include "base/json.h"

namespace atelier::controllers {
namespace {

constexpr const char* conditions_metric = "atelier_conditions";

}  // namespace

FleetMetrics::FleetMetrics(store::Store& store, const crds::Kinds& kinds, Metrics& metrics,
                           std::vector<FieldGauge> gauges)
    : store_(store), kinds_(kinds), metrics_(metrics), gauges_(std::move(gauges)) {
    for (const FieldGauge& gauge : gauges_) {
        for (const std::string& value : gauge.always) {
            counts_[{gauge.metric, {{gauge.label, value}}}] = 0;
        }
    }
}

void FleetMetrics::sample() {
    const std::lock_guard lock(mutex_);
    for (const auto& kind : kinds_.all()) {
        if (!kind->status_subresource) continue;
        const std::string resource = kind->resource();
        auto& follower = followers_.try_emplace(resource, store_, resource).first->second;
        const auto listed = [&](const store::Snapshot& snapshot) {
            std::erase_if(held_, [&](const auto& entry) {
                if (entry.first.resource != resource) return false;
                for (const Series& series : entry.second) count(series, -1);
                return true;
            });
            for (const auto& object : snapshot.objects) remember(*kind, *object);
        };
        follower.follow(listed, [&](const store::Event& event) {
            forget(event.object->key);
            if (event.change != store::Change::deleted) remember(*kind, *event.object);
        });
    }
    for (const auto& [series, value] : counts_) {
        metrics_.gauge(series.first, help_of(series.first), series.second).set(value);
    }
}

std::vector<FleetMetrics::Series> FleetMetrics::series_of(const crds::Kind& kind,
                                                          const store::Object& object) const {
    std::vector<Series> series;
    const auto document = json::parse(object.body);
    if (!document) return series;
    const json::Value* conditions = json::find(*document, {"status", "conditions"});
    if (conditions && conditions->IsArray()) {
        for (const auto& condition : conditions->GetArray()) {
            series.push_back({conditions_metric,
                              {{"kind", kind.kind},
                               {"condition", json::string_at(condition, {"type"})},
                               {"status", json::string_at(condition, {"status"})}}});
        }
    }
    for (const FieldGauge& gauge : gauges_) {
        if (gauge.resource != object.key.resource) continue;
        const json::Value* at = &*document;
        for (const std::string& name : gauge.path) {
            if (at) at = json::find(*at, {name});
        }
        if (!at || !at->IsString()) continue;
        series.push_back({gauge.metric, {{gauge.label, std::string(json::view(*at))}}});
    }
    return series;
}

void FleetMetrics::count(const Series& series, double by) {
    counts_[series] += by;
}

void FleetMetrics::forget(const Key& key) {
    const auto it = held_.find(key);
    if (it == held_.end()) return;
    for (const Series& series : it->second) count(series, -1);
    held_.erase(it);
}

void FleetMetrics::remember(const crds::Kind& kind, const store::Object& object) {
    auto series = series_of(kind, object);
    for (const Series& one : series) count(one, 1);
    held_[object.key] = std::move(series);
}

std::string FleetMetrics::help_of(const std::string& metric) const {
    for (const FieldGauge& gauge : gauges_) {
        if (gauge.metric == metric) return gauge.help;
    }
    return "Objects by kind, condition and its status.";
}

}  // namespace atelier::controllers
