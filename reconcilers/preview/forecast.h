// What would happen, as a value: the answer to a plan. It holds no value of an environment variable
// and none of a Secret; where such values differ, fingerprints stand for them.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "crds/meta.h"

namespace atelier::reconcilers::preview {

// What happens to one object. The order is that of gravity.
enum class Step {
    nothing,
    create,
    configure,   // an object that is no workspace gets another spec
    update,      // a workspace, in place: what runs does not notice
    reparent,    // a workspace, in place
    hot_reload,  // its agent reads changed skills again; nothing restarts
    start,       // it was paused, or could not run
    restart,     // its unit is made anew, with the same volumes
    recreate,    // it goes to another place, or loses what it has
    stop,        // its unit goes, its volumes stay
    remove
};
constexpr std::array<std::pair<Step, std::string_view>, 11> names_of(Step) {
    return {{{Step::nothing, "nothing"},
             {Step::create, "create"},
             {Step::configure, "configure"},
             {Step::update, "update"},
             {Step::reparent, "reparent"},
             {Step::hot_reload, "hotReload"},
             {Step::start, "start"},
             {Step::restart, "restart"},
             {Step::recreate, "recreate"},
             {Step::stop, "stop"},
             {Step::remove, "delete"}}};
}

struct Item {
    std::string kind;
    std::string name;
    std::string org;  // of a workspace
    Step action = Step::nothing;
    std::vector<std::string> reasons;  // "env TOKEN changed (1a2b3c4d -> 5e6f7a8b)"
    std::string parent;                // of a workspace, as it will be
    std::string old_parent;            // when it moves: "(root)" or a name
    std::string kept;                  // of a delete: "volumes kept 7d"
    bool held = false;                 // it does not happen until a blocker is out of the way
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("kind", self.kind);
        v("name", self.name);
        v("org", self.org);
        v("action", self.action);
        v("reasons", self.reasons);
        v("parent", self.parent);
        v("oldParent", self.old_parent);
        v("kept", self.kept);
        v("held", self.held);
    }
};

struct Blocker {
    std::string about;   // "Org acme"
    std::string reason;  // one CamelCase word
    std::string message;
    std::string command;   // what helps; may be empty
    bool blocks = true;    // false: it is told, and does not hold anything up
    bool passing = false;  // seen of what runs just now: no part of what a token stands for
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("about", self.about);
        v("reason", self.reason);
        v("message", self.message);
        v("command", self.command);
        v("blocks", self.blocks);
        v("passing", self.passing);
    }
};

// What an Org would follow.
struct Followed {
    std::string org;
    std::string template_name;  // the object's name
    std::string revision;
    std::string artifact_digest;
    std::string environment;  // a keyed digest of the values that come with it
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("org", self.org);
        v("template", self.template_name);
        v("revision", self.revision);
        v("artifactDigest", self.artifact_digest);
        v("environment", self.environment);
    }
};

struct Forecast {
    std::vector<Item>
        items;  // objects first, then workspaces; each by name; none that is `nothing`
    std::vector<Blocker> blockers;
    std::vector<Followed> orgs;
    std::map<std::string, std::int64_t> counts;  // of workspaces, by the name of the step
    std::int64_t unchanged = 0;                  // workspaces that were looked at, and stay
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("items", self.items);
        v("blockers", self.blockers);
        v("orgs", self.orgs);
        v("counts", self.counts);
        v("unchanged", self.unchanged);
    }
    bool empty() const { return items.empty(); }
};

// Each item, blocker and org as one line: for comparing two forecasts, and for people. Without what
// is passing.
std::vector<std::string> lines_of(const Forecast& forecast);
std::string line_of(const Item& item);

// "+ a new line", "- a line that is gone": what differs, in order; at most `most`, then a count.
std::vector<std::string> moved(const std::vector<std::string>& before,
                               const std::vector<std::string>& after, std::size_t most);

// 7d, 36h, 90s: as short as it says the same.
std::string short_duration(Duration duration);

}  // namespace atelier::reconcilers::preview
