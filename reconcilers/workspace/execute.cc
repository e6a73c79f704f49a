#include "reconcilers/workspace/execute.h"

#include <set>

#include "base/digest.h"
#include "base/text.h"
#include "crds/org.h"
#include "reconcilers/common/kept_volumes.h"
#include "reconcilers/environment/workspace_env.h"
#include "reconcilers/workspace/observe.h"

namespace atelier::reconcilers::workspace {
namespace {

using crds::PluginInstall;

constexpr Duration stop_grace = std::chrono::seconds(10);
constexpr Duration command_deadline = std::chrono::seconds(20);
constexpr int agent_uid = 1000;
constexpr std::string_view file_list = ".atelier-files";

// Success, when the runtime answers by this code that it is so already.
Result<void> done_if(Code fine, Result<void> result) {
    if (!result && result.error().code == fine) return {};
    return result;
}

}  // namespace

Result<void> Executor::execute(const Plan& plan) {
    for (const Action& action : plan.actions) {
        const std::string words = text(action);
        auto acted = std::visit([this](const auto& a) { return execute(a); }, action);
        const std::string verb = words.substr(0, words.find(' '));
        runtimes_.metrics
            .counter("atelier_workspace_actions_total", "Actions of the Workspace reconciler.",
                     {{"action", verb}, {"result", acted ? "done" : "failed"}})
            .add();
        if (!acted) return acted;
    }
    return {};
}

Result<drivers::Runtime*> Executor::runtime(const std::string& backend) const {
    if (drivers::Runtime* found = runtime_of(runtimes_, backend)) return found;
    return Error{Code::unavailable, "this server has no runtime \"" + backend + "\""};
}

Result<void> Executor::execute(const CreateInstall& action) {
    crds::Meta meta;
    meta.name = workspace_.meta.name + "." + action.plugin;
    meta.ns = workspace_.meta.ns;
    meta.owners = {workspace_.as_owner()};
    meta.labels[std::string(crds::label::workspace)] = workspace_.meta.name;
    meta.labels[std::string(crds::label::plugin)] = action.plugin;
    if (!workspace_.spec.org.empty()) {
        meta.labels[std::string(crds::label::org)] = workspace_.spec.org;
    }
    crds::PluginInstallSpec spec;
    spec.workspace = workspace_.meta.name;
    spec.plugin = action.plugin;
    spec.version = action.version;
    const auto created = objects_.create<PluginInstall>(meta, spec, now_);
    if (created || created.error().code == Code::already_exists) return {};
    return created.error();
}

Result<void> Executor::execute(const DeleteInstall& action) {
    for (const PluginInstall& install : observed_.installs) {
        if (install.meta.name != action.name) continue;
        return done_if(Code::not_found, objects_.remove(install, now_));
    }
    return {};
}

Result<void> Executor::execute(const FindImage& action) {
    const auto found = TRY(runtime())->image(action.image);
    if (found && found->id.empty()) {
        return Error{Code::unavailable,
                     "image \"" + action.image + "\" is being pulled" +
                         (found->progress.empty() ? "" : ": " + found->progress)};
    }
    if (found) return {};
    if (found.error().code != Code::not_found) return found.error();
    return Error{Code::not_found,
                 "image \"" + action.image +
                     "\" is not here and cannot be pulled; load or import "
                     "it there, or set another spec.image",
                 found.error().detail};
}

Result<void> Executor::execute(const ReadFiles&) {
    files_.clear();
    std::string list;
    for (const crds::WorkspaceFile& file : workspace_.spec.files) {
        drivers::File out;
        out.executable = file.executable;
        if (file.artifact) {
            auto bytes = runtimes_.trees.read(file.artifact->digest, file.artifact->path);
            if (!bytes && bytes.error().code == Code::not_found) {
                return Error{Code::unavailable, "the file \"" + file.path +
                                                    "\" is not here: its OrgTemplate must be "
                                                    "fetched again"};
            }
            if (!bytes) return bytes.error().in(file.path);
            if (!file.sha256.empty() && sha256_hex(*bytes) != file.sha256) {
                return Error{Code::invalid,
                             "the file \"" + file.path + "\" is not the one that its sha256 names"};
            }
            out.bytes = std::move(*bytes);
        } else {
            out.bytes = file.content;
        }
        files_.insert_or_assign(file.path, std::move(out));
    }
    for (const auto& [path, file] : files_) list += path + "\n";
    files_[std::string(file_list)].bytes = list;
    return {};
}

Result<void> Executor::execute(const EnsureNetwork&) {
    return TRY(runtime())->ensure_network(runtimes_.network, labels_of_server(runtimes_));
}

Result<void> Executor::execute(const EnsureVolume& action) {
    return TRY(runtime())->ensure_volume(action.name, labels_of_volume(runtimes_, workspace_.meta));
}

Result<void> Executor::execute(const PrepareFolder&) {
    drivers::Runtime* const place = TRY(runtime());
    return runtimes_.folders.prepare(*place, workspace_.meta.uid);
}

// In an image without rm, or in a unit that just ended, the files stay for now: atelier-agent,
// where there is one, removes them at its start. Only a runtime that does not answer is a failure.
Result<void> Executor::execute(const RemoveFiles& action) {
    std::vector<std::string> command = {"rm", "-f", "--"};
    for (const std::string& path : action.paths) {
        if (is_safe_relative_path(path)) command.push_back("/configs/" + path);
    }
    drivers::Runtime* const place = TRY(runtime(action.from.backend));
    const auto result = place->exec(action.from.unit.id, command, command_deadline);
    if (!result && result.error().code == Code::unavailable) return result.error();
    return {};
}

Result<void> Executor::execute(const Stop& action) {
    drivers::Runtime* const place = TRY(runtime(action.what.backend));
    return done_if(Code::not_found, place->stop(action.what.unit.id, stop_grace));
}

Result<void> Executor::execute(const RemoveUnit& action) {
    drivers::Runtime* const place = TRY(runtime(action.what.backend));
    return done_if(Code::not_found, place->remove(action.what.unit.id));
}

drivers::UnitSpec Executor::labelled_unit(std::int64_t attempt, std::int64_t restarts) const {
    drivers::UnitSpec unit = observed_.desired->unit;
    unit.labels = labels_of_workspace(runtimes_, workspace_.meta);
    const auto label = [&](std::string_view name, std::string value) {
        unit.labels[std::string(name)] = std::move(value);
    };
    label(unit_label::store, objects_.store().identity());
    label(unit_label::spec_hash, observed_.desired->spec_hash);
    label(unit_label::restart_digest, restart_digest(observed_.installs));
    label(unit_label::attempt, std::to_string(attempt));
    label(unit_label::restarts, std::to_string(restarts));
    label(unit_label::created_at, rfc3339(now_));
    label(unit_label::delivery, observed_.desired->mounted ? "mount" : "exec");
    label(unit_label::files, join(observed_.desired->files, "\n"));
    return unit;
}

Result<void> Executor::execute(const Create& action) {
    const drivers::UnitSpec unit = labelled_unit(action.attempt, action.restarts);
    auto id = TRY(runtime())->create(unit);
    if (!id && id.error().code == Code::already_exists) {
        return Error{
            Code::conflict,
            "a unit named \"" + unit.name + "\" exists and is not this server's; remove it",
            id.error().message};
    }
    if (!id) return std::move(id).error();
    unit_id_ = std::move(*id);
    return {};
}

Result<void> Executor::execute(const JoinNetwork& action) {
    return TRY(runtime())->join_network(action.unit_id, runtimes_.network, workspace_.meta.name);
}

// The labels are those of the workspace, so a trial that a crash leaves behind is found and
// removed.
Result<void> Executor::execute(const TryCreate&) {
    drivers::UnitSpec unit = labelled_unit(0, 0);
    unit.name += "-trial";
    drivers::Runtime* const place = TRY(runtime());
    const auto id = place->create(unit);
    if (!id) {
        return Error{
            id.error().code,
            "the runtime refuses the new unit, so the old one stays: " + id.error().message,
            id.error().detail};
    }
    return done_if(Code::not_found, place->remove(*id));
}

Result<void> Executor::execute(const WriteFiles&) {
    if (unit_id_.empty()) {
        const drivers::Unit* own = own_unit(workspace_, observed_);
        CHECK(own != nullptr);
        unit_id_ = own->id;
    }
    drivers::Runtime* const place = TRY(runtime());
    return place->upload(unit_id_, "/configs", files_, agent_uid, agent_uid);
}

Result<void> Executor::execute(const Start&) {
    drivers::Runtime* const place = TRY(runtime());
    const auto started = place->start(unit_id_);
    if (started || started.error().code != Code::conflict) return started;
    // The unit can never start again. Without it, the next reconcile creates a new one.
    TRY(done_if(Code::not_found, place->remove(unit_id_)));
    return Error{Code::unavailable,
                 "the runtime could not start the unit, which was removed and is created anew: " +
                     started.error().message,
                 started.error().detail};
}

Result<void> Executor::execute(const RemoveVolume& action) {
    drivers::Runtime* const place = TRY(runtime(action.backend));
    return done_if(Code::not_found, place->remove_volume(action.name));
}

// The Secret with the environment of this workspace, which is deleted with it.
Result<std::optional<crds::Secret>> Executor::own_env() const {
    auto secret = TRY(objects_.secret(workspace_.meta.ns, env_secret_name(workspace_.meta.name)));
    if (!secret || !secret->meta.controller()) return std::optional<crds::Secret>();
    return secret;
}

crds::DeletedWorkspaceSpec Executor::remains(const KeepVolumes& action, bool has_env) const {
    crds::DeletedWorkspaceSpec spec;
    spec.workspace = workspace_.meta.name;
    spec.uid = crds::volumes_uid(workspace_.meta);
    const crds::OwnerReference* owner = workspace_.meta.controller();
    if (owner && owner->kind == crds::OrgSpec::kind) {
        spec.org = owner->name;
        spec.org_uid = owner->uid;
    }
    spec.volumes = action.volumes;
    spec.spec = workspace_.spec;
    spec.has_env = has_env;
    spec.deleted_at = workspace_.meta.deleted_at;
    spec.expires_at = action.until;
    return spec;
}

Result<void> Executor::execute(const KeepVolumes& action) {
    const auto env = TRY(own_env());
    crds::Meta meta;
    meta.ns = workspace_.meta.ns;
    meta.name = deleted_workspace_name(workspace_.meta.name, crds::volumes_uid(workspace_.meta));
    meta.labels[std::string(crds::label::managed)] = "true";
    meta.labels[std::string(crds::label::workspace)] = workspace_.meta.name;
    if (!workspace_.spec.org.empty()) {
        meta.labels[std::string(crds::label::org)] = workspace_.spec.org;
    }
    meta.finalizers = {std::string(deleted_workspace_finalizer)};
    auto kept = TRY(objects_.find<crds::DeletedWorkspace>(meta.ns, meta.name));
    if (kept && (kept->being_deleted() || kept->spec.deleted_at != workspace_.meta.deleted_at)) {
        // It records an earlier deletion: this workspace had taken over the volumes since.
        TRY(objects_.release(*kept, deleted_workspace_finalizer, now_));
        if (!kept->being_deleted()) TRY(objects_.remove(*kept, now_));
        kept.reset();
    }
    if (!kept) {
        kept = TRY(
            objects_.create<crds::DeletedWorkspace>(meta, remains(action, env.has_value()), now_));
    }
    if (!env || !kept->spec.has_env) return {};
    crds::Secret copy;
    copy.meta.ns = meta.ns;
    copy.meta.name = env_secret_name(meta.name);
    copy.meta.labels = meta.labels;
    copy.meta.owners = {kept->as_owner()};
    copy.type = env->type;
    copy.data = env->data;
    const auto put = objects_.put_secret(copy, now_);
    if (!put) return put.error();
    return {};
}

Result<void> Executor::execute(const DestroyFolder&) {
    return runtimes_.folders.destroy(workspace_.meta.uid);
}

// The network stays while somebody else's container, or a workspace that is being deleted, is in
// it.
Result<void> Executor::execute(const RemoveNetwork&) {
    if (!is_last_of_server(objects_, workspace_.meta.uid)) return {};
    const std::set<std::string> backends = backends_of(workspace_, runtimes_);
    for (const auto& [name, place] : runtimes_.by_backend) {
        if (!backends.contains(name) || !place->capabilities().networks) continue;
        // ensure_network refuses a network of that name without our labels: it is not ours, and
        // stays.
        auto removed = place->ensure_network(runtimes_.network, labels_of_server(runtimes_));
        if (removed) removed = place->remove_network(runtimes_.network);
        if (!removed &&
            (removed.error().code == Code::unavailable || removed.error().code == Code::timeout)) {
            return removed;
        }
    }
    return {};
}

Result<void> Executor::execute(const LeaveChildren& action) {
    for (const std::string& name : action.names) {
        auto child = TRY(objects_.find<crds::Workspace>(workspace_.meta.ns, name));
        if (!child || child->spec.parent != workspace_.meta.name) continue;
        child->spec.parent.clear();
        const auto written = objects_.update(*child, now_);
        // An object that admission refuses today stays as it is and does not block the deletion.
        if (!written && written.error().code == Code::invalid) continue;
        if (!written) return written.error();
        objects_.event(
            *child, crds::EventType::normal, "ParentGone",
            "its parent " + workspace_.meta.name + " was deleted: it has no parent any more", now_);
    }
    return {};
}

Result<void> Executor::execute(const Release&) {
    return objects_.release(workspace_, workspace_finalizer, now_);
}

}  // namespace atelier::reconcilers::workspace
