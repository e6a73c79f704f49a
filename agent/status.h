// What the agent reports of itself: the text of status.json and of GET /plugins.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/plugins.h"
#include "base/clock.h"
#include "base/fields.h"

namespace atelier::agent {

enum class ChildState { none, running, exited };
constexpr std::array<std::pair<ChildState, std::string_view>, 3> names_of(ChildState) {
    return {{{ChildState::none, "none"},
             {ChildState::running, "running"},
             {ChildState::exited, "exited"}}};
}

struct PluginReport {
    std::string name;
    std::string digest;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("name", self.name);
        v("digest", self.digest);
    }
};

struct ProblemReport {
    std::string name;
    std::string message;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("name", self.name);
        v("message", self.message);
    }
};

struct Status {
    std::string version;  // of the agent
    std::optional<Instant> started_at;
    std::optional<Instant> loaded_at;  // when the fields below last changed
    std::vector<PluginReport> plugins;
    std::vector<ProblemReport> problems;
    ChildState child = ChildState::none;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("version", self.version);
        v("startedAt", self.started_at);
        v("loadedAt", self.loaded_at);
        v("plugins", self.plugins);
        v("problems", self.problems);
        v("child", self.child);
    }
};

// One JSON object and a newline; `plugins` is there even when it is empty.
std::string text_of(const Status& status);

}  // namespace atelier::agent
