// why: follows an object that is not Ready to the objects that it waits for, and prints the command
// that helps.
#include <algorithm>
#include <ostream>
#include <set>

#include "base/text.h"
#include "cli/objects/conditions.h"
#include "cli/objects/person.h"
#include "cli/output/event_table.h"
#include "cli/output/text_table.h"
#include "cli/verbs/verbs.h"
#include "crds/meta.h"

namespace atelier::cli {
namespace {

constexpr std::size_t deepest = 6;
constexpr std::size_t most_members = 5;
constexpr std::size_t most_events = 8;

bool has_kind(const json::Value& object, std::string_view kind) {
    return json::string_at(object, {"kind"}) == kind;
}
std::string own_name(const json::Value& object) {
    return json::string_at(object, {"metadata", "name"});
}
bool is_suspended(const json::Value& object) {
    const json::Value* const suspend = json::find(object, {"spec", "suspend"});
    return suspend && suspend->IsBool() && suspend->GetBool();
}
bool is_going(const json::Value& object) {
    return json::find(object, {"metadata", "deletionTimestamp"}) != nullptr;
}

// Ready for the current generation, and no person has to decide anything.
bool is_fine(const json::Value& object) {
    return !is_going(object) && !is_suspended(object) && !waits_for_approval(object) &&
           has_condition(object, "Ready", "True") && !has_condition(object, "Stalled", "True");
}

std::string state_of(const json::Value& object) {
    if (is_going(object)) return "being deleted";
    if (is_suspended(object)) return "suspended";
    if (waits_for_approval(object)) return "waiting for a decision";
    if (has_condition(object, "Stalled", "True")) return "stalled";
    if (has_condition(object, "Ready", "True")) return "Ready";
    return find_condition(object, "Ready") ? "not Ready" : "not reconciled yet";
}

std::string since(const json::Value& condition, Instant now) {
    const auto at = parse_rfc3339(json::string_at(condition, {"lastTransitionTime"}));
    return at ? " for " + human_age(std::max(Duration::zero(), now - *at)) : "";
}

std::vector<std::string> words_at(const json::Value& object,
                                  std::initializer_list<std::string_view> path) {
    std::vector<std::string> out;
    const json::Value* const list = json::find(object, path);
    if (!list || !list->IsArray()) return out;
    for (const auto& item : list->GetArray()) {
        if (item.IsString()) out.emplace_back(json::view(item));
    }
    return out;
}

class Explanation {
  public:
    Explanation(Session& session, Client& client, std::string ns)
        : session_(session), client_(client), ns_(std::move(ns)) {}

    Result<void> explain(const Target& target) {
        const json::Document object = TRY(client_.get(target.resource, ns_, target.name));
        TRY(follow(target.resource, object, 0));
        TRY(show_owners(object));
        TRY(show_events(target));
        show_advice(object);
        return {};
    }

  private:
    std::ostream& out() { return session_.out(); }
    void line(std::size_t depth, const std::string& text) {
        out() << std::string(depth * 2, ' ') << printable(text) << "\n";
    }

    // Prints this object, then those that keep it from being Ready. Each object is printed once.
    Result<void> follow(const Resource& resource, const json::Value& object, std::size_t depth) {
        const std::string name = name_of_object(resource, own_name(object));
        if (depth > deepest || !seen_.insert(name).second) return {};
        const json::Value* const cause = is_fine(object) ? nullptr : telling_condition(object);
        line(depth, std::string(depth > 0 ? "because " : "") + name + " is " + state_of(object) +
                        (cause ? since(*cause, session_.now()) : ""));
        if (cause) {
            line(depth + 1,
                 json::string_at(*cause, {"reason"}) + ": " + json::string_at(*cause, {"message"}));
        }
        show_details(object, depth + 1);
        advise(resource, object);
        return follow_causes(object, depth + 1);
    }

