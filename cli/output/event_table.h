// Kubernetes events as lines.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "cli/client/client.h"

namespace atelier::cli {

// When the event happened last; when it was created, if it does not say.
Instant last_seen(const json::Value& event);
std::vector<std::string> event_header(bool with_namespace, bool with_object);
std::vector<std::string> event_row(const json::Value& event, Instant now, bool with_namespace,
                                   bool with_object);
// Sorts by last_seen(), and events of the same second in the order in which they were written.
void sort_by_last_seen(std::vector<json::Document>& events);
// The query that selects the events about one object.
Query events_about(const std::string& kind, const std::string& name);

}  // namespace atelier::cli
