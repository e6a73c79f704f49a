#include "forecast/affected_workspaces.h"

#include "crds/plugin_policy.h"
#include "crds/plugin_update.h"
#include "reconcilers/common/classify.h"
#include "reconcilers/plugin_install/policy.h"

namespace atelier::forecast {
namespace {

using crds::Workspace;

class Finder {
  public:
    explicit Finder(ForecastContext& context) : context_(context) {}

    Result<AffectedWorkspaces> find() {
        const auto changed = context_.overlay.changed();
        find_readers(changed);
        TRY(find_plugins());
        for (const auto& [key, change] : changed) {
            if (key.resource == crds::WorkspaceSpec::resource) add_affected(key, key);
        }
        return std::move(out_);
    }

  private:
    // Workspaces that read a Secret or ConfigMap that changes. A Secret that an Org writes for one
    // workspace carries that workspace's name as a label; for any other, the bodies of all
    // workspaces are searched for its name, which is faster than decoding them.
    void find_readers(const std::map<Key, store::Overlay::Changed>& changed) {
        std::set<Key> names;
        for (const auto& [key, change] : changed) {
            if (!holds_values(key.resource) || values_of(change.before) == values_of(change.after))
                continue;
            const store::Object& one = change.after ? *change.after : *change.before;
            if (const std::string name = one.meta.label(crds::label::workspace); !name.empty()) {
                add_affected({std::string(crds::WorkspaceSpec::resource), key.ns, name}, key);
            } else {
                names.insert(key);
            }
        }
        if (names.empty()) return;
        const auto all = context_.overlay.list(crds::WorkspaceSpec::resource);
        for (const auto& object : all->objects) {
            if (object->key.ns != context_.request.ns) continue;
            for (const Key& key : names) {
                const bool reads = object->body.find("\"" + key.name + "\"") != std::string::npos;
                if (reads) add_affected(object->key, key);
            }
        }
    }

    // A proposed source is written whether the Org of the workspace is suspended or not.
    void add_affected(const Key& workspace, const Key& source) {
        out_.workspaces.insert(workspace);
        if (context_.proposes(source)) out_.direct.insert(workspace);
    }

    // Plugins that get another version in workspaces that do not change themselves: by a proposed
    // approval of a PluginUpdate, or by a proposed PluginInstall.
    Result<void> find_plugins() {
        std::map<std::string, std::string> approved;  // plugin -> digest
        for (const ProposedObject& proposed : context_.result.proposed) {
            if (proposed.key.resource != crds::PluginUpdate::Spec::resource) continue;
            const auto update =
                TRY(context_.after.find<crds::PluginUpdate>(proposed.key.ns, proposed.key.name));
            const auto old =
                TRY(context_.before.find<crds::PluginUpdate>(proposed.key.ns, proposed.key.name));
            const bool decides = update && update->spec.decision == crds::Decision::approve &&
                                 (!old || old->spec.decision == crds::Decision::none);
            if (decides) approved[update->spec.plugin] = update->spec.to.digest;
        }
        if (context_.proposes_any(crds::PluginPolicySpec::resource)) TRY(find_denied());
        if (approved.empty() && !context_.proposes_any(crds::PluginInstallSpec::resource))
            return {};
        for (const auto& install :
             TRY(context_.after.list<crds::PluginInstall>(context_.request.ns))) {
            const auto old =
                TRY(context_.before.find<crds::PluginInstall>(install.meta.ns, install.meta.name));
            const auto update = approved.find(install.spec.plugin);
            const std::string was = old ? old->spec.version.digest : std::string();
            const std::string is =
                update == approved.end() ? install.spec.version.digest : update->second;
            if (was == is) continue;
            const Key key{std::string(crds::WorkspaceSpec::resource), install.meta.ns,
                          install.spec.workspace};
            out_.plugins[key].push_back({install.spec.plugin, class_of(was, is)});
            out_.workspaces.insert(key);
            out_.direct.insert(key);
        }
        return {};
    }

    // Workspaces that lose or get a plugin because a PluginPolicy changes.
    Result<void> find_denied() {
        for (const auto& install :
             TRY(context_.after.list<crds::PluginInstall>(context_.request.ns))) {
            const auto workspace =
                TRY(context_.after.find<Workspace>(install.meta.ns, install.spec.workspace));
            if (!workspace) continue;
            const std::string& org = workspace->spec.org;
            const std::string& plugin = install.spec.plugin;
            const auto was = TRY(
                reconcilers::policy_that_denies(context_.before, context_.request.ns, plugin, org));
            const auto is = TRY(
                reconcilers::policy_that_denies(context_.after, context_.request.ns, plugin, org));
            if (was.empty() == is.empty()) continue;
            out_.workspaces.insert(workspace->key());
            out_.direct.insert(workspace->key());
        }
        return {};
    }

    crds::ChangeClass class_of(const std::string& was, const std::string& is) const {
        const auto before = context_.dependencies.trees.manifest(was);
        const auto after = context_.dependencies.trees.manifest(is);
        if (!before || !after) return crds::ChangeClass::cold;
        return reconcilers::classify(*before, *after);
    }

    ForecastContext& context_;
    AffectedWorkspaces out_;
};

}  // namespace

Result<AffectedWorkspaces> find_affected_workspaces(ForecastContext& context) {
    return Finder(context).find();
}

}  // namespace atelier::forecast
