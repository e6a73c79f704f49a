// What deletion asks, and the ways back: children, kept volumes, undelete, adopt, release.
#include "tests/cli/cli_server.h"

namespace atelier::cli::test {
namespace {

std::string held(const std::string& name, const std::string& more = "") {
    return "apiVersion: atelier.dev/v1alpha1\nkind: Workspace\nmetadata: {name: " + name +
           ", finalizers: [example.com/stay]" + more + "}\nspec: {role: x}\n---\n";
}

std::string kept(const std::string& workspace, const std::string& uid, const std::string& deleted) {
    return "apiVersion: atelier.dev/v1alpha1\nkind: DeletedWorkspace\nmetadata: {name: " +
           workspace + "." + uid + "}\nspec:\n  workspace: " + workspace + "\n  uid: " + uid +
           "\n  deletedAt: '" + deleted + "'\n  expiresAt: '2999-01-01T00:00:00Z'\n" +
           "  spec: {role: x, tier: 2}\n---\n";
}

std::string org(const std::string& name) {
    return "apiVersion: atelier.dev/v1alpha1\nkind: Org\nmetadata: {name: " + name +
           "}\nspec: {templateRef: {name: t}}\n---\n";
}

std::string owned(const std::string& name, const std::string& org_name) {
    return "apiVersion: atelier.dev/v1alpha1\nkind: Workspace\nmetadata:\n  name: " + name +
           "\n  ownerReferences: [{apiVersion: atelier.dev/v1alpha1, kind: Org, name: " + org_name +
           ", uid: u1, controller: true}]\nspec: {role: x}\n---\n";
}

TEST_F(CliServer, a_deletion_that_is_held_up_says_by_what) {
    apply(
        "apiVersion: atelier.dev/v1alpha1\nkind: Org\nmetadata: {name: o, finalizers: "
        "[example.com/stay]}\nspec: {templateRef: {name: t}}\n");
    EXPECT_EQ(run({"delete", "org", "o", "--wait=false"}).code, 0);
    const auto says = [&](const std::string& more) {
        set_status("/apis/atelier.dev/v1alpha1/namespaces/default/orgs/o",
                   R"({"conditions":[{"type":"Ready","status":"False","reason":"Deleting",)"
                   R"("message":"x-a is protected","lastTransitionTime":"2026-01-01T00:00:00Z"})" +
                       more + "]}");
        return run({"delete", "org", "o", "--wait", "--timeout", "1s"});
    };
    const Ran waits = says("");
    EXPECT_EQ(waits.code, exit_code::timed_out);
    EXPECT_THAT(waits.err, HasSubstr("Deleting: x-a is protected"));
    const Ran held = says(R"(,{"type":"PruneBlocked","status":"True","reason":"Protected",)"
                          R"("message":"x","lastTransitionTime":"2026-01-01T00:00:00Z"})");
    EXPECT_EQ(held.code, exit_code::waiting_for_approval) << held.err;
}

TEST_F(CliServer, Scenario39_a_workspace_with_children_is_deleted_only_on_a_word) {
    apply(workspace("lead") + workspace("be", "parent: lead") + workspace("qa", "parent: lead") +
          workspace("intern", "parent: be"));
    const Ran refused = run({"delete", "ws", "lead"});
    EXPECT_EQ(refused.code, exit_code::conflict);
    EXPECT_EQ(refused.out, "");
    EXPECT_THAT(refused.err, HasSubstr("\"lead\" has 2 children: be, qa"));
    EXPECT_THAT(refused.err, HasSubstr("--children=delete"));
    EXPECT_EQ(run({"delete", "ws", "lead", "--children=perhaps"}).code, exit_code::usage);

    // They stay, and have no parent any more.
    EXPECT_EQ(run({"delete", "ws", "lead", "--children=leave"}).code, 0);
    EXPECT_EQ(run({"get", "ws", "be", "-o", "jsonpath={.spec.parent}"}).out, "\n");
    EXPECT_EQ(run({"get", "ws", "intern", "-o", "jsonpath={.spec.parent}"}).out, "be\n");

    // All below it, the deepest first.
    apply(workspace("lead") + workspace("be", "parent: lead"));
    const Ran dry = run({"delete", "ws", "lead", "--children=delete", "--dry-run=server"});
    EXPECT_THAT(dry.out, HasSubstr("\"intern\" deleted (server dry run)"));
    EXPECT_EQ(run({"get", "ws", "-o", "name"}).out,
              "workspace.atelier.dev/be\nworkspace.atelier.dev/intern\nworkspace.atelier.dev/lead\n"
              "workspace.atelier.dev/qa\n");
    const Ran all = run({"delete", "ws", "lead", "--children=delete"});
    EXPECT_EQ(all.code, 0) << all.err;
    EXPECT_EQ(all.out,
              "workspace.atelier.dev \"intern\" deleted\nworkspace.atelier.dev \"be\" deleted\n"
              "workspace.atelier.dev \"lead\" deleted\n");
    // Without children, or with all of them named, nothing is asked.
    EXPECT_EQ(run({"delete", "ws", "qa"}).code, 0);
    apply(workspace("lead") + workspace("be", "parent: lead"));
    EXPECT_EQ(run({"delete", "ws", "lead", "be"}).code, 0);
}

TEST_F(CliServer, says_when_an_org_will_make_a_workspace_again) {
    apply(owned("acme-qa", "acme"));
    const Ran ran = run({"delete", "ws", "acme-qa"});
    EXPECT_EQ(ran.code, 0);
    EXPECT_THAT(ran.err, HasSubstr("belongs to the Org acme, which makes it again"));
}

TEST_F(CliServer, marks_what_is_to_keep_its_volumes) {
    apply(held("a") + workspace("b"));
    EXPECT_EQ(run({"delete", "ws", "a", "--keep-volumes", "7d", "--wait=false"}).code, 0);
    const Ran mark = run({"get", "ws", "a", "-o", "yaml"});
    EXPECT_THAT(mark.out, HasSubstr("atelier.dev/keep-volumes-until: "));
    const Ran wrong = run({"delete", "ws", "b", "--keep-volumes", "soon"});
    EXPECT_EQ(wrong.code, exit_code::usage);
    EXPECT_THAT(wrong.err, HasSubstr("--keep-volumes"));
    EXPECT_EQ(run({"delete", "ws", "b", "--keep-volumes", "0s"}).code, exit_code::usage);
    EXPECT_EQ(run({"get", "ws", "b"}).code, 0);
    const Ran kind = run({"delete", "deletedworkspace", "x", "--keep-volumes", "1h"});
    EXPECT_THAT(kind.err, HasSubstr("is for workspaces and orgs"));
    // Of what could not be deleted the mark is taken back.
    EXPECT_EQ(run({"delete", "ws", "b", "--keep-volumes", "1h", "--dry-run=server"}).code, 0);
    EXPECT_THAT(run({"get", "ws", "b", "-o", "yaml"}).out, Not(HasSubstr("keep-volumes-until")));
}

TEST_F(CliServer, lists_what_can_be_brought_back) {
    const Ran none = run({"undelete"});
    EXPECT_EQ(none.code, 0);
    EXPECT_THAT(none.err, HasSubstr("There is nothing to bring back"));
    apply(kept("acme-qa", "aaaa1111", "2026-05-01T00:00:00Z") +
          kept("acme-be", "bbbb2222", "2026-05-02T00:00:00Z"));
    const Ran list = run({"undelete"});
    EXPECT_EQ(list.code, 0) << list.err;
    EXPECT_LT(list.out.find("acme-be.bbbb2222"), list.out.find("acme-qa.aaaa1111"));
    EXPECT_THAT(list.err, HasSubstr("atelier undelete NAME"));
    EXPECT_THAT(run({"get", "dw"}).out, HasSubstr("2999-01-01T00:00:00Z"));
}

TEST_F(CliServer, undeletes_one_and_waits_for_it) {
    apply(kept("acme-qa", "aaaa1111", "2026-05-01T00:00:00Z"));
    const Ran unknown = run({"undelete", "acme-q"});
    EXPECT_EQ(unknown.code, exit_code::error);
    EXPECT_THAT(unknown.err, HasSubstr("did you mean acme-qa?"));

    Process other;
    Ran ran;
    std::thread waiting = in_background({"undelete", "acme-qa", "--timeout", "20s"}, other, ran);
    EXPECT_TRUE(watches_open(1));
    EXPECT_EQ(run({"get", "dw", "acme-qa.aaaa1111", "-o", "jsonpath={.spec.restore}"}).out,
              "true\n");
    EXPECT_EQ(run({"delete", "dw", "acme-qa.aaaa1111"}).code, 0);  // as its controller does
    waiting.join();
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "workspace.atelier.dev/acme-qa is back, with its volumes\n");
    EXPECT_THAT(ran.err, HasSubstr("No org owns it"));
}

TEST_F(CliServer, undeletes_nothing_that_is_not_clear) {
    apply(kept("acme-qa", "aaaa1111", "2026-05-01T00:00:00Z") +
          kept("acme-qa", "bbbb2222", "2026-05-02T00:00:00Z"));
    const Ran twice = run({"undelete", "acme-qa"});
    EXPECT_EQ(twice.code, exit_code::conflict);
    EXPECT_THAT(twice.err, HasSubstr("was deleted 2 times"));
    EXPECT_LT(twice.err.find("acme-qa.bbbb2222"), twice.err.find("acme-qa.aaaa1111"));
    apply(workspace("acme-qa"));
    const Ran taken = run({"undelete", "acme-qa.aaaa1111"});
    EXPECT_EQ(taken.code, exit_code::conflict);
    EXPECT_THAT(taken.err, HasSubstr("atelier undelete acme-qa.aaaa1111 --as NAME"));
    EXPECT_EQ(run({"get", "dw", "acme-qa.aaaa1111", "-o", "jsonpath={.spec.restore}"}).out,
              "false\n");
    // What its controller says in the way is passed on.
    set_status("/apis/atelier.dev/v1alpha1/namespaces/default/deletedworkspaces/acme-qa.aaaa1111",
               R"({"conditions":[{"type":"Ready","status":"False","reason":"VolumesMissing",
        "message":"none of its volumes is there","observedGeneration":2},
        {"type":"Stalled","status":"True","reason":"VolumesMissing","observedGeneration":2}]})");
    const Ran gone = run({"undelete", "acme-qa.aaaa1111", "--as", "spare", "--timeout", "20s"});
    EXPECT_EQ(gone.code, exit_code::conflict);
    EXPECT_THAT(gone.err, HasSubstr("none of its volumes is there"));
}

