#include "crds/deleted_workspace.h"

#include "base/json_members.h"
#include "crds/rules/rules.h"

namespace atelier::crds {

// What it was is a record. How long it is kept, and whether it is wanted back, is for people to
// say.
void deleted_workspace_rule(const json::Value& object, const json::Value* old, const Lookup&,
                            std::vector<Cause>& causes) {
    Findings findings(causes);
    const auto spec = json::read<DeletedWorkspaceSpec>(object["spec"]);
    if (!spec) return findings.unreadable(spec.error());
    if (!old) return;
    const json::Value* before = json::find(*old, {"spec"});
    if (!before) return;
    for (const std::string_view field :
         {"workspace", "uid", "org", "orgUID", "volumes", "spec", "hasEnv", "deletedAt"}) {
        const json::Value* was = json::find(*before, {field});
        const json::Value* now = json::find(object["spec"], {field});
        if (was && now ? json::equal(*was, *now) : was == now) continue;
        findings.forbidden("spec." + std::string(field),
                           "it is a record of what was, and cannot be changed");
    }
}

}  // namespace atelier::crds
