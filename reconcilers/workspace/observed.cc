#include "reconcilers/workspace/observed.h"

#include <charconv>

#include "reconcilers/common/installs.h"

namespace atelier::reconcilers::workspace {
namespace {

std::int64_t number_of(const drivers::Unit& unit, std::string_view name) {
    const std::string text = label_of(unit, name);
    const char* const last = text.data() + text.size();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), last, number);
    return error == std::errc() && end == last && number > 0 ? number : 0;
}

}  // namespace

const drivers::Unit* own_unit(const crds::Workspace& workspace, const Observed& observed) {
    for (const Found& found : observed.units) {
        if (found.backend == observed.backend && found.unit.name == unit_name(workspace.meta.uid)) {
            return &found.unit;
        }
    }
    return nullptr;
}

const crds::PluginInstall* install_of(const Observed& observed, const std::string& plugin) {
    if (observed.installs.empty()) return nullptr;
    return counting_install(observed.installs, observed.installs.front().spec.workspace, plugin);
}

std::string label_of(const drivers::Unit& unit, std::string_view name) {
    const auto it = unit.labels.find(std::string(name));
    return it == unit.labels.end() ? std::string() : it->second;
}

std::int64_t attempt_of(const drivers::Unit& unit) {
    return number_of(unit, unit_label::attempt);
}

std::int64_t restarts_of(const drivers::Unit& unit) {
    return number_of(unit, unit_label::restarts);
}

std::optional<Instant> created_at(const drivers::Unit& unit) {
    const auto instant = parse_rfc3339(label_of(unit, unit_label::created_at));
    return instant ? std::optional(*instant) : unit.started_at;
}

}  // namespace atelier::reconcilers::workspace
