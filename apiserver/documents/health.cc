#include "apiserver/documents/health.h"

#include <fmt/format.h>

#include <algorithm>

namespace atelier::apiserver {
namespace {

bool is_excluded(const Request& request, std::string_view name) {
    return std::any_of(request.query.begin(), request.query.end(), [&](const auto& parameter) {
        return parameter.first == "exclude" && parameter.second == name;
    });
}

}  // namespace

Health::Health(const store::Store& store, std::vector<HealthCheck> live,
               std::vector<HealthCheck> ready) {
    const HealthCheck ping{"ping", [] { return Result<void>(); }};
    live_ = {ping};
    live_.insert(live_.end(), live.begin(), live.end());
    ready_ = {ping, {"store", [&store] { return store.healthy(); }}};
    ready_.insert(ready_.end(), ready.begin(), ready.end());
}

const std::vector<HealthCheck>& Health::checks_of(std::string_view probe) const {
    return probe == "livez" ? live_ : ready_;
}

void Health::answer(const CallPtr& call) const {
    const std::string& probe = call->route.probe;
    std::string lines;
    bool well = true;
    bool found = call->route.name.empty();
    for (const HealthCheck& check : checks_of(probe)) {
        if (!call->route.name.empty() && call->route.name != check.name) continue;
        found = true;
        if (is_excluded(call->request, check.name)) {
            lines += fmt::format("[+]{} excluded: ok\n", check.name);
            continue;
        }
        const Result<void> result = check.check();
        if (result) {
            lines += fmt::format("[+]{} ok\n", check.name);
        } else {
            well = false;
            lines += fmt::format("[-]{} failed: {}\n", check.name, result.error().message);
        }
    }
    if (!found) return call->fail(unknown_path());
    if (!well) return call->text(503, lines + probe + " check failed\n");
    const bool verbose = query_flag(call->request, "verbose");
    call->text(200, verbose ? lines + probe + " check passed\n" : "ok");
}

}  // namespace atelier::apiserver
