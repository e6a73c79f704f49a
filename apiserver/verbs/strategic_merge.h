// Strategic merge patch, as far as the core kinds that we serve have merged lists.
// https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
#pragma once

#include "base/json.h"
#include "base/result.h"

namespace atelier::apiserver {

// Lists merged by a key: metadata.ownerReferences (uid), status.conditions (type), secrets and
// imagePullSecrets (name); as a set: metadata.finalizers. All other lists are replaced. The
// directives $patch, $retainKeys, $deleteFromPrimitiveList and $setElementOrder are obeyed;
// deletions come before what is merged. Costs n log n of the two sizes.
Result<void> apply_strategic_merge(json::Value& target, const json::Value& patch,
                                   json::Allocator& allocator);

}  // namespace atelier::apiserver
