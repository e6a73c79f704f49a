#include "reconcilers/preview/concerned.h"

#include "crds/plugin_policy.h"
#include "crds/plugin_update.h"
#include "reconcilers/classify.h"
#include "reconcilers/plugin_install/policy.h"

namespace atelier::reconcilers::preview {
namespace {

using crds::Workspace;

class Finder {
  public:
    explicit Finder(Scene& scene) : scene_(scene) {}

    Result<Concerned> find() {
        const auto changed = scene_.overlay.changed();
        find_readers(changed);
        TRY(find_plugins());
        for (const auto& [key, change] : changed) {
            if (key.resource == crds::WorkspaceSpec::resource) concern(key, key);
        }
        return std::move(out_);
    }

  private:
    // Workspaces whose environment comes from a Secret or ConfigMap that changes. Those that an Org
    // makes for one workspace carry its name.
    void find_readers(const std::map<Key, Overlay::Changed>& changed) {
        std::set<Key> names;
        for (const auto& [key, change] : changed) {
            if (!holds_values(key.resource) || values_of(change.before) == values_of(change.after))
                continue;
            const store::Object& one = change.after ? *change.after : *change.before;
            if (const std::string name = one.meta.label(crds::label::workspace); !name.empty()) {
                concern({std::string(crds::WorkspaceSpec::resource), key.ns, name}, key);
            } else {
                names.insert(key);
            }
        }
        if (names.empty()) return;
        const auto all = scene_.overlay.list(crds::WorkspaceSpec::resource);
        for (const auto& object : all->objects) {
            if (object->key.ns != scene_.question.ns) continue;
            for (const Key& key : names) {
                const bool reads = object->body.find("\"" + key.name + "\"") != std::string::npos;
                if (reads) concern(object->key, key);
            }
        }
    }

    // What is given is written whether the Org of the workspace is suspended or not.
    void concern(const Key& workspace, const Key& source) {
        out_.workspaces.insert(workspace);
        if (scene_.gives(source)) out_.direct.insert(workspace);
    }

    // Plugins that get another version in workspaces that do not change themselves: by an update
    // that is approved, or an install that is given one.
    Result<void> find_plugins() {
        std::map<std::string, std::string> approved;  // plugin -> digest
        for (const Candidate& candidate : scene_.answer.candidates) {
            if (candidate.key.resource != crds::PluginUpdate::Spec::resource) continue;
            const auto update =
                TRY(scene_.after.find<crds::PluginUpdate>(candidate.key.ns, candidate.key.name));
            const auto old =
                TRY(scene_.before.find<crds::PluginUpdate>(candidate.key.ns, candidate.key.name));
            const bool decides = update && update->spec.decision == crds::Decision::approve &&
                                 (!old || old->spec.decision == crds::Decision::none);
            if (decides) approved[update->spec.plugin] = update->spec.to.digest;
        }
        if (scene_.gives_any(crds::PluginPolicySpec::resource)) TRY(find_denied());
        if (approved.empty() && !scene_.gives_any(crds::PluginInstallSpec::resource)) return {};
        for (const auto& install :
             TRY(scene_.after.list<crds::PluginInstall>(scene_.question.ns))) {
            const auto old =
                TRY(scene_.before.find<crds::PluginInstall>(install.meta.ns, install.meta.name));
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

    // Workspaces that lose a plugin, or get one, by what PluginPolicies say.
    Result<void> find_denied() {
        for (const auto& install :
             TRY(scene_.after.list<crds::PluginInstall>(scene_.question.ns))) {
            const auto workspace =
                TRY(scene_.after.find<Workspace>(install.meta.ns, install.spec.workspace));
            if (!workspace) continue;
            const std::string& org = workspace->spec.org;
            const std::string& plugin = install.spec.plugin;
            const auto was =
                TRY(policy_that_denies(scene_.before, scene_.question.ns, plugin, org));
            const auto is = TRY(policy_that_denies(scene_.after, scene_.question.ns, plugin, org));
            if (was.empty() == is.empty()) continue;
            out_.workspaces.insert(workspace->key());
            out_.direct.insert(workspace->key());
        }
        return {};
    }

    crds::ChangeClass class_of(const std::string& was, const std::string& is) const {
        const auto before = scene_.tools.trees.manifest(was);
        const auto after = scene_.tools.trees.manifest(is);
        if (!before || !after) return crds::ChangeClass::cold;
        return classify(*before, *after);
    }

    Scene& scene_;
    Concerned out_;
};

}  // namespace

Result<Concerned> find_concerned(Scene& scene) {
    return Finder(scene).find();
}

}  // namespace atelier::reconcilers::preview
