#include <gtest/gtest.h>

#include "reconcilers/deleted_workspace/plan.h"
#include "reconcilers/deleted_workspace/status.h"

namespace atelier::reconcilers::deleted_workspace {
namespace {

using crds::DeletedWorkspace;

const Instant noon = *parse_rfc3339("2026-05-08T12:00:00Z");
const Instant expiry = noon + std::chrono::hours(168);

DeletedWorkspace kept(const std::function<void(DeletedWorkspace&)>& but = {}) {
    DeletedWorkspace out;
    out.meta.name = "acme-qa.0a1b2c3d";
    out.meta.ns = "default";
    out.meta.generation = 1;
    out.meta.finalizers = {std::string(deleted_workspace_finalizer)};
    out.spec.workspace = "acme-qa";
    out.spec.uid = "0a1b2c3d-4e5f-6789-abcd-ef0123456789";
    out.spec.volumes = {"docker/v-configs", "docker/v-workspace"};
    out.spec.spec.parent = "acme-pm";
    out.spec.spec.env_from = {{.secret_ref = crds::LocalRef{"shared"}, .config_map_ref = {}},
                              {.secret_ref = crds::LocalRef{"acme-qa-env"}, .config_map_ref = {}}};
    out.spec.deleted_at = noon;
    out.spec.expires_at = expiry;
    if (but) but(out);
    return out;
}

Observed seen() {
    Observed out;
    out.volumes = {"docker/v-configs", "docker/v-workspace"};
    return out;
}

std::string planned(const DeletedWorkspace& object, const Observed& s, Instant now = noon) {
    const Plan p = plan(object, s, now);
    std::string out = text(p);
    if (p.wake_at) out += " [wake " + rfc3339(*p.wake_at) + "]";
    return out;
}
std::string said(const DeletedWorkspace& object, const Observed& s) {
    const auto next = status(object, s, std::nullopt, noon);
    const crds::Condition* ready = next.find("Ready");
    return std::string(json::name_of(ready->status)) + " " + ready->reason +
           (next.is_true("Stalled") ? " stalled" : "") +
           (next.is_true("Reconciling") ? " reconciling" : "");
}

const std::string purge = "remove volume v-configs, remove volume v-workspace, let go";

TEST(DeletedWorkspacePlan, ItIsKeptUntilItExpires) {
    EXPECT_EQ(planned(kept(), seen()), " [wake 2026-05-15T12:00:00Z]");
    EXPECT_EQ(planned(kept(), seen(), expiry - Duration{1}), " [wake 2026-05-15T12:00:00Z]");
    EXPECT_EQ(planned(kept(), seen(), expiry), "delete (Expired)");
    EXPECT_EQ(said(kept(), seen()), "True Kept");
    const auto suspended = kept([](DeletedWorkspace& x) { x.spec.suspend = true; });
    EXPECT_EQ(planned(suspended, seen(), expiry), "");
    const auto wanted = kept([](DeletedWorkspace& x) { x.spec.restore = true; });
    Observed taken = seen();
    taken.in_place = VolumesHolder{"acme-qa", "u", false, true};
    EXPECT_EQ(planned(wanted, taken, expiry), "");  // who asked for it back loses nothing
}

TEST(DeletedWorkspacePlan, ItsVolumesGoWithItUnlessAWorkspaceHasThem) {
    const auto going = kept([](DeletedWorkspace& x) { x.meta.deleted_at = noon; });
    EXPECT_EQ(planned(going, seen()), purge);
    EXPECT_EQ(said(going, seen()), "False Purging reconciling");
    Observed held = seen();
    held.holder = VolumesHolder{"acme-qa", "u", false, true};
    EXPECT_EQ(planned(going, held), "let go");
    held.holder->being_deleted = true;
    EXPECT_EQ(planned(going, held), "");
    EXPECT_EQ(said(going, held), "False Terminating reconciling");
    Observed unknown;
    unknown.unreachable = "the runtime \"docker\" does not answer: x";
    EXPECT_EQ(planned(going, unknown), "");
    EXPECT_EQ(said(going, unknown), "Unknown RuntimeUnreachable reconciling");
}

TEST(DeletedWorkspacePlan, WhoTookTheVolumesOverEndsIt) {
    Observed held = seen();
    held.holder = VolumesHolder{"acme-qa", "u", false, true};
    EXPECT_EQ(planned(kept(), held), "let go, delete (Restored)");
    EXPECT_EQ(planned(kept(), held, expiry), "let go, delete (Restored)");
    held.env_due = true;
    EXPECT_EQ(planned(kept(), held), "give env to acme-qa, let go, delete (Restored)");
    // The workspace that it is of is still being taken down: neither its end nor its return.
    held.holder->being_deleted = true;
    for (const bool restore : {false, true}) {
        const auto object = kept([&](DeletedWorkspace& x) { x.spec.restore = restore; });
        EXPECT_EQ(planned(object, held, expiry), "");
    }
}

TEST(DeletedWorkspacePlan, VolumesStayItsOwnUntilTheNewWorkspaceAnswersForThem) {
    Observed held = seen();
    held.holder = VolumesHolder{"acme-qa", "u", false, true, false};
    for (const bool going : {false, true}) {
        const auto object = kept([&](DeletedWorkspace& x) {
            if (going) x.meta.deleted_at = noon;
        });
        EXPECT_EQ(planned(object, held, expiry), "");
    }
}

TEST(DeletedWorkspacePlan, WhatIsWantedBackComesBackFreeStanding) {
    const auto wanted = kept([](DeletedWorkspace& x) {
        x.spec.restore = true;
        x.spec.has_env = true;
        x.spec.spec.suspend = true;
    });
    const std::string end = ", give env to acme-qa, let go, delete (Restored)";
    EXPECT_EQ(planned(wanted, seen()), "restore acme-qa" + end);
    Observed with_parent = seen();
    with_parent.parent_there = true;
    EXPECT_EQ(planned(wanted, with_parent), "restore acme-qa under acme-pm" + end);
    const Plan p = plan(wanted, seen(), noon);
    const auto& made = std::get<Restore>(p.actions.front());
    EXPECT_TRUE(made.meta.owners.empty());
    EXPECT_TRUE(made.meta.labels.empty());
    EXPECT_EQ(made.meta.annotation("atelier.dev/volumes-of"), wanted.spec.uid);
    EXPECT_FALSE(made.spec.suspend);
}

TEST(DeletedWorkspacePlan, UnderAnotherNameItReadsItsEnvironmentUnderThatName) {
    const auto wanted = kept([](DeletedWorkspace& x) {
        x.spec.restore = true;
        x.spec.restore_as = "spare";
        x.spec.has_env = true;
    });
    const Plan p = plan(wanted, seen(), noon);
    EXPECT_EQ(text(p), "restore spare, give env to spare, let go, delete (Restored)");
    const auto& made = std::get<Restore>(p.actions.front());
    EXPECT_EQ(made.spec.env_from[0].secret_ref->name, "shared");
    EXPECT_EQ(made.spec.env_from[1].secret_ref->name, "spare-env");
}

TEST(DeletedWorkspacePlan, WhatCannotComeBackSaysWhy) {
    const auto wanted = kept([](DeletedWorkspace& x) { x.spec.restore = true; });
    Observed taken = seen();
    taken.in_place = VolumesHolder{"acme-qa", "u", false, true};
    EXPECT_EQ(planned(wanted, taken), "");
    EXPECT_EQ(said(wanted, taken), "False NameTaken stalled");
    taken.in_place->being_deleted = true;
    EXPECT_EQ(said(wanted, taken), "False NameTaken reconciling");
    Observed empty;
    EXPECT_EQ(planned(wanted, empty), "");
    EXPECT_EQ(said(wanted, empty), "False VolumesMissing stalled");
    Observed unknown;
    unknown.unreachable = "x";
    EXPECT_EQ(planned(wanted, unknown), "");
}

}  // namespace
}  // namespace atelier::reconcilers::deleted_workspace