    void show_details(const json::Value& object, std::size_t depth) {
        if (is_suspended(object)) {
            const json::Value* const notes = json::find(object, {"metadata", "annotations"});
            const auto note = [&](std::string_view key) {
                return notes ? json::string_at(*notes, {key}) : std::string();
            };
            const std::string by = note(suspended_by_annotation);
            const std::string reason = note(suspend_reason_annotation);
            if (!by.empty())
                line(depth, "suspended by " + by + (reason.empty() ? "" : ": " + reason));
        }
        if (is_going(object)) {
            line(depth, "it is removed once these finalizers are: " +
                            join(words_at(object, {"metadata", "finalizers"}), ", "));
        }
        // An object may be Ready although something of it has no effect yet.
        for (const char* type : {"Effective", "PruneBlocked", "EnvSatisfied"}) {
            const json::Value* const condition = find_condition(object, type);
            const bool bad =
                condition && json::string_at(*condition, {"status"}) !=
                                 (std::string_view(type) == "PruneBlocked" ? "False" : "True");
            if (bad && !json::string_at(*condition, {"message"}).empty()) {
                line(depth, std::string(type) + "=" + json::string_at(*condition, {"status"}) +
                                " " + json::string_at(*condition, {"reason"}) + ": " +
                                json::string_at(*condition, {"message"}));
            }
        }
    }

    // Adds the command that helps with this object.
    void advise(const Resource& resource, const json::Value& object) {
        const std::string ns = json::string_at(object, {"metadata", "namespace"});
        const std::string in = ns.empty() || ns == "default" ? "" : " -n " + ns;
        const std::string what = resource.singular + " " + own_name(object);
        if (is_suspended(object)) advice_.push_back("atelier resume " + what + in);
        if (has_kind(object, "PluginUpdate") && waits_for_approval(object)) {
            advice_.push_back("atelier approve " + own_name(object) + in + "    (or dismiss)");
        }
        if (has_kind(object, "Org") && waits_for_approval(object)) {
            advice_.push_back("confirm the pruning of " + what + in + " as its message says");
        }
        const json::Value* const stalled = find_condition(object, "Stalled");
        if (stalled && json::string_at(*stalled, {"reason"}) == "RevisionUnknown") {
            advice_.push_back("atelier history " + own_name(object) + in);
        }
        if (!is_going(object) && has_condition(object, "Stalled", "True")) {
            advice_.push_back(
                "atelier describe " + what + in +
                "    (the server retries after the object or what it names has changed)");
        }
    }

    Result<void> follow_causes(const json::Value& object, std::size_t depth) {
        const std::string name = own_name(object);
        if (has_kind(object, "Org")) {
            TRY(follow_named("orgtemplates",
                             json::string_at(object, {"spec", "templateRef", "name"}), depth));
            return follow_those("workspaces", "org", name, depth);
        }
        if (has_kind(object, "Workspace")) {
            for (const std::string& plugin : words_at(object, {"spec", "plugins"})) {
                TRY(follow_named("plugininstalls", name + "." + plugin, depth));
                TRY(follow_named("plugins", plugin, depth));
            }
        } else if (has_kind(object, "PluginInstall")) {
            TRY(follow_named("plugins", json::string_at(object, {"spec", "plugin"}), depth));
        } else if (has_kind(object, "Plugin")) {
            return follow_those("pluginupdates", "plugin", name, depth);
        } else if (has_kind(object, "PluginUpdate")) {
            return follow_those("plugininstalls", "plugin",
                                json::string_at(object, {"spec", "plugin"}), depth);
        }
        return {};
    }

    // An object that is Ready explains nothing. A Plugin is the exception: its updates may wait for
    // a decision.
    Result<void> follow_named(std::string_view plural, const std::string& name, std::size_t depth) {
        if (name.empty()) return {};
        const Resource resource = TRY(client_.resolve(plural));
        const auto object = client_.get(resource, ns_, name);
        if (!object && object.error().code != Code::not_found) return object.error();
        if (!object) {
            const std::string absent = name_of_object(resource, name);
            if (seen_.insert(absent).second) line(depth, "because there is no " + absent);
            return {};
        }
        if (!is_fine(*object)) return follow(resource, *object, depth);
        if (!has_kind(*object, "Plugin")) return {};
        return follow_those("pluginupdates", "plugin", name, depth);
    }

