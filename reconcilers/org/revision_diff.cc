#include "reconcilers/org/revision_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/fields.h"
#include "crds/org.h"
#include "crds/template_revision.h"
#include "reconcilers/org/compiled_cache.h"
#include "templates/layers.h"

namespace atelier::reconcilers::org {
namespace {

constexpr std::size_t shown_digits = 12;

// Fields that have a section of their own in the answer, or are derived from others.
const std::set<std::string_view> apart_of_org = {
    "nodes", "skipped", "counts", "requiredEnv", "recommendedEnv", "envNames", "emptyEnvNames"};
const std::set<std::string_view> apart_of_node = {"key",           "parent", "envNames",
                                                  "emptyEnvNames", "files",  "filesDigest"};

class Differ {
  public:
    Differ(const RevisionContent& since, const RevisionContent& to) : since_(since), to_(to) {}

    json::Document diff(const std::string& org) {
        json::Value& root = out_;
        root.SetObject();
        json::set(root, "apiVersion", crds::api_version, allocator_);
        json::set(root, "kind", "RevisionDiff", allocator_);
        json::set(root, "org", org, allocator_);
        json::set(root, "since", copy(json::document_of(since_.revision)), allocator_);
        json::set(root, "to", copy(json::document_of(to_.revision)), allocator_);
        add_fields(root, json::document_of(since_.compiled), json::document_of(to_.compiled),
                   apart_of_org);
        add_env(root, {since_.compiled.env_names, since_.layers.org},
                {to_.compiled.env_names, to_.layers.org});
        json::Value workspaces(rapidjson::kArrayType);
        add_workspaces(workspaces);
        json::set(root, "workspaces", std::move(workspaces), allocator_);
        return std::move(out_);
    }

  private:
    using Nodes = std::map<std::string, const templates::Node*>;
    struct Env {
        const std::vector<std::string>& names;
        const templates::EnvMap& values;
    };

    json::Value copy(const json::Value& value) { return json::Value(value, allocator_); }

    static Nodes nodes_of(const templates::CompiledOrg& org) {
        Nodes nodes;
        for (const templates::Node& node : org.nodes) nodes[node.key] = &node;
        return nodes;
    }

    void add_workspaces(json::Value& list) {
        const Nodes before = nodes_of(since_.compiled);
        const Nodes after = nodes_of(to_.compiled);
        for (const templates::Node& node : to_.compiled.nodes) {
            const auto old = before.find(node.key);
            json::Value entry = begin(node);
            if (old == before.end()) {
                json::set(entry, "change", "Added", allocator_);
                if (!node.parent.empty()) add_parent(entry, "", node.parent);
                list.PushBack(std::move(entry), allocator_);
            } else if (compare(entry, *old->second, node)) {
                list.PushBack(std::move(entry), allocator_);
            }
        }
        for (const templates::Node& node : since_.compiled.nodes) {
            if (after.contains(node.key)) continue;
            json::Value entry = begin(node);
            // Under `spawning: false` a workspace is not created, and an existing one stays.
            const auto& skipped = to_.compiled.skipped;
            const bool stays = std::binary_search(skipped.begin(), skipped.end(), node.key);
            json::set(entry, "change", stays ? "NotSpawned" : "Removed", allocator_);
            list.PushBack(std::move(entry), allocator_);
        }
    }

    json::Value begin(const templates::Node& node) {
        json::Value entry(rapidjson::kObjectType);
        json::set(entry, "key", node.key, allocator_);
        json::set(entry, "name", node.name, allocator_);
        return entry;
    }

    // False when nothing differs.
    bool compare(json::Value& entry, const templates::Node& before, const templates::Node& after) {
        json::set(entry, "change", "Changed", allocator_);
        const bool moved = before.parent != after.parent;
        if (moved) add_parent(entry, before.parent, after.parent);
        const bool fields =
            add_fields(entry, json::document_of(before), json::document_of(after), apart_of_node);
        const bool files = add_files(entry, before.files, after.files);
        static const templates::EnvMap none;
        const auto values = [](const templates::EnvLayers& layers,
                               const std::string& key) -> const templates::EnvMap& {
            const auto found = layers.nodes.find(key);
            return found == layers.nodes.end() ? none : found->second;
        };
        const bool env = add_env(entry, {before.env_names, values(since_.layers, before.key)},
                                 {after.env_names, values(to_.layers, after.key)});
        return moved || fields || files || env;
    }

    void add_parent(json::Value& entry, const std::string& before, const std::string& after) {
        json::Value parent(rapidjson::kObjectType);
        json::set(parent, "before", before, allocator_);
        json::set(parent, "after", after, allocator_);
        json::set(entry, "parent", std::move(parent), allocator_);
    }

    bool add_fields(json::Value& entry, const json::Value& before, const json::Value& after,
                    const std::set<std::string_view>& apart) {
        std::set<std::string> names;
        for (const json::Value* side : {&before, &after}) {
            for (const auto& member : side->GetObject()) {
                const std::string_view name = json::view(member.name);
                if (!apart.contains(name)) names.emplace(name);
            }
        }
        json::Value fields(rapidjson::kArrayType);
        for (const std::string& name : names) {
            const json::Value* old_value = json::find(before, {name});
            const json::Value* new_value = json::find(after, {name});
            if (old_value && new_value && *old_value == *new_value) continue;
            json::Value field(rapidjson::kObjectType);
            json::set(field, "name", name, allocator_);
            if (old_value) json::set(field, "before", copy(*old_value), allocator_);
            if (new_value) json::set(field, "after", copy(*new_value), allocator_);
            fields.PushBack(std::move(field), allocator_);
        }
        if (fields.Empty()) return false;
        json::set(entry, "fields", std::move(fields), allocator_);
        return true;
    }

