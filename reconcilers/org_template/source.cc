#include "reconcilers/org_template/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/fingerprint.h"
#include "base/hex.h"
#include "base/text.h"
#include "reconcilers/common/git_remote.h"
#include "reconcilers/org_template/git_externals.h"
#include "reconcilers/org_template/source_warnings.h"
#include "templates/directory_files.h"
#include "templates/layers.h"
#include "templates/tree_files.h"

namespace atelier::reconcilers {
namespace {

Result<TemplateOrigin> open_git(const crds::GitSource& source, const std::string& ns,
                                const Objects& objects, drivers::Git& git) {
    if (!source.ref.empty()) TRY(drivers::check_ref(source.ref));
    std::string path = source.path;
    while (path.ends_with('/')) path.pop_back();
    if (!path.empty() && !is_safe_relative_path(path)) {
        return Error{Code::invalid, "source.git.path must be a relative path without \"..\""};
    }
    const drivers::GitRemote remote = TRY(git_remote(objects, ns, source.url, source.secret_ref));
    std::string commit = source.ref;
    std::vector<templates::Finding> warnings;
    if (!is_full_commit(commit)) {
        const auto refs = TRY(git.refs(remote));
        commit = TRY(drivers::resolve_ref(refs, source.ref)).commit;
        warnings = warnings_of_ref(refs, source.ref);
    }
    auto tree = TRY(git.fetch(remote, commit, path));
    if (const auto gaps = git.gaps(remote, commit, path)) {
        const auto more = warnings_of_gaps(*gaps);
        warnings.insert(warnings.end(), more.begin(), more.end());
    }
    return TemplateOrigin{templates::files_of_tree(std::move(tree)), remote, commit, warnings};
}

Result<TemplateOrigin> open_directory(const std::string& directory,
                                      const std::filesystem::path& root) {
    if (root.empty()) {
        return Error{Code::unsupported,
                     "this server has no folder of templates: start it with --org-templates"};
    }
    std::string path = directory;
    while (path.ends_with('/')) path.pop_back();
    if (!is_safe_relative_path(path)) {
        return Error{Code::invalid,
                     "source.directory must be a relative path without \"..\", below the server's "
                     "folder of templates"};
    }
    std::error_code error;
    if (!std::filesystem::is_directory(root / path, error)) {
        return Error{
            Code::not_found,
            fmt::format("there is no folder {} in the server's folder of templates", path)};
    }
    return TemplateOrigin{templates::files_of_directory(root / path, root), std::nullopt, "", {}};
}

}  // namespace

Result<TemplateOrigin> open_source(const crds::OrgTemplate& object, const Objects& objects,
                                   drivers::Git& git, const std::filesystem::path& templates_root) {
    const crds::TemplateSource& source = object.spec.source;
    const int given = (source.git ? 1 : 0) + (source.directory.empty() ? 0 : 1) +
                      (source.inline_yaml.empty() ? 0 : 1);
    if (given != 1) {
        return Error{Code::invalid, "source needs exactly one of git, directory and inline"};
    }
    if (source.git) return open_git(*source.git, object.meta.ns, objects, git);
    if (!source.directory.empty()) return open_directory(source.directory, templates_root);
    return TemplateOrigin{templates::files_of_text(source.inline_yaml), std::nullopt, "", {}};
}

std::unique_ptr<templates::Externals> externals_of(const TemplateOrigin& origin, drivers::Git& git,
                                                   const ExternalOptions& options) {
    std::vector<ExternalAccess> access;
    if (origin.remote && (origin.remote->credential || !origin.remote->ca_pem.empty())) {
        access.push_back({templates::origin_of_url(origin.remote->url), origin.remote->credential,
                          origin.remote->ca_pem});
    }
    const auto usual = templates::external_origin(options.policy.host);
    if (usual && !options.policy.host.empty() && !options.token.empty()) {
        access.push_back(
            {*usual,
             drivers::GitCredential{.username = "", .secret = options.token, .scheme = "token"},
             ""});
    }
    return external_repositories(git, options.policy, std::move(access));
}

Result<std::string> DigestedFiles::read(const std::string& path) {
    auto bytes = files_.read(path);
    if (bytes) note(path, *bytes);
    return bytes;
}

Result<drivers::Tree> DigestedFiles::folder(const std::string& path) {
    auto tree = files_.folder(path);
    if (tree) {
        for (const auto& [name, file] : *tree) note(path + "/" + name, file.bytes);
    }
    return tree;
}

void DigestedFiles::note(const std::string& path, const std::string& bytes) {
    if (templates::is_env_file(path)) return;
    read_.insert_or_assign(path, sha256_hex(bytes));
}

std::string DigestedFiles::digest(const std::vector<crds::TemplateExternal>& externals) const {
    Sha256 sum;
    for (const auto& [path, digest] : read_) sum.update(fmt::format("{}\n{}\n", path, digest));
    for (const auto& one : externals) sum.update(fmt::format("{}\n{}\n", one.url, one.commit));
    return sum.hex();
}

std::string revision_without_commit(const DigestedFiles& files,
                                    const std::vector<crds::TemplateExternal>& externals,
                                    const templates::EnvLayers& values, const std::string& key) {
    std::string digest = files.digest(externals);
    if (key.empty() || !templates::has_values(values)) return digest;
    return sha256_hex(digest + "\n" + templates::keyed_digest_of_values(values, key));
}

std::string key_of_revisions(const std::string& fingerprint_key) {
    if (fingerprint_key.empty()) return {};
    return keyed_digest(fingerprint_key, "revisions of what has no commit");
}

}  // namespace atelier::reconcilers