TEST_F(CliServer, adopts_and_releases_by_asking_the_org) {
    apply(workspace("acme-qa") + owned("acme-be", "acme") + org("acme") + org("other"));
    EXPECT_EQ(run({"adopt"}).code, exit_code::usage);
    EXPECT_THAT(run({"adopt", "acme-qa"}).err, HasSubstr("which Org?"));
    EXPECT_EQ(run({"adopt", "acme-qa", "--org", "none"}).code, exit_code::error);
    const Ran theirs = run({"adopt", "acme-be", "--org", "other"});
    EXPECT_EQ(theirs.code, exit_code::conflict);
    EXPECT_THAT(theirs.err, HasSubstr("atelier release acme-be"));
    EXPECT_THAT(run({"adopt", "acme-be", "--org", "acme"}).out, HasSubstr("already"));
    EXPECT_THAT(run({"release", "acme-qa"}).out, HasSubstr("is of no Org"));

    // Nobody does it here: it says what it asked for, and why it is not done.
    set_status("/apis/atelier.dev/v1alpha1/namespaces/default/orgs/acme",
               R"({"conditions":[{"type":"AdoptionRefused","status":"True","reason":"R",
        "message":"acme-qa: the template has no workspace of that name"}]})");
    const Ran late = run({"adopt", "acme-qa", "--org", "acme", "--timeout", "300ms"});
    EXPECT_EQ(late.code, exit_code::timed_out);
    EXPECT_THAT(late.err, HasSubstr("the template has no workspace of that name"));
    EXPECT_THAT(run({"get", "ws", "acme-qa", "-o", "yaml"}).out,
                HasSubstr("atelier.dev/adopt-by: acme"));
    EXPECT_THAT(late.err, HasSubstr("atelier release acme-qa"));
    EXPECT_THAT(run({"release", "acme-qa"}).out, HasSubstr("Org acme is no longer asked for"));
    EXPECT_THAT(run({"get", "ws", "acme-qa", "-o", "yaml"}).out, Not(HasSubstr("adopt-by")));
    EXPECT_EQ(run({"release", "acme-be", "--timeout", "300ms"}).code, exit_code::timed_out);
    EXPECT_THAT(run({"get", "ws", "acme-be", "-o", "yaml"}).out,
                HasSubstr("atelier.dev/released-from: acme"));
}

}  // namespace
}  // namespace atelier::cli::test
