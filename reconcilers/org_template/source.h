// The source of a template's files: git, a folder of the server, or the object itself.
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
#include "templates/finding.h"

namespace atelier::reconcilers {

// The operator's settings for `!external`.
struct ExternalOptions {
    templates::ExternalPolicy policy;
    std::string token;  // for the policy's host alone; empty: none
};

struct TemplateOrigin {
    std::unique_ptr<templates::TemplateFiles> files;
    std::optional<drivers::GitRemote> remote;  // from git
    // Empty for a source without commits: see revision_without_commit().
    std::string commit;
    std::vector<templates::Finding> warnings;  // about the repository, not about its content
};

// Opens the source that the spec names; blocks while it is fetched. `templates_root`: empty when
// the server has no folder of templates. Errors: those of drivers::Git; invalid, unsupported or
// not_found for a source that the spec names wrongly.
Result<TemplateOrigin> open_source(const crds::OrgTemplate& object, const Objects& objects,
                                   drivers::Git& git, const std::filesystem::path& templates_root);

// The repositories that the template may name with !external. Those on the template's own server
// are read with the template's own credential.
std::unique_ptr<templates::Externals> externals_of(const TemplateOrigin& origin, drivers::Git& git,
                                                   const ExternalOptions& options);

// Forwards reads to `files`, which outlives it, and computes a digest of everything that was read
// except `.env` files.
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

// The revision of a source without commits: a digest of the files that were read and, if there are
// values in `.env` files and a key, of the values under the key. So a change of values alone gives
// another revision, and no value can be guessed from a revision.
std::string revision_without_commit(const DigestedFiles& files,
                                    const std::vector<crds::TemplateExternal>& externals,
                                    const templates::EnvLayers& values, const std::string& key);
// The key for that, derived from the server's secret key for fingerprints; empty if that is empty.
std::string key_of_revisions(const std::string& fingerprint_key);

}  // namespace atelier::reconcilers
