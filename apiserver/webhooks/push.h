// Whether the push that a webhook reports may change what a template reads. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crds/org_template.h"

namespace atelier::apiserver {

struct Push {
    std::string ref;             // "refs/heads/main", "refs/tags/v1"
    std::string default_branch;  // "main", as the repository's HEAD is; empty: unknown
};

// The push in a body as GitHub, Gitea and GitLab send it: JSON with `ref` and
// `repository.default_branch` or `project.default_branch`, also in the field `payload` of a form.
// nullopt: the body does not report a push to a branch or tag in one of these forms.
std::optional<Push> push_of(std::string_view body);

// Whether that push may change what the template reads: its own ref may mean the one that was
// pushed, or that of an `!external` may. Whatever is not known counts as yes.
bool may_concern(const Push& push, const crds::OrgTemplate& source);

}  // namespace atelier::apiserver
