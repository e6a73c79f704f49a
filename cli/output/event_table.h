// Kubernetes events as lines.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "cli/client/client.h"

namespace atelier::cli {

// When it was last seen; the creation of the event when it does not say.
Instant last_seen(const json::Value& event);
std::vector<std::string> event_header(bool with_namespace, bool with_object);
std::vector<std::string> event_row(const json::Value& event, Instant now, bool with_namespace,
                                   bool with_object);
// In the order in which they were seen last; within a second, in that in which they were written.
void sort_by_last_seen(std::vector<json::Document>& events);
// Selects the events about one object.
Query events_about(const std::string& kind, const std::string& name);

}  // namespace atelier::cli
