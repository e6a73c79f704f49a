#include "forecast/listed_runtime.h"

#include <algorithm>

#include "reconcilers/common/runtimes.h"

namespace atelier::forecast {
namespace {

Error read_only() {
    return {Code::unsupported, "a plan changes nothing in a runtime"};
}

std::string name_in(const drivers::Labels& labels) {
    const auto ns = labels.find(std::string(reconcilers::unit_label::ns));
    const auto name = labels.find(std::string(reconcilers::unit_label::name));
    if (ns == labels.end() || name == labels.end()) return {};
    return ns->second + "/" + name->second;
}

bool carries(const drivers::Unit& unit, const drivers::Labels& having) {
    return std::all_of(having.begin(), having.end(), [&](const auto& wanted) {
        const auto it = unit.labels.find(wanted.first);
        return it != unit.labels.end() && it->second == wanted.second;
    });
}

}  // namespace

drivers::Capabilities ListedRuntime::capabilities() {
    const std::lock_guard lock(mutex_);
    if (!can_) can_ = runtime_.capabilities();
    return *can_;
}

Result<std::vector<drivers::Unit>> ListedRuntime::list(const drivers::Labels& having) {
    const std::lock_guard lock(mutex_);
    if (!units_) {
        units_ = runtime_.list(ours_);
        for (std::size_t i = 0; *units_ && i < (**units_).size(); ++i) {
            by_name_[name_in((**units_)[i].labels)].push_back(i);
        }
    }
    if (!*units_) return units_->error();
    const Units& all = **units_;
    Units found;
    if (const std::string name = name_in(having); !name.empty()) {
        const auto it = by_name_.find(name);
        if (it == by_name_.end()) return found;
        for (const std::size_t index : it->second) {
            if (carries(all[index], having)) found.push_back(all[index]);
        }
        return found;
    }
    std::copy_if(all.begin(), all.end(), std::back_inserter(found),
                 [&](const drivers::Unit& unit) { return carries(unit, having); });
    return found;
}

Result<void> ListedRuntime::ensure_network(const std::string&, const drivers::Labels&) {
    return read_only();
}
Result<void> ListedRuntime::remove_network(const std::string&) {
    return read_only();
}
Result<void> ListedRuntime::join_network(const std::string&, const std::string&,
                                         const std::string&) {
    return read_only();
}
Result<void> ListedRuntime::ensure_volume(const std::string&, const drivers::Labels&) {
    return read_only();
}
Result<void> ListedRuntime::remove_volume(const std::string&) {
    return read_only();
}
Result<std::string> ListedRuntime::create(const drivers::UnitSpec&) {
    return read_only();
}
Result<void> ListedRuntime::start(const std::string&) {
    return read_only();
}
Result<void> ListedRuntime::stop(const std::string&, Duration) {
    return read_only();
}
Result<void> ListedRuntime::remove(const std::string&) {
    return read_only();
}
Result<void> ListedRuntime::upload(const std::string&, const std::string&, const drivers::Tree&,
                                   int, int) {
    return read_only();
}
Result<drivers::ExecResult> ListedRuntime::exec(const std::string&, const std::vector<std::string>&,
                                                Duration) {
    return read_only();
}
Result<std::string> ListedRuntime::logs(const std::string& id, std::size_t last_lines) {
    return runtime_.logs(id, last_lines);
}
Result<void> ListedRuntime::events(std::stop_token, const drivers::Labels&,
                                   const std::function<void(const drivers::Labels&)>&) {
    return read_only();
}

}  // namespace atelier::forecast
