#include "cli/verbs/delete_workspaces.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <ostream>
#include <set>

#include "base/text.h"
#include "cli/output/text_table.h"
#include "crds/deleted_workspace.h"
#include "crds/org.h"

namespace atelier::cli {
namespace {

using crds::Workspace;

bool is_of(const Awaited& object, std::string_view resource) {
    return object.resource.plural + "." + object.resource.group == resource;
}

// The Workspaces of one namespace, by parent.
class Family {
  public:
    explicit Family(std::vector<Workspace> members) : members_(std::move(members)) {}

    const Workspace* find(const std::string& name) const {
        for (const Workspace& member : members_) {
            if (member.meta.name == name) return &member;
        }
        return nullptr;
    }
    std::vector<const Workspace*> children(const std::string& parent) const {
        std::vector<const Workspace*> out;
        for (const Workspace& member : members_) {
            if (member.spec.parent == parent && !member.being_deleted()) out.push_back(&member);
        }
        return out;
    }
    // Appends `name` and everything below it to `out`, the deepest first, `name` last.
    void collect(const std::string& name, std::set<std::string>& seen,
                 std::vector<std::string>& out) const {
        if (!seen.insert(name).second) return;
        for (const Workspace* child : children(name)) collect(child->meta.name, seen, out);
        out.push_back(name);
    }

  private:
    std::vector<Workspace> members_;
};

Result<Family> family_of(Client& client, const Resource& resource, const std::string& ns) {
    std::vector<Workspace> members;
    for (const auto& item : TRY(client.items(resource, ns))) {
        members.push_back(TRY(crds::decode<Workspace>(static_cast<const json::Value&>(item))));
    }
    return Family(std::move(members));
}

Error refusal(const std::string& parent, const std::vector<const Workspace*>& children) {
    std::vector<std::string> names;
    for (const Workspace* child : children) names.push_back(child->meta.name);
    return {Code::conflict,
            "workspace \"" + parent + "\" has " + std::to_string(names.size()) +
                (names.size() == 1 ? " child" : " children") + ": " + join(names, ", ") +
                "; decide with --children=delete (with everything below them) or --children=leave"};
}

Result<void> detach(Session& session, Client& client, const Awaited& parent,
                    const std::vector<const Workspace*>& children) {
    for (const Workspace* child : children) {
        if (child->meta.controller()) continue;
        json::Document patch(rapidjson::kObjectType);
        auto& allocator = patch.GetAllocator();
        json::set(json::object_at(patch, "spec", allocator), "parent", json::Value(), allocator);
        TRY(client.merge_patch(parent.resource, parent.ns, child->meta.name, patch));
        session.out() << name_of_object(parent.resource, child->meta.name)
                      << " has no parent any more\n";
    }
    return {};
}

void warn_of_owner(Session& session, const Workspace* workspace) {
    const crds::OwnerReference* owner = workspace ? workspace->meta.controller() : nullptr;
    if (!owner || owner->kind != crds::OrgSpec::kind) return;
    session.warn("\"" + workspace->meta.name + "\" belongs to the Org " + owner->name +
                 ", which makes it again while its template has it; to remove it for good, take it "
                 "out of the template");
}

Result<void> settle_in(Session& session, Client& client, std::vector<Awaited>& objects,
                       const std::vector<Awaited>& parents, bool dry_run) {
    const Family family = TRY(family_of(client, parents.front().resource, parents.front().ns));
    const std::string how = session.arguments.text("children");
    std::set<std::string> named;
    for (const Awaited& parent : parents) named.insert(parent.name);
    for (const Awaited& parent : parents) {
        warn_of_owner(session, family.find(parent.name));
        std::vector<const Workspace*> left = family.children(parent.name);
        std::erase_if(left,
                      [&](const Workspace* child) { return named.contains(child->meta.name); });
        if (left.empty()) continue;
        if (how.empty()) return refusal(parent.name, left);
        if (how == "leave") {
            if (!dry_run) TRY(detach(session, client, parent, left));
            continue;
        }
        std::vector<std::string> all;
        for (const Workspace* child : left) family.collect(child->meta.name, named, all);
        auto at = std::find_if(objects.begin(), objects.end(), [&](const Awaited& object) {
            return object.name == parent.name && object.ns == parent.ns &&
                   object.resource.plural == parent.resource.plural;
        });
        for (const std::string& name : all) {
            at = objects.insert(at, Awaited{parent.resource, parent.ns, name}) + 1;
        }
    }
    return {};
}

}  // namespace

Result<void> settle_children(Session& session, Client& client, std::vector<Awaited>& objects,
                             bool dry_run) {
    const std::string how = session.arguments.text("children");
    if (!how.empty() && how != "delete" && how != "leave") {
        return Error{Code::invalid, "--children is delete or leave, not \"" + how + "\""};
    }
    std::map<std::string, std::vector<Awaited>> by_namespace;
    for (const Awaited& object : objects) {
        if (is_of(object, crds::WorkspaceSpec::resource)) by_namespace[object.ns].push_back(object);
    }
    for (const auto& [ns, parents] : by_namespace) {
        TRY(settle_in(session, client, objects, parents, dry_run));
    }
    return {};
}

Result<std::string> keep_volumes_until(const Session& session) {
    const std::string text = session.arguments.text("keep-volumes");
    if (text.empty()) return std::string();
    Duration time{};
    int days = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), days);
    if (error == std::errc() && std::string_view(end) == "d" && days > 0 && days <= 36500) {
        time = std::chrono::hours(24 * days);
    } else {
        const auto parsed = parse_duration(text);
        if (!parsed) return parsed.error().in("--keep-volumes");
        time = *parsed;
    }
    if (time <= Duration::zero()) {
        return Error{Code::invalid, "--keep-volumes: must be a time above zero, such as 12h or 7d"};
    }
    return rfc3339(session.now() + time);
}

namespace {

Result<void> set_mark(Client& client, const Awaited& object, const std::string& until) {
    json::Document patch(rapidjson::kObjectType);
    auto& allocator = patch.GetAllocator();
    json::Value& notes =
        json::object_at(json::object_at(patch, "metadata", allocator), "annotations", allocator);
    if (until.empty()) {
        json::set(notes, crds::annotation::keep_volumes_until, json::Value(), allocator);
    } else {
        json::set(notes, crds::annotation::keep_volumes_until, until, allocator);
    }
    const auto done = client.merge_patch(object.resource, object.ns, object.name, patch);
    if (!done) return done.error();
    return {};
}

}  // namespace

Result<void> mark_to_keep(Client& client, const Awaited& object, const std::string& until) {
    if (!is_of(object, crds::WorkspaceSpec::resource) && !is_of(object, crds::OrgSpec::resource)) {
        return Error{Code::invalid, "--keep-volumes is for workspaces and orgs, not for " +
                                        object.resource.plural};
    }
    return set_mark(client, object, until);
}

Result<void> unmark(Client& client, const Awaited& object) {
    return set_mark(client, object, "");
}

}  // namespace atelier::cli
