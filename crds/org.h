// Org: run that template here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crds/meta.h"
#include "crds/workspace.h"

namespace atelier::crds {

enum class PrunePolicy { retain, orphans };
constexpr std::array<std::pair<PrunePolicy, std::string_view>, 2> names_of(PrunePolicy) {
    return {{{PrunePolicy::retain, "Retain"}, {PrunePolicy::orphans, "Orphans"}}};
}

struct Prune {
    PrunePolicy policy = PrunePolicy::orphans;
    std::int64_t max_percent =
        30;  // of the owned workspaces in one go; more waits for confirmation
    // How long the volumes of a pruned workspace are kept; 0: they go with it.
    Duration volume_grace = std::chrono::hours(7 * 24);
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("policy", self.policy);
        v("maxPercent", self.max_percent);
        v("volumeGrace", self.volume_grace);
    }
};

// Fills what neither the template's node nor its defaults say.
struct OrgDefaults {
    std::string runtime;
    std::string image;
    std::string model;
    std::string backend;
    std::string update_tier;
    std::vector<std::string> command;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("runtime", self.runtime);
        v("image", self.image);
        v("model", self.model);
        v("backend", self.backend);
        v("updateTier", self.update_tier);
        v("command", self.command);
    }
};

// A workspace whose node has a persona also reads the Secret <secretPrefix><persona>.
struct Personas {
    std::string secret_prefix = "persona-";
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("secretPrefix", self.secret_prefix);
    }
};

struct OrgSpec {
    static constexpr std::string_view kind = "Org";
    static constexpr std::string_view resource = "orgs.atelier.dev";
    LocalRef template_ref;
    std::string revision;  // of the template's history, or an artifact's digest; empty: the newest
    std::map<std::string, std::string>
        parameters;  // ${NAME} in templates where expansion is allowed
    OrgDefaults defaults;
    std::map<std::string, std::string>
        update_tiers;  // workspace key -> UpdateTier, over the default
    Prune prune;
    std::vector<EnvFrom> env_from;  // for every workspace
    std::optional<Personas> personas;
    bool suspend = false;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("templateRef", self.template_ref);
        v("revision", self.revision);
        v("parameters", self.parameters);
        v("defaults", self.defaults);
        v("updateTiers", self.update_tiers);
        v("prune", self.prune);
        v("envFrom", self.env_from);
        v("personas", self.personas);
        v("suspend", self.suspend);
    }
};

struct OrgCounts {
    std::int64_t desired = 0;
    std::int64_t owned = 0;
    std::int64_t ready = 0;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("desired", self.desired);
        v("owned", self.owned);
        v("ready", self.ready);
    }
};

// A revision of the template that was made to run.
struct AppliedRevision {
    std::string revision;
    std::string artifact_digest;
    std::optional<Instant> applied_at;
    std::string by;  // who asked for it: a person, or "template" when it was followed
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("revision", self.revision);
        v("artifactDigest", self.artifact_digest);
        v("appliedAt", self.applied_at);
        v("by", self.by);
    }
};

struct OrgStatus : StatusBase {
    std::string revision;         // of the template, as applied
    std::string artifact_digest;  // the compiled tree, as applied
    OrgCounts counts;
    std::vector<std::string> pending_prune;  // names that wait for confirmation
    std::string pending_prune_digest;        // what annotation::confirm_prune must say
    std::vector<AppliedRevision> history;    // the newest first
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        StatusBase::base_fields(self, v);
        v("revision", self.revision);
        v("artifactDigest", self.artifact_digest);
        v("counts", self.counts);
        v("pendingPrune", self.pending_prune);
        v("pendingPruneDigest", self.pending_prune_digest);
        v("history", self.history);
    }
};

using Org = Typed<OrgSpec, OrgStatus>;

}  // namespace atelier::crds
