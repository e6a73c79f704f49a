#include "cli/output/event_table.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/text.h"

namespace atelier::cli {

Instant last_seen(const json::Value& event) {
    for (const auto& path : {std::vector<std::string_view>{"series", "lastObservedTime"},
                             {"lastTimestamp"},
                             {"eventTime"},
                             {"metadata", "creationTimestamp"}}) {
        const std::string text = path.size() == 2 ? json::string_at(event, {path[0], path[1]})
                                                  : json::string_at(event, {path[0]});
        if (const auto instant = parse_rfc3339(text); !text.empty() && instant) return *instant;
    }
    return {};
}

std::vector<std::string> event_header(bool with_namespace, bool with_object) {
    std::vector<std::string> out;
    if (with_namespace) out.emplace_back("NAMESPACE");
    out.insert(out.end(), {"LAST SEEN", "TYPE", "REASON"});
    if (with_object) out.emplace_back("OBJECT");
    out.emplace_back("MESSAGE");
    return out;
}

std::vector<std::string> event_row(const json::Value& event, Instant now, bool with_namespace,
                                   bool with_object) {
    std::vector<std::string> out;
    if (with_namespace) out.push_back(json::string_at(event, {"metadata", "namespace"}));
    std::string seen = human_age(std::max(Duration::zero(), now - last_seen(event)));
    const json::Value* const count = json::find(event, {"count"});
    if (count && count->IsInt() && count->GetInt() > 1) {
        seen += " (x" + std::to_string(count->GetInt()) + ")";
    }
    out.insert(out.end(),
               {seen, json::string_at(event, {"type"}), json::string_at(event, {"reason"})});
    if (with_object) {
        out.push_back(lower(json::string_at(event, {"involvedObject", "kind"})) + "/" +
                      json::string_at(event, {"involvedObject", "name"}));
    }
    out.push_back(json::string_at(event, {"message"}));
    return out;
}

// Times are whole seconds. Our server's resource versions are numbers that grow with every write,
// so they order events of one second. Those of another server are opaque: what is no number counts
// as 0, and the sort is stable.
void sort_by_last_seen(std::vector<json::Document>& events) {
    const auto written = [](const json::Value& event) {
        const std::string text = json::string_at(event, {"metadata", "resourceVersion"});
        std::uint64_t number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        return number;
    };
    std::stable_sort(events.begin(), events.end(), [&](const auto& a, const auto& b) {
        const Instant when_a = last_seen(a);
        const Instant when_b = last_seen(b);
        return when_a != when_b ? when_a < when_b : written(a) < written(b);
    });
}

Query events_about(const std::string& kind, const std::string& name) {
    return {{"fieldSelector", "involvedObject.kind=" + kind + ",involvedObject.name=" + name}};
}

}  // namespace atelier::cli
