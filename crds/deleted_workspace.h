// DeletedWorkspace: what is left of a workspace that went while its volumes were to be kept.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crds/meta.h"
#include "crds/workspace.h"

namespace atelier::crds {

namespace annotation {
// Of a Workspace that is to go, or of an Org, which passes it on: keep the volumes until then
// (RFC 3339).
inline constexpr std::string_view keep_volumes_until = "atelier.dev/keep-volumes-until";
// Of a Workspace: its volumes are those of the workspace that had this uid. Set when it is made,
// and never changed.
inline constexpr std::string_view volumes_of = "atelier.dev/volumes-of";
// Of a Workspace that no Org owns: the Org of this name shall take it over.
inline constexpr std::string_view adopt_by = "atelier.dev/adopt-by";
// Of a Workspace: the Org of this name gives it up, and leaves it alone while this stands.
inline constexpr std::string_view released_from = "atelier.dev/released-from";
}  // namespace annotation

struct DeletedWorkspaceSpec {
    static constexpr std::string_view kind = "DeletedWorkspace";
    static constexpr std::string_view resource = "deletedworkspaces.atelier.dev";
    std::string workspace;             // the name that it had
    std::string uid;                   // that its volumes are named after
    std::string org;                   // name of the Org that owned it; empty: none did
    std::string org_uid;               // of that very Org
    std::vector<std::string> volumes;  // "docker/ws-0a1b2c3d-4e5-configs"
    WorkspaceSpec spec;                // what it was declared to be
    bool has_env = false;              // a Secret <name>-env holds what the template gave it
    std::optional<Instant> deleted_at;
    std::optional<Instant> expires_at;
    bool restore = false;
    std::string restore_as;  // the name to come back under; empty: the one it had
    bool suspend = false;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("workspace", self.workspace);
        v("uid", self.uid);
        v("org", self.org);
        v("orgUID", self.org_uid);
        v("volumes", self.volumes);
        v("spec", self.spec);
        v("hasEnv", self.has_env);
        v("deletedAt", self.deleted_at);
        v("expiresAt", self.expires_at);
        v("restore", self.restore);
        v("restoreAs", self.restore_as);
        v("suspend", self.suspend);
    }
};

struct DeletedWorkspaceStatus : StatusBase {
    std::vector<std::string> volumes;  // those that are there
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        StatusBase::base_fields(self, v);
        v("volumes", self.volumes);
    }
};

using DeletedWorkspace = Typed<DeletedWorkspaceSpec, DeletedWorkspaceStatus>;

// The uid that the volumes of a Workspace are named after: its own, or the one it took them from.
inline std::string volumes_uid(const Meta& workspace) {
    std::string taken = workspace.annotation(annotation::volumes_of);
    return taken.empty() ? workspace.uid : taken;
}

}  // namespace atelier::crds