    bool add_files(json::Value& entry, const std::vector<templates::NodeFile>& before,
                   const std::vector<templates::NodeFile>& after) {
        std::map<std::string, std::pair<const templates::NodeFile*, const templates::NodeFile*>>
            all;
        for (const templates::NodeFile& file : before) all[file.path].first = &file;
        for (const templates::NodeFile& file : after) all[file.path].second = &file;
        const auto shown = [](const templates::NodeFile& file) {
            return file.sha256.substr(0, shown_digits) + (file.executable ? " executable" : "");
        };
        json::Value files(rapidjson::kArrayType);
        for (const auto& [path, sides] : all) {
            const auto& [old_file, new_file] = sides;
            if (old_file && new_file && old_file->sha256 == new_file->sha256 &&
                old_file->executable == new_file->executable) {
                continue;
            }
            json::Value file(rapidjson::kObjectType);
            json::set(file, "path", path, allocator_);
            if (old_file) json::set(file, "before", shown(*old_file), allocator_);
            if (new_file) json::set(file, "after", shown(*new_file), allocator_);
            files.PushBack(std::move(file), allocator_);
        }
        if (files.Empty()) return false;
        json::set(entry, "files", std::move(files), allocator_);
        return true;
    }

    bool add_env(json::Value& entry, const Env& before, const Env& after) {
        std::vector<std::string> added;
        std::vector<std::string> removed;
        std::vector<std::string> changed;
        const std::set<std::string> old_names(before.names.begin(), before.names.end());
        const std::set<std::string> new_names(after.names.begin(), after.names.end());
        std::set_difference(new_names.begin(), new_names.end(), old_names.begin(), old_names.end(),
                            std::back_inserter(added));
        std::set_difference(old_names.begin(), old_names.end(), new_names.begin(), new_names.end(),
                            std::back_inserter(removed));
        for (const auto& [name, value] : before.values) {
            const auto now = after.values.find(name);
            if (now != after.values.end() && now->second != value) changed.push_back(name);
        }
        if (added.empty() && removed.empty() && changed.empty()) return false;
        json::Value env(rapidjson::kObjectType);
        const auto add = [&](std::string_view name, const std::vector<std::string>& names) {
            if (names.empty()) return;
            json::Value list(rapidjson::kArrayType);
            for (const std::string& one : names) {
                list.PushBack(json::make(one, allocator_), allocator_);
            }
            json::set(env, name, std::move(list), allocator_);
        };
        add("added", added);
        add("removed", removed);
        add("changed", changed);
        json::set(entry, "env", std::move(env), allocator_);
        return true;
    }

    const RevisionContent& since_;
    const RevisionContent& to_;
    json::Document out_;
    json::Allocator& allocator_ = out_.GetAllocator();
};

Result<RevisionContent> content_of(const Objects& objects, drivers::TreeStore& trees,
                                   const crds::OrgTemplate& source,
                                   const crds::TemplateRevision& revision) {
    RevisionContent content;
    content.revision = revision;
    CompiledCache cache;
    const auto compiled = TRY(cache.get(revision.artifact_digest, trees));
    if (!compiled) {
        return Error{
            Code::not_found,
            fmt::format("the compiled tree of revision {} is no longer here", revision.revision)};
    }
    content.compiled = *compiled;
    const auto secret = TRY(
        objects.secret(source.meta.ns, templates::layers_secret_name(source.meta.name, revision)));
    const crds::OwnerReference* owner = secret ? secret->meta.controller() : nullptr;
    if (owner && owner->uid == source.meta.uid && templates::are_layers_of(*secret, revision)) {
        content.layers = TRY(templates::layers_of_secret(*secret));
    }
    return content;
}

}  // namespace

json::Document diff_of(const std::string& org, const RevisionContent& since,
                       const RevisionContent& to) {
    return Differ(since, to).diff(org);
}

Result<json::Document> revision_diff(const Objects& objects, drivers::TreeStore& trees,
                                     const std::string& ns, const std::string& org,
                                     const std::string& since, const std::string& to) {
    const auto found = TRY(objects.find<crds::Org>(ns, org));
    if (!found) return Error{Code::not_found, fmt::format("there is no Org {}", org)};
    const std::string& name = found->spec.template_ref.name;
    const auto source = TRY(objects.find<crds::OrgTemplate>(ns, name));
    if (!source) return Error{Code::not_found, fmt::format("there is no OrgTemplate {}", name)};
    const auto& history = source->status.history;
    if (history.empty()) {
        return Error{Code::not_found, fmt::format("OrgTemplate {} has no revision yet", name)};
    }
    const std::string& running = found->status.artifact_digest;
    std::string from_name = since;
    if (from_name.empty()) {
        if (found->status.history.empty()) {
            return Error{Code::not_found,
                         fmt::format("the Org {} runs no revision yet: name one", org)};
        }
        from_name = found->status.history.front().revision;
    }
    const auto from = TRY(crds::find_revision(history, from_name, running));
    const auto until =
        to.empty() ? history.front() : TRY(crds::find_revision(history, to, running));
    const auto before = TRY(content_of(objects, trees, *source, from));
    const auto after = TRY(content_of(objects, trees, *source, until));
    return diff_of(org, before, after);
}

}  // namespace atelier::reconcilers::org
