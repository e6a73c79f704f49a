#include "reconcilers/plugin/upstream.h"

#include <fmt/format.h>

#include "base/text.h"
#include "crds/plugin_source.h"
#include "drivers/trees/read_tree.h"
#include "reconcilers/common/git_remote.h"
#include "reconcilers/plugin/content.h"
#include "reconcilers/plugin/source.h"

namespace atelier::reconcilers::plugin {
namespace {

using crds::Plugin;
using crds::PluginSource;
using crds::PluginVersion;
using Failure = Check::Failure;
using Stage = Failure::Stage;

Check failed(Stage stage, const Error& error) {
    Check check;
    check.failure = {stage, error};
    return check;
}

// A tree that was read and is wrong in itself, rather than one that could not be read.
Stage stage_of(const Error& error) {
    return error.code == Code::invalid ? Stage::content : Stage::source;
}

std::string folder_of(const Plugin& plugin) {
    const std::string& path = plugin.spec.path;
    return path.substr(0, path.find_last_not_of('/') + 1);
}

// What the same spec led to before.
const PluginVersion* known(const Plugin& plugin, const std::string& commit) {
    const crds::PluginStatus& status = plugin.status;
    if (status.observed_generation != plugin.meta.generation) return nullptr;
    for (const auto* version : {&status.latest, &status.approved}) {
        if (*version && !commit.empty() && (*version)->commit == commit) return &**version;
    }
    return nullptr;
}

// Cleans, verifies and keeps a tree.
struct Kept {
    std::optional<Failure> failure;
    PluginVersion version;
};
Kept keep_tree(drivers::TreeStore& trees, const Plugin& plugin, const drivers::Tree& tree,
               const drivers::GitRef& ref) {
    const auto content = clean(tree);
    if (!content) return {Failure{Stage::content, content.error()}, {}};
    const auto verified = verify(*content, plugin.spec.sha256);
    if (!verified) return {Failure{Stage::content, verified.error()}, {}};
    const auto digest = trees.put(*content);
    if (!digest) return {Failure{stage_of(digest.error()), digest.error()}, {}};
    return {std::nullopt, {ref.commit, *digest, ref.name}};
}

}  // namespace

// One look at a git remote.
struct Upstream::Look {
    const Upstream& upstream;
    const Plugin& plugin;
    const PluginSource& source;
    const crds::Track& track;
    drivers::GitRemote remote;
    std::vector<drivers::GitRef> refs;

    // `commit` when it is one already, so that a pinned source needs no list of refs.
    static bool needs_refs(const crds::Track& track, const std::string& source_ref) {
        if (track.kind == crds::Track::Kind::commit) return false;
        return track.kind != crds::Track::Kind::none || !is_commit_id(source_ref);
    }

    Kept take(const Result<drivers::GitRef>& ref) const {
        if (!ref) return {Failure{Stage::source, ref.error().in("git " + remote.url)}, {}};
        const PluginVersion* before = known(plugin, ref->commit);
        if (before && upstream.trees_.manifest(before->digest)) {
            return {std::nullopt, {before->commit, before->digest, ref->name}};
        }
        const auto tree = upstream.git_.fetch(remote, ref->commit, folder_of(plugin));
        if (!tree) return {Failure{stage_of(tree.error()), tree.error()}, {}};
        return keep_tree(upstream.trees_, plugin, **tree, *ref);
    }

