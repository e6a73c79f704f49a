// Revisions of a template as an Org names them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crds/org.h"
#include "crds/org_template.h"

namespace atelier::crds {

namespace annotation {
// On an Org, beside spec.revision: "<that revision> <who asked for it>". Counts only while it names
// what spec.revision says, so that a pin set without it is not taken for that person's.
inline constexpr std::string_view revision_by = "atelier.dev/revision-by";
}  // namespace annotation

inline constexpr std::size_t shortest_revision = 7;
inline constexpr std::size_t shortest_digest = 12;

// Whether `text` is a revision's name: the revision or the digest of the artifact, whole, or a
// beginning of it that is no shorter than the two lengths above. "sha256:" may precede a digest.
bool is_named(const TemplateRevision& revision, std::string_view text);

// The one revision of `history` (the newest first) that `text` names. One commit may have compiled
// to several artifacts, since other repositories belong to it too: then it is the one with the
// artifact `running`, else the newest. not_found says what the history has.
Result<TemplateRevision> find_revision(const std::vector<TemplateRevision>& history,
                                       std::string_view text, std::string_view running = {});

// "1a2b3c4d5e6f" of a commit or digest; other names as they are.
std::string short_revision(std::string_view revision);

// Who asked for spec.revision; "api" when that is not known.
std::string person_of_revision(const Org& org);
// What annotation::revision_by must say for that.
std::string revision_by_text(std::string_view revision, std::string_view person);

}  // namespace atelier::crds
