#include "apiserver/webhooks/push.h"

#include <algorithm>

#include "apiserver/http/target.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

constexpr std::string_view of_branches = "refs/heads/";
constexpr std::string_view of_tags = "refs/tags/";
constexpr std::string_view form_field = "payload";

// Whether a template's ref, which may be written in full or as the name of a branch or tag, can
// mean the ref that was pushed.
bool may_mean(const std::string& ref, const Push& push) {
    if (ref.empty() || ref == "HEAD") {
        if (!push.ref.starts_with(of_branches)) return false;
        return push.default_branch.empty() ||
               push.ref.substr(of_branches.size()) == push.default_branch;
    }
    if (is_full_commit(lower(ref))) return false;  // a commit never moves
    return push.ref == ref || push.ref == "refs/" + ref || push.ref == std::string(of_tags) + ref ||
           push.ref == std::string(of_branches) + ref;
}

}  // namespace

std::optional<Push> push_of(std::string_view body) {
    Result<FormFields> form = FormFields();
    if (body.starts_with(form_field)) form = parse_form(body);
    if (form && !form->empty() && form->front().first == form_field) body = form->front().second;
    const auto event = json::parse(body);
    if (!event || !event->IsObject()) return std::nullopt;
    Push push{json::string_at(*event, {"ref"}),
              json::string_at(*event, {"repository", "default_branch"})};
    if (push.default_branch.empty()) {
        push.default_branch = json::string_at(*event, {"project", "default_branch"});
    }
    const bool known = push.ref.starts_with(of_branches) || push.ref.starts_with(of_tags);
    return known ? std::optional(std::move(push)) : std::nullopt;
}

bool may_concern(const Push& push, const crds::OrgTemplate& source) {
    if (!source.spec.source.git) return true;
    // Which repositories it includes is known only once its newest generation was compiled.
    const bool known = source.status.observed_generation == source.meta.generation &&
                       source.status.is_true(crds::condition::ready);
    if (!known || may_mean(source.spec.source.git->ref, push)) return true;
    const auto& externals = source.status.externals;
    return std::any_of(externals.begin(), externals.end(),
                       [&](const auto& external) { return may_mean(external.ref, push); });
}

}  // namespace atelier::apiserver
