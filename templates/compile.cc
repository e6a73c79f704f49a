#include "templates/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/digest.h"
#include "base/text.h"
#include "templates/delivery.h"
#include "templates/document.h"
#include "templates/lists.h"
#include "templates/node.h"

namespace atelier::templates {
namespace {

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_key = 50;
constexpr int deepest_tree = 64;
constexpr std::size_t most_suggested = 500;

enum class Spawning { yes, no };

class Compiler {
  public:
    Compiler(TemplateFiles& files, Externals& externals, const CompileLimits& limits)
        : limits_(limits), loader_(files, externals, findings_, limits), delivery_(loader_, out_) {}

    Compilation run() {
        if (const auto root = loader_.open("org.yaml")) {
            if (const auto resolved = loader_.resolve(*root)) read_root(*resolved);
        }
        finish();
        return std::move(out_);
    }

  private:
    void read_root(const Cursor& at) {
        Mapping root(loader_, at, "org.yaml");
        CompiledOrg& org = out_.org;
        org.name = std::string(trim(root.text("name")));
        if (org.name.empty()) {
            if (!root.has_other_than_text("name")) {
                findings_.error(at.place(), "MissingField", "the template needs a name");
            }
        } else {
            check_name(root, org.name);
        }
        org.description = root.text("description");
        root.ignore("template_schema_version");
        if (const auto field = root.find("defaults")) {
            Mapping defaults(loader_, *field, "defaults");
            defaults_ = read_defaults(defaults, env_);
            note_routing(defaults);
            defaults.warn_unknown();
        }
        read_env_requirements(root, env_);
        EnvRequirements own = united(env_);
        org.own_required_env = std::move(own.required);
        org.own_recommended_env = std::move(own.recommended);
        const auto global_memories = read_memories(root, "global_memories");
        delivery_.read_org_env();
        for (const Cursor& entry : root.list("workspaces")) read_entry(entry, "", 0, Spawning::yes);
        for (const Cursor& entry : root.list("roots")) read_entry(entry, "", 0, Spawning::yes);
        root.warn_unknown();
        seed_global_memories(global_memories, root.place_of("global_memories"));
    }

    void read_entry(const Cursor& at, const std::string& parent, int depth, Spawning spawning) {
        if (findings_.full() || stopped_) return;
        if (depth > deepest_tree) {
            findings_.error(at.place(), "TreeTooDeep",
                            fmt::format("workspaces are nested deeper than {}", deepest_tree));
            return;
        }
        if (++out_.org.counts.declared > limits_.nodes) {
            findings_.error(at.place(), "TooManyWorkspaces",
                            fmt::format("the template has more than {} workspaces", limits_.nodes));
            stopped_ = true;
            return;
        }
        Mapping entry(loader_, at, "a workspace");
        if (!entry.at().value) return;
        if (entry.boolean("spawning") == false) spawning = Spawning::no;
        const std::string name(trim(entry.text("name")));
        const std::string key = read_key(entry, name, spawning);
        names_.insert({name, key});
        if (spawning == Spawning::no) {
            ++out_.org.counts.skipped;
            if (!key.empty()) out_.org.skipped.push_back(key);
        } else {
            ++out_.org.counts.spawning;
            read_spawning(entry, name, key, parent);
        }
        for (const Cursor& child : entry.list("children"))
            read_entry(child, key, depth + 1, spawning);
        if (spawning == Spawning::yes) entry.warn_unknown();
    }

    void read_spawning(Mapping& entry, const std::string& name, const std::string& key,
                       const std::string& parent) {
        check_name(entry, name);
        EnvMap channel_secrets;
        Node node = read_node(entry, defaults_, channel_secrets);
        note_routing(entry);
        node.key = key;
        node.parent = parent;
        node.name = name;
        if (!parent.empty()) leave_out_global_memories(entry, node);
        read_own_env(entry, node);
        for (const std::string_view structural : {"children", "spawning", "key"}) {
            entry.ignore(structural);
        }
        delivery_.deliver(entry, node);
        delivery_.add_env(node, std::move(channel_secrets));
        out_.org.nodes.push_back(std::move(node));
    }

    void check_name(Mapping& of, const std::string& name) {
        if (name.size() <= longest_name && !has_control(name)) return;
        findings_.error(of.place_of("name"), "InvalidField",
                        fmt::format("name must be one line of at most {} bytes", longest_name));
    }

    // Those of the defaults are for the roots, and go without a word.
    void leave_out_global_memories(Mapping& entry, Node& node) {
        const auto left_out = std::erase_if(node.initial_memories, [](const crds::Memory& memory) {
            return memory.scope == "GLOBAL";
        });
        if (left_out == 0 || !entry.has("initial_memories")) return;
        findings_.warn(entry.place_of("initial_memories"), "MemorySkipped",
                       "a memory of scope GLOBAL is skipped: only a workspace at the top has them");
    }

    void read_own_env(Mapping& entry, Node& node) {
        EnvRequirements own;
        read_env_requirements(entry, own);
        env_.required.insert(env_.required.end(), own.required.begin(), own.required.end());
        env_.recommended.insert(env_.recommended.end(), own.recommended.begin(),
                                own.recommended.end());
        own = united(own);
        node.required_env = std::move(own.required);
        node.recommended_env = std::move(own.recommended);
    }

