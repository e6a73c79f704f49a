// A plan on the wire: what would happen, and having that happen. Who makes plans and who shows them
// share this form. It holds no value of an environment variable and none of a Secret; where such
// values differ, fingerprints stand for them.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"

namespace atelier::crds {

// What happens to one object. The order is that of gravity.
enum class ForecastStep {
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
constexpr std::array<std::pair<ForecastStep, std::string_view>, 11> names_of(ForecastStep) {
    return {{{ForecastStep::nothing, "nothing"},
             {ForecastStep::create, "create"},
             {ForecastStep::configure, "configure"},
             {ForecastStep::update, "update"},
             {ForecastStep::reparent, "reparent"},
             {ForecastStep::hot_reload, "hotReload"},
             {ForecastStep::start, "start"},
             {ForecastStep::restart, "restart"},
             {ForecastStep::recreate, "recreate"},
             {ForecastStep::stop, "stop"},
             {ForecastStep::remove, "delete"}}};
}

// `Action`: ForecastStep, or std::string for who must show the words of a newer server, too.
template <class Action>
struct ForecastItem {
    std::string kind;
    std::string name;
    std::string org;  // of a workspace
    Action action = {};
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

struct ForecastBlocker {
    std::string about;   // "Org acme"
    std::string reason;  // one CamelCase word
    std::string message;
    std::string command;   // what helps; may be empty
    bool blocks = true;    // false: a note, which holds nothing
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
struct ForecastOrg {
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

template <class Action>
struct ForecastStatus {
    // Objects first, then workspaces; each by name; none that is `nothing`.
    std::vector<ForecastItem<Action>> items;
    std::vector<ForecastBlocker> blockers;
    std::vector<ForecastOrg> orgs;
    std::map<std::string, std::int64_t> counts;  // of workspaces, by the name of the step
    std::int64_t unchanged = 0;                  // workspaces that were looked at, and stay
    std::string summary;                         // "2 create, 1 restart; 3 unchanged"
    std::string token;                  // empty: nothing would happen, or none was asked for
    std::optional<Instant> expires_at;  // of the token
    // Of one that was applied:
    std::optional<Instant> applied_at;
    std::optional<bool> already_applied;  // it was before, and nothing was done now
    std::vector<std::string> applied;     // "Org acme configured"
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("items", self.items);
        v("blockers", self.blockers);
        v("orgs", self.orgs);
        v("counts", self.counts);
        v("unchanged", self.unchanged);
        v("summary", self.summary);
        v("token", self.token);
        v("expiresAt", self.expires_at);
        v("appliedAt", self.applied_at);
        v("alreadyApplied", self.already_applied);
        v("applied", self.applied);
    }
    bool empty() const { return items.empty(); }
};

}  // namespace atelier::crds
