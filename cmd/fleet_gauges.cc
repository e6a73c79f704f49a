#include "cmd/fleet_gauges.h"

namespace atelier::cmd {

std::vector<controllers::FieldGauge> fleet_gauges() {
    return {
        {"pluginupdates.atelier.dev",
         "atelier_plugin_updates",
         "Plugin updates by phase; Pending is drift that waits for a decision.",
         "phase",
         {"status", "phase"},
         {"Pending", "Approved", "RollingOut", "Applied", "Dismissed", "Failed"}},
        {"plugininstalls.atelier.dev",
         "atelier_plugin_installs",
         "Plugin installs by the class of their last change.",
         "class",
         {"status", "lastChange"},
         {"Hot", "Cold", "None"}},
        {"workspaces.atelier.dev",
         "atelier_workspaces",
         "Workspaces by update tier.",
         "update_tier",
         {"spec", "updateTier"},
         {}},
    };
}

}  // namespace atelier::cmd