    // A node's identity: its own `key`, else the slug of its name. Of nodes that do not spawn, only
    // a repetition of a spawning node's matters.
    std::string read_key(Mapping& entry, const std::string& name, Spawning spawning) {
        const std::string own = entry.text("key");
        const Cursor at = entry.cursor_of(own.empty() ? "name" : "key");
        const Place place = at.place();
        if (!own.empty() && (!is_dns_label(own) || own.size() > longest_key)) {
            findings_.error(place, "InvalidKey",
                            fmt::format("key \"{}\" must be lower-case letters, digits and '-', at "
                                        "most {}",
                                        own, longest_key));
            return {};
        }
        const std::string key = own.empty() ? slug(name, longest_key) : own;
        if (key.empty()) {
            if (spawning == Spawning::no || entry.has_other_than_text("name")) return {};
            findings_.error(place, "MissingField",
                            name.empty()
                                ? "a workspace needs a name"
                                : fmt::format("no key can be made of the name \"{}\": give "
                                              "the workspace a `key`",
                                              name));
            return {};
        }
        const auto [known, fresh] = keys_.try_emplace(key, KeyUse{at, spawning});
        if (fresh) return key;
        if (spawning == Spawning::yes || known->second.spawning == Spawning::yes) {
            report_duplicate(key, known->second.at, at);
        }
        return key;
    }

    void report_duplicate(const std::string& key, const Cursor& first, const Cursor& second) {
        const Place place = second.place();
        if (first.place().text() != place.text()) {
            findings_.error(place, "DuplicateKey",
                            fmt::format("the key \"{}\" is used twice: here and at {}; give one of "
                                        "them another `key`",
                                        key, first.place().text()));
            return;
        }
        findings_.error(
            place, "DuplicateKey",
            fmt::format("the key \"{}\" is used twice, because this file is included "
                        "twice: at {}, and at {}; include it once, or a copy with "
                        "another `key`",
                        key, first.place_with_includes(), second.place_with_includes()));
    }

    void seed_global_memories(const std::vector<crds::Memory>& memories, const Place& place) {
        if (memories.empty()) return;
        if (out_.org.nodes.empty()) {
            findings_.warn(place, "MemorySkipped", "there is no workspace to hold global_memories");
            return;
        }
        for (crds::Memory memory : memories) {
            memory.scope = "GLOBAL";
            out_.org.nodes.front().initial_memories.push_back(std::move(memory));
        }
        if (out_.org.nodes.front().initial_memories.size() <= most_memories) return;
        findings_.error(place, "InvalidField",
                        fmt::format("with the workspace's own, these are more than {} memories",
                                    most_memories));
    }

    // Remembers the targets of category_routing: whether a workspace of that name exists is known
    // only after the whole tree is read.
    void note_routing(Mapping& of) {
        const auto field = of.find("category_routing");
        if (!field || !field->value->IsObject()) return;
        for (const auto& category : field->value->GetObject()) {
            if (!category.value.IsArray()) continue;
            const Cursor list = field->member(json::view(category.name), category.value);
            for (std::size_t i = 0; i < category.value.Size(); ++i) {
                const Cursor target = list.element(i);
                if (target.value->IsString()) targets_.push_back(target);
            }
        }
    }

    void check_routing() {
        if (loader_.left_out()) return;  // a target may be in what was left out
        // A suggestion costs a comparison with every name.
        std::vector<std::string> known;
        if (names_.size() <= most_suggested) known.assign(names_.begin(), names_.end());
        for (const Cursor& target : targets_) {
            const std::string name(json::view(*target.value));
            if (names_.contains(name) || names_.contains(slug(name, longest_key))) continue;
            std::string message =
                fmt::format("category_routing: there is no workspace \"{}\" in the template", name);
            if (const auto meant = did_you_mean(name, known)) {
                message += fmt::format(": did you mean \"{}\"?", *meant);
            }
            findings_.warn(target.place(), "UnknownRoutingTarget", std::move(message));
        }
    }

    void finish() {
        check_routing();
        auto& skipped = out_.org.skipped;
        std::sort(skipped.begin(), skipped.end());
        skipped.erase(std::unique(skipped.begin(), skipped.end()), skipped.end());
        EnvRequirements env = united(env_);
        out_.org.required_env = std::move(env.required);
        out_.org.recommended_env = std::move(env.recommended);
        out_.errors = findings_.take_errors();
        out_.warnings = findings_.take_warnings();
        out_.may_pass = loader_.may_pass();
    }

    struct KeyUse {
        Cursor at;
        Spawning spawning;
    };

    const CompileLimits& limits_;
    Findings findings_;
    Loader loader_;
    Compilation out_;
    Delivery delivery_;
    Defaults defaults_;
    EnvRequirements env_;
    std::map<std::string, KeyUse> keys_;
    std::set<std::string> names_;  // and keys, of all workspaces that are declared
    std::vector<Cursor> targets_;  // of category_routing
    bool stopped_ = false;
};

}  // namespace

drivers::Tree artifact_of(const CompiledOrg& org) {
    drivers::Tree artifact;
    artifact[std::string(tree_file)].bytes = json::canonical(json::document_of(org));
    return artifact;
}

Compilation compile(TemplateFiles& files, Externals& externals, const CompileLimits& limits) {
    while (true) {
        Compilation done = Compiler(files, externals, limits).run();
        if (!done.errors.empty() || !externals.fetch_pending()) {
            done.externals = externals.fetched();
            return done;
        }
    }
}

}  // namespace atelier::templates
