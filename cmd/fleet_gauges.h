// The metrics that count objects by one of their fields.
#pragma once

#include <vector>

#include "controllers/fleet_metrics.h"

namespace atelier::cmd {

// One gauge a row: the kind, the name, the help, the label, the field, and the values of the label
// that are exported even when no object has them.
std::vector<controllers::FieldGauge> fleet_gauges();

}  // namespace atelier::cmd
