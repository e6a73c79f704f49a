#include "reconcilers/environment/planned_values.h"

#include <fmt/format.h>

#include "base/fingerprint.h"

namespace atelier::reconcilers {
namespace {

// Every value with the name of where it comes from; names hold no colon.
template <class Take>
void for_each_value(const org::Observed& observed, const Take& take) {
    const auto all = [&](const std::string& from, const templates::EnvMap& values) {
        for (const auto& [name, value] : values) take(from + ": " + name, value);
    };
    all("the org's .env", observed.layers.org);
    for (const auto& [node, values] : observed.layers.nodes) all("the .env of " + node, values);
    for (const auto& [from, values] : observed.given) all(from, values);
}

}  // namespace

std::map<std::string, std::string> environment_fingerprints(const org::Observed& observed,
                                                            std::string_view key) {
    std::map<std::string, std::string> out;
    for_each_value(observed, [&](const std::string& name, const std::string& value) {
        out[name] = fingerprint(key, value);
    });
    return out;
}

std::string environment_digest(const org::Observed& observed, std::string_view key) {
    std::string text;
    for_each_value(observed, [&](const std::string& name, const std::string& value) {
        text += fmt::format("{}\n{}\n{}\n", name, value.size(), value);
    });
    return text.empty() ? "none" : keyed_digest(key, text);
}

}  // namespace atelier::reconcilers
