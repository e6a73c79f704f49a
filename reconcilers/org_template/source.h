// Where a template's files come from: git, a folder of the server, or the object itself.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "crds/org_template.h"
#include "drivers/git/git.h"
#include "reconcilers/common/objects.h"
#include "templates/compiled.h"
#include "templates/externals.h"
#include "templates/files.h"

namespace atelier::reconcilers {

// The operator's settings for `!external`.
struct ExternalOptions {
    templates::ExternalPolicy policy;
    std::string token;  // for the policy's host alone; empty: none
};

struct TemplateOrigin {
    std::unique_ptr<templates::TemplateFiles> files;
    std::optional<drivers::GitRemote> remote;  // from git
    // The commit; empty where only what is read tells (see revision_without_commit).
    std::string commit;
};

// Reads what the spec names. `templates_root` may be empty: the server has no folder of templates.
Result<TemplateOrigin> open_source(const crds::OrgTemplate& object, const Objects& objects,
                                   drivers::Git& git, const std::filesystem::path& templates_root);

// The repositories that a template of that origin may use. What is on the template's own server is
// read with the template's own credential.
std::unique_ptr<templates::Externals> externals_of(const TemplateOrigin& origin, drivers::Git& git,
                                                   const ExternalOptions& options);

// Passes reads on, and adds up a digest of everything that was read but `.env` files, and of the
// commits of other repositories. `files` outlives it.
class DigestedFiles final : public templates::TemplateFiles {
  public:
    explicit DigestedFiles(templates::TemplateFiles& files) : files_(files) {}
    Result<std::string> read(const std::string& path) override;
    Result<drivers::Tree> folder(const std::string& path) override;
    std::string digest(const std::vector<crds::TemplateExternal>& externals) const;

  private:
    void note(const std::string& path, const std::string& bytes);
    templates::TemplateFiles& files_;
    std::map<std::string, std::string> read_;  // path to digest
};

// The revision of what has no commit: a digest of the files that were read and, when there are
// values in `.env` files and a key, of those under the key. So a change of values alone is another
// revision, and no value can be guessed from one.
std::string revision_without_commit(const DigestedFiles& files,
                                    const std::vector<crds::TemplateExternal>& externals,
                                    const templates::EnvLayers& values, const std::string& key);
// That key, made of the server's secret one for fingerprints; empty when that is.
std::string key_of_revisions(const std::string& fingerprint_key);

}  // namespace atelier::reconcilers
