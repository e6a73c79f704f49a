// What Workspace, Org and DeletedWorkspace agree on about volumes that outlive their workspace.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "crds/deleted_workspace.h"
#include "crds/workspace.h"
#include "drivers/runtime.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/common/runtimes.h"

namespace atelier::reconcilers {

inline constexpr std::string_view workspace_finalizer = "atelier.dev/workspace";
inline constexpr std::string_view deleted_workspace_finalizer = "atelier.dev/deletedworkspace";

// "acme-qa.0a1b2c3d": a DeletedWorkspace, by the name that the workspace had and the uid that its
// volumes are named after.
std::string deleted_workspace_name(const std::string& workspace, const std::string& volumes_uid);

// Until when the volumes of a deleted workspace are kept (its annotation keep-volumes-until);
// nullopt: they are removed with it. A time that cannot be parsed counts as a week from the
// deletion, because whoever wrote it wanted the volumes kept.
std::optional<Instant> keep_volumes_until(const crds::Meta& workspace, Instant now);

// An existing Workspace whose volumes are named after a given uid.
struct VolumesHolder {
    std::string name;
    std::string uid;
    bool being_deleted = false;
    bool owned = false;  // by an Org
    bool bound = true;   // it has its finalizer, so it passes the volumes on before it goes
};
// Sorted by name, without the one whose own uid is `except`.
std::vector<VolumesHolder> holders_of_volumes(const Objects& objects,
                                              const std::string& volumes_uid,
                                              const std::string& except = {});

// "docker/ws-…": those of that uid, sorted. unavailable when a runtime does not
// answer.
// `backends`: the only ones that are asked.
Result<std::vector<std::string>> find_volumes(const Runtimes& runtimes,
                                              const std::set<std::string>& backends,
                                              const std::string& volumes_uid);
// The backends that may have something of a workspace: those that its status remembers. All of this
// server, when it has taken over the volumes of another, or when the status is of a version that
// remembered none.
std::set<std::string> backends_of(const crds::Workspace& workspace, const Runtimes& runtimes);
// The two parts of "docker/ws-…".
std::pair<std::string, std::string> parts_of_volume(const std::string& volume);

// The labels of a volume of this workspace. Those of a volume that it took over name the uid and
// the namespace only, because the name of the workspace was another one when the volume was made.
drivers::Labels labels_of_volume(const Runtimes& runtimes, const crds::Meta& workspace);

}  // namespace atelier::reconcilers