    Check look() {
        const bool first_wanted = !plugin.status.approved;
        // A source with a ref of its own begins there; the track only says what comes after.
        const bool first_apart =
            first_wanted && !source.ref.empty() && track.kind != crds::Track::Kind::none;
        if (needs_refs(track, source.ref) || (first_apart && !is_commit_id(source.ref))) {
            auto listed = upstream.git_.refs(remote);
            if (!listed) return failed(Stage::source, listed.error());
            refs = *std::move(listed);
        }
        Check check;
        if (first_apart) {
            const Kept first = take(resolve_source(refs, source.ref));
            if (first.failure) return failed(first.failure->stage, first.failure->error);
            check.first = first.version;
        }
        const Kept latest = take(resolve_track(refs, track, source.ref));
        if (latest.failure) {
            check.failure = latest.failure;
            return check;
        }
        check.latest = latest.version;
        if (first_wanted && !first_apart) check.first = latest.version;
        return check;
    }
};

Check Upstream::look(const Plugin& plugin) const {
    const auto source = crds::parse_plugin_source(plugin.spec.source);
    if (!source) return failed(Stage::spec, source.error().in("spec.source"));
    const auto track = crds::parse_track(plugin.spec.track);
    if (!track) return failed(Stage::spec, track.error().in("spec.track"));
    const std::string folder = folder_of(plugin);
    if (!folder.empty()) {
        const auto checked = drivers::check_tree_path(folder);
        if (!checked) return failed(Stage::spec, checked.error().in("spec.path"));
    }
    if (source->scheme == PluginSource::Scheme::local) {
        if (track->kind != crds::Track::Kind::none) {
            return failed(Stage::spec,
                          {Code::invalid, "spec.track: a local source has nothing to track"});
        }
        return look_local(plugin, source->name);
    }
    auto remote = git_remote(objects_, plugin.meta.ns, repository_url(*source, options_.github_url),
                             plugin.spec.secret_ref);
    if (!remote) return failed(Stage::source, remote.error());
    return Look{*this, plugin, *source, *track, *std::move(remote), {}}.look();
}

Check Upstream::look_local(const Plugin& plugin, const std::string& name) const {
    const auto tree = read(plugin, "");
    if (!tree) return failed(stage_of(tree.error()), tree.error().in("local://" + name));
    const Kept kept = keep_tree(trees_, plugin, *tree, {"", ""});
    if (kept.failure) return failed(kept.failure->stage, kept.failure->error);
    Check check;
    check.latest = kept.version;
    if (!plugin.status.approved) check.first = kept.version;
    return check;
}

// The files of a commit, or of the local folder.
Result<drivers::Tree> Upstream::read(const Plugin& plugin, const std::string& commit) const {
    const crds::PluginSource source = TRY(crds::parse_plugin_source(plugin.spec.source));
    const std::string folder = folder_of(plugin);
    if (source.scheme == PluginSource::Scheme::local) {
        if (options_.directory.empty()) {
            return Error{Code::unsupported,
                         "this server has no folder of plugins: start it with --plugins"};
        }
        auto tree = TRY(drivers::read_tree(options_.directory / source.name));
        if (folder.empty()) return tree;
        drivers::Tree below = drivers::subtree(tree, folder);
        if (!below.empty()) return below;
        return Error{Code::not_found, fmt::format("the plugin has no folder \"{}\"", folder)};
    }
    const drivers::GitRemote remote =
        TRY(git_remote(objects_, plugin.meta.ns, repository_url(source, options_.github_url),
                       plugin.spec.secret_ref));
    const drivers::TreePtr tree = TRY(git_.fetch(remote, commit, folder));
    return *tree;
}

Result<void> Upstream::keep(const Plugin& plugin, const PluginVersion& version) const {
    const auto kept = trees_.manifest(version.digest);
    if (kept) return {};
    if (kept.error().code != Code::not_found) return kept.error();
    const drivers::Tree tree = TRY(read(plugin, version.commit));
    const drivers::Tree content = TRY(clean(tree));
    if (drivers::digest_of(drivers::manifest_of(content)) != version.digest) {
        return Error{
            Code::not_found,
            fmt::format("the content of version {} was lost, and its source has another "
                        "content now",
                        (version.commit.empty() ? version.digest : version.commit).substr(0, 7))};
    }
    TRY(trees_.put(content));
    return {};
}

}  // namespace atelier::reconcilers::plugin