    // The objects whose spec.<field> is `value`, as far as they are not Ready.
    Result<void> follow_those(std::string_view plural, std::string_view field,
                              const std::string& value, std::size_t depth) {
        const Resource resource = TRY(client_.resolve(plural));
        std::size_t shown = 0;
        std::size_t more = 0;
        for (const auto& item : TRY(client_.items(resource, ns_))) {
            if (json::string_at(item, {"spec", field}) != value || is_fine(item)) continue;
            const bool open = !has_kind(item, "PluginUpdate") || waits_for_approval(item) ||
                              has_condition(item, "Reconciling", "True");
            if (!open || seen_.contains(name_of_object(resource, own_name(item)))) continue;
            if (++shown > most_members) {
                ++more;
            } else {
                TRY(follow(resource, item, depth));
            }
        }
        if (more > 0) line(depth, "and " + std::to_string(more) + " more " + std::string(plural));
        return {};
    }

    Result<void> show_owners(const json::Value& object) {
        std::string chain;
        json::Document current = json::copy(object);
        for (std::size_t i = 0; i < deepest; ++i) {
            const json::Value* const owners = json::find(current, {"metadata", "ownerReferences"});
            if (!owners || !owners->IsArray() || owners->Empty()) break;
            const json::Value& owner = (*owners)[0];
            const std::string name = json::string_at(owner, {"name"});
            const auto resource = client_.resolve_kind(json::string_at(owner, {"apiVersion"}),
                                                       json::string_at(owner, {"kind"}));
            if (!resource) break;
            auto next = client_.get(*resource, ns_, name);
            if (!next && next.error().code != Code::not_found) return next.error();
            chain += (chain.empty() ? "" : ", ") + name_of_object(*resource, name) + " (" +
                     (next ? state_of(*next) : "gone") + ")";
            if (!next) break;
            current = *std::move(next);
        }
        if (!chain.empty()) line(0, "Owned by: " + chain);
        return {};
    }

    Result<void> show_events(const Target& target) {
        const Resource resource = TRY(client_.resolve("events"));
        auto events =
            TRY(client_.items(resource, ns_, events_about(target.resource.kind, target.name)));
        sort_by_last_seen(events);
        TextTable table(event_header(false, false));
        const std::size_t first = events.size() - std::min(events.size(), most_events);
        for (std::size_t i = first; i < events.size(); ++i) {
            table.add(event_row(events[i], session_.now(), false, false));
        }
        if (!table.empty()) out() << "Last events:\n" << table.take_text(true);
        return {};
    }

    void show_advice(const json::Value& object) {
        if (advice_.empty() && is_fine(object)) {
            line(0, "It is Ready: it waits for nothing.");
        } else if (advice_.empty()) {
            line(0, "The server retries by itself. To watch it: atelier events -w");
        } else {
            line(0, "What helps:");
            for (const std::string& command : advice_) line(1, command);
        }
    }

    Session& session_;
    Client& client_;
    const std::string ns_;
    std::set<std::string> seen_;
    std::vector<std::string> advice_;
};

Result<void> explain_all(Session& session) {
    const auto targets = TRY(targets_of(session, session.arguments.words));
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    bool first = true;
    for (const Target& target : targets) {
        if (!first) session.out() << "\n";
        first = false;
        TRY(Explanation(session, *client, ns).explain(target));
    }
    session.out() << std::flush;
    return {};
}

}  // namespace

int run_why(Session& session) {
    if (session.arguments.words.empty()) {
        return session.usage("name an object: atelier why KIND NAME");
    }
    const auto done = explain_all(session);
    return done ? exit_code::fine : session.fail(done.error());
}

}  // namespace atelier::cli
