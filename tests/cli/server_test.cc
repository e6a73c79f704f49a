// The command line against the real API, over TLS on loopback.
#include "base/file.h"
#include "tests/cli/cli_server.h"

namespace atelier::cli::test {
namespace {

constexpr std::string_view workspace_path =
    "/apis/atelier.dev/v1alpha1/namespaces/default/workspaces/";

TEST_F(CliServer, applies_creates_changes_and_leaves) {
    const Ran created = apply(workspace("a") + workspace("b"));
    EXPECT_EQ(created.code, 0) << created.err;
    EXPECT_EQ(created.out, "workspace.atelier.dev/a created\nworkspace.atelier.dev/b created\n");
    EXPECT_EQ(apply(workspace("a")).out, "workspace.atelier.dev/a unchanged\n");
    EXPECT_EQ(apply(workspace("a", "model: m")).out, "workspace.atelier.dev/a configured\n");
    const Ran got = run({"get", "ws", "a", "-o", "json"});
    EXPECT_THAT(got.out, HasSubstr("\"model\": \"m\""));
    EXPECT_THAT(got.out, Not(HasSubstr("\"role\": \"tester\"")));
    EXPECT_THAT(got.out, HasSubstr("kubectl.kubernetes.io/last-applied-configuration"));
}

TEST_F(CliServer, applies_without_changing_in_a_dry_run) {
    const Ran dry = apply(workspace("a"), {"--dry-run=server"});
    EXPECT_EQ(dry.out, "workspace.atelier.dev/a created (server dry run)\n");
    EXPECT_EQ(run({"get", "ws", "a"}).code, exit_code::error);
    EXPECT_EQ(run({"apply", "-f", "-", "--dry-run=client"}).code, exit_code::usage);
}

TEST_F(CliServer, goes_on_after_a_bad_document_and_says_where_it_stands) {
    const Ran ran =
        apply(workspace("a") +
              "apiVersion: atelier.dev/v1alpha1\nkind: Workspace\n"
              "metadata: {name: bad}\nspec:\n  tier: 99\n---\n"
              "apiVersion: atelier.dev/v1alpha1\nkind: Workspace\nmetadata: {name: typo}\n"
              "spec:\n  role: x\n  modle: m\n---\n"
              "apiVersion: atelier.dev/v1alpha1\nkind: Workspce\nmetadata: {name: c}\n"
              "---\n" +
              workspace("d"));
    EXPECT_EQ(ran.code, exit_code::error);
    EXPECT_EQ(ran.out, "workspace.atelier.dev/a created\nworkspace.atelier.dev/d created\n");
    EXPECT_THAT(ran.err, HasSubstr("error: stdin:10: Workspace \"bad\": spec.tier: "));
    EXPECT_THAT(ran.err,
                HasSubstr("error: stdin:17: Workspace \"typo\": spec.modle: unknown field\n"));
    EXPECT_THAT(ran.err, HasSubstr("did you mean \"Workspace\"?"));
}

TEST_F(CliServer, keeps_namespaces_apart) {
    EXPECT_EQ(apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n").out,
              "namespace/team created\n");
    EXPECT_EQ(apply(workspace("a"), {"-n", "team"}).code, 0);
    EXPECT_EQ(run({"get", "ws", "a"}).code, exit_code::error);
    EXPECT_EQ(run({"-n", "team", "get", "ws/a", "-o", "name"}).out, "workspace.atelier.dev/a\n");
    const Ran all = run({"get", "ws", "-A"});
    EXPECT_THAT(all.out, testing::StartsWith("NAMESPACE"));
    EXPECT_THAT(all.out, HasSubstr("team"));
    const Ran mismatch = apply(
        "apiVersion: atelier.dev/v1alpha1\nkind: Workspace\n"
        "metadata: {name: x, namespace: other}\n",
        {"-n", "team"});
    EXPECT_EQ(mismatch.code, exit_code::error);
    EXPECT_THAT(mismatch.err, HasSubstr("--namespace says \"team\""));
}

TEST_F(CliServer, gets_in_every_form) {
    apply(workspace("a") + workspace("b"));
    const Ran table = run({"get", "workspaces"});
    EXPECT_THAT(table.out, testing::StartsWith("NAME"));
    EXPECT_THAT(table.out, HasSubstr("\na  "));
    for (const char* name : {"ws", "workspace", "Workspace", "workspaces.atelier.dev"}) {
        EXPECT_EQ(run({"get", name, "-o", "name"}).out,
                  "workspace.atelier.dev/a\nworkspace.atelier.dev/b\n")
            << name;
    }
    EXPECT_EQ(run({"get", "ws", "-o", "name"}).out,
              "workspace.atelier.dev/a\nworkspace.atelier.dev/b\n");
    EXPECT_EQ(run({"get", "ws", "a", "-o", "jsonpath={.spec.role}"}).out, "tester\n");
    EXPECT_THAT(run({"get", "ws", "-o", "yaml"}).out, HasSubstr("kind: List"));
    EXPECT_EQ(run({"get", "ws", "-l", "team=b", "-o", "name"}).out, "");
    EXPECT_EQ(run({"get", "ws", "--field-selector", "metadata.name=b", "-o", "name"}).out,
              "workspace.atelier.dev/b\n");
    const Ran two = run({"get", "ws,namespaces"});
    EXPECT_THAT(two.out, HasSubstr("workspace.atelier.dev/a"));
    EXPECT_THAT(two.out, HasSubstr("namespace/default"));
    const Ran none = run({"get", "orgs"});
    EXPECT_EQ(none.code, 0);
    EXPECT_EQ(none.out, "");
    EXPECT_THAT(none.err, HasSubstr("No resources found in the namespace default."));
    const Ran unknown = run({"get", "workspce"});
    EXPECT_EQ(unknown.code, exit_code::usage);
    EXPECT_THAT(unknown.err, HasSubstr("did you mean \"workspace\"?"));
    const Ran some = run({"get", "ws", "a", "nope"});
    EXPECT_EQ(some.code, exit_code::error);
    EXPECT_THAT(some.out, HasSubstr("\na  "));
    EXPECT_THAT(some.err, HasSubstr("\"nope\" not found"));
}

TEST_F(CliServer, watches_until_it_is_interrupted) {
    apply(workspace("a"));
    Process other;
    Ran ran;
    std::thread watching = in_background({"get", "ws", "-w"}, other, ran);
    ASSERT_TRUE(watches_open(1));
    apply(workspace("b"));
    // What it printed cannot be seen before it ends; that the event has left the server can.
    ASSERT_TRUE(sent_bytes_settle());
    other.interrupted = true;
    watching.join();
    EXPECT_EQ(ran.code, exit_code::interrupted);
    EXPECT_THAT(ran.out, HasSubstr("\nb  "));
    EXPECT_EQ(ran.out.find("NAME"), ran.out.rfind("NAME"));
    EXPECT_THAT(ran.err, HasSubstr("atelier get ws -w"));
    EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
}

TEST_F(CliServer, describes_with_conditions) {
    apply(workspace("a"));
    set_status(std::string(workspace_path) + "a", ready(1));
    const Ran ran = run({"describe", "ws/a"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("Name:        a\nNamespace:   default\nLabels:      team=a\n"));
    EXPECT_THAT(ran.out, HasSubstr("Spec:\n"));
    EXPECT_THAT(ran.out, HasSubstr("Conditions:\n  TYPE"));
    EXPECT_THAT(ran.out, HasSubstr("the container starts"));
    EXPECT_THAT(ran.out, HasSubstr("Events:      <none>"));
    EXPECT_THAT(ran.out, Not(HasSubstr("last-applied")));
    EXPECT_EQ(run({"describe", "ws", "nope"}).code, exit_code::error);
}

TEST_F(CliServer, deletes_and_waits) {
    apply(workspace("a") + workspace("b") + workspace("c"));
    const Ran one = run({"delete", "ws", "a", "--wait", "--timeout", "20s"});
    EXPECT_EQ(one.code, 0) << one.err;
    EXPECT_EQ(one.out, "workspace.atelier.dev \"a\" deleted\n");
    EXPECT_EQ(run({"delete", "ws", "a"}).code, exit_code::error);
    EXPECT_EQ(run({"delete", "ws", "a", "--ignore-not-found"}).code, 0);
    process.input = workspace("b");
    EXPECT_EQ(run({"delete", "-f", "-"}).out, "workspace.atelier.dev \"b\" deleted\n");
    EXPECT_EQ(run({"delete", "ws", "-l", "team=a"}).out, "workspace.atelier.dev \"c\" deleted\n");
    EXPECT_EQ(run({"delete", "ws,org", "a", "--cascade=never"}).code, exit_code::usage);
    const Ran none = run({"delete", "ws,orgs,plugins", "--all"});
    EXPECT_EQ(none.code, 0) << none.err;
    const Ran both = run({"delete", "ws,orgs", "a"});
    EXPECT_EQ(both.code, exit_code::error);
    EXPECT_NE(both.err.find("org"), std::string::npos) << both.err;
    EXPECT_EQ(run({"delete"}).code, exit_code::usage);
}

TEST_F(CliServer, times_out_on_an_object_that_stays) {
    apply(
        "apiVersion: atelier.dev/v1alpha1\nkind: Workspace\n"
        "metadata: {name: a, finalizers: [example.com/stay]}\nspec: {role: x}\n");
    const Ran ran = run({"delete", "ws", "a", "--timeout", "300ms"});
    EXPECT_EQ(ran.code, exit_code::timed_out);
    EXPECT_THAT(ran.err, HasSubstr("timed out waiting for workspace.atelier.dev/a"));
}

TEST_F(CliServer, waits_for_conditions) {
    apply(workspace("a"));
    const std::string path = std::string(workspace_path) + "a";
    set_status(path, ready(1, "False"));
    const Ran late = run({"wait", "ws/a", "--for=condition=Ready", "--timeout", "300ms"});
    EXPECT_EQ(late.code, exit_code::timed_out);
    EXPECT_THAT(late.err, HasSubstr("R: the container starts"));
    Process other;
    Ran ran;
    std::thread waiting =
        in_background({"wait", "ws", "a", "--for=condition=Ready", "--timeout=20s"}, other, ran);
    ASSERT_TRUE(watches_open(1));
    set_status(path, ready(1));
    waiting.join();
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "workspace.atelier.dev/a condition met\n");
    EXPECT_EQ(run({"wait", "ws/a", "--for=jsonpath={.spec.role}=tester"}).code, 0);
    EXPECT_EQ(run({"wait", "ws/a", "--for=jsonpath={.spec.role}=x", "--timeout=200ms"}).code,
              exit_code::timed_out);
    EXPECT_EQ(run({"wait", "ws/none", "--for=delete"}).code, 0);
    EXPECT_EQ(run({"wait", "ws/none", "--for=condition=Ready"}).code, exit_code::error);
    EXPECT_EQ(run({"wait", "ws/a", "--for=luck"}).code, exit_code::usage);
    // What an older generation said does not count.
    apply(workspace("a", "role: other"));
    EXPECT_EQ(run({"wait", "ws/a", "--for=condition=Ready", "--timeout=200ms"}).code,
              exit_code::timed_out);
    set_status(path, R"({"conditions":[{"type":"Stalled","status":"True","reason":"BadImage",
        "message":"no such image","observedGeneration":2,"lastTransitionTime":"2026-01-01T00:00:00Z"}]})");
    const Ran stalled = run({"wait", "ws/a", "--for=condition=Ready", "--timeout=200ms"});
    EXPECT_EQ(stalled.code, exit_code::stalled);
    EXPECT_THAT(stalled.err, HasSubstr("no such image"));
}

TEST_F(CliServer, takes_no_path_for_a_name) {
    for (const std::string name : {"../../x", "..", "a%2fb", "a/b"}) {
        SCOPED_TRACE(name);
        const Ran ran = apply(workspace("'" + name + "'"));
        EXPECT_EQ(ran.code, exit_code::error);
        EXPECT_THAT(ran.err, HasSubstr("stdin:3: Workspace \"" + name + "\": metadata.name: "));
        EXPECT_THAT(ran.err, HasSubstr("a name may not be"));
    }
    const Ran ran =
        apply("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: ../kube\n");
    EXPECT_EQ(ran.code, exit_code::error);
    EXPECT_THAT(ran.err, HasSubstr("stdin:5: ConfigMap \"a\": metadata.namespace: "));
}

TEST_F(CliServer, applies_nothing_when_a_file_is_broken) {
    const fs::path folder = home_ / "manifests";
    fs::create_directories(folder);
    ASSERT_TRUE(write_file_atomically(folder / "1.yaml", workspace("good")));
    ASSERT_TRUE(write_file_atomically(folder / "2.yaml", "a: [\n"));
    const Ran ran = run({"apply", "-f", folder.string()});
    EXPECT_EQ(ran.code, exit_code::error);
    EXPECT_THAT(ran.err, HasSubstr("2.yaml:2:1: a [ without its ]"));
    EXPECT_THAT(ran.err, HasSubstr("nothing was applied"));
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(run({"get", "ws/good"}).code, exit_code::error);
}

TEST_F(CliServer, decides_once) {
    const Ran made = apply(std::string(update_text));
    ASSERT_EQ(made.code, 0) << made.err;
    const Ran list = run({"updates"});
    EXPECT_THAT(list.out, HasSubstr("Waits for approval"));
    EXPECT_THAT(list.err, HasSubstr("1 waits for a decision"));
    const Ran approved = run({"approve", "reviewer-0a1b2c3", "--reason", "read it"});
    EXPECT_EQ(approved.code, 0) << approved.err;
    EXPECT_THAT(approved.out,
                HasSubstr("pluginupdate.atelier.dev/reviewer-0a1b2c3 approved: reviewer "
                          "111111111111 -> 0a1b2c300000"));
    EXPECT_EQ(run({"get", "pu", "reviewer-0a1b2c3", "-o", "jsonpath={.spec.decidedBy}"}).out,
              "ada\n");
    const Ran again = run({"approve", "pu/reviewer-0a1b2c3"});
    EXPECT_EQ(again.code, 0);
    EXPECT_THAT(again.out, HasSubstr("already approved by ada (read it)"));
    const Ran late = run({"dismiss", "reviewer-0a1b2c3"});
    EXPECT_EQ(late.code, exit_code::conflict);
    EXPECT_THAT(late.err, HasSubstr("already approved by ada"));
    EXPECT_EQ(run({"approve"}).code, exit_code::usage);
    EXPECT_EQ(run({"approve", "nope"}).code, exit_code::error);
}

TEST_F(CliServer, points_from_a_plugin_to_its_update) {
    apply(std::string(update_text));
    const Ran ran = run({"approve", "reviewer"});
    EXPECT_EQ(ran.code, exit_code::error);
    EXPECT_THAT(ran.err, HasSubstr("its update that waits for a decision is \"reviewer-0a1b2c3\""));
}

TEST_F(CliServer, reconciles_suspends_and_resumes) {
    apply(workspace("a"));
    EXPECT_EQ(run({"reconcile", "ws", "a"}).out, "workspace.atelier.dev/a will be reconciled\n");
    Process other;
    Ran ran;
    std::thread waiting =
        in_background({"reconcile", "ws/a", "--wait", "--timeout=20s"}, other, ran);
    ASSERT_TRUE(watches_open(1));
    const std::string stamp =
        run({"get", "ws", "a", "-o",
             "jsonpath={.metadata.annotations['atelier.dev/reconcile-requested-at']}"})
            .out;
    set_status(std::string(workspace_path) + "a",
               R"({"lastHandledReconcileAt":")" + stamp.substr(0, stamp.size() - 1) + "\"}");
    waiting.join();
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("workspace.atelier.dev/a reconciled\n"));
    EXPECT_EQ(run({"suspend", "ws/a"}).out, "workspace.atelier.dev/a suspended\n");
    EXPECT_EQ(run({"get", "ws/a", "-o", "jsonpath={.spec.suspend}"}).out, "true\n");
    EXPECT_EQ(run({"resume", "ws/a"}).code, 0);
    EXPECT_EQ(run({"get", "ws/a", "-o", "jsonpath={.spec.suspend}"}).out, "false\n");
}

TEST_F(CliServer, draws_the_tree_until_it_is_ready) {
    apply(
        "apiVersion: atelier.dev/v1alpha1\nkind: Org\nmetadata: {name: acme}\n"
        "spec: {templateRef: {name: acme}}\n---\n" +
        workspace("acme-pm", "org: acme, key: pm") +
        workspace("acme-dev", "org: acme, key: dev, parent: acme-pm") + workspace("stranger"));
    const Ran once = run({"tree", "acme"});
    EXPECT_EQ(once.code, 0) << once.err;
    EXPECT_THAT(once.out, HasSubstr("\n└─ acme-pm"));
    EXPECT_THAT(once.out, HasSubstr("\n   └─ acme-dev   ? Unknown"));
    EXPECT_THAT(once.out, Not(HasSubstr("stranger")));
    EXPECT_THAT(run({"tree"}).out, HasSubstr("(no org)"));
    EXPECT_EQ(run({"tree", "nope"}).code, exit_code::error);
    const Ran late = run({"tree", "acme", "--until-ready", "--timeout", "300ms"});
    EXPECT_EQ(late.code, exit_code::timed_out);
    EXPECT_THAT(late.err, HasSubstr("acme-dev is Unknown"));

    Process other;
    Ran ran;
    std::thread watching =
        in_background({"tree", "acme", "-w", "--until-ready", "--timeout=30s"}, other, ran);
    ASSERT_TRUE(watches_open(2));
    set_status(std::string(workspace_path) + "acme-pm", ready(1));
    set_status(std::string(workspace_path) + "acme-dev", ready(1));
    set_status("/apis/atelier.dev/v1alpha1/namespaces/default/orgs/acme", ready(1));
    watching.join();
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("✓ Ready"));
    EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
}

TEST_F(CliServer, redraws_on_a_terminal_only) {
    apply(workspace("a"));
    Process other;
    other.terminal = true;
    Ran ran;
    std::thread watching =
        in_background({"tree", "-w", "--until-ready", "--timeout=30s"}, other, ran);
    ASSERT_TRUE(watches_open(2));
    set_status(std::string(workspace_path) + "a", ready(1));
    watching.join();
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("\x1b["));
}

TEST_F(CliServer, shows_events_of_one_second_in_the_order_they_were_written) {
    const auto event = [](const std::string& name, const std::string& reason) {
        return "apiVersion: v1\nkind: Event\nmetadata: {name: " + name +
               ", namespace: default}\n"
               "involvedObject: {kind: Workspace, name: a, namespace: default}\n"
               "type: Normal\nreason: " +
               reason +
               "\nmessage: x\nfirstTimestamp: 2026-01-01T00:00:00Z\n"
               "lastTimestamp: 2026-01-01T00:00:00Z\n---\n";
    };
    // By name they would stand the other way round; by revision as text, 10 before 9.
    std::string all;
    for (int i = 0; i < 12; ++i) {
        all +=
            event(std::string(1, static_cast<char>('z' - i)), "Reason" + std::to_string(i) + "x");
    }
    apply(all);
    const std::string out = run({"events"}).out;
    std::size_t before = 0;
    for (int i = 0; i < 12; ++i) {
        const std::size_t at = out.find("Reason" + std::to_string(i) + "x");
        ASSERT_NE(at, out.npos) << out;
        EXPECT_GT(at, before) << out;
        before = at;
    }
}

TEST_F(CliServer, shows_events) {
    apply(workspace("a"));
    EXPECT_THAT(run({"events"}).err, HasSubstr("No events"));
    apply(
        "apiVersion: v1\nkind: Event\nmetadata: {name: a.1, namespace: default}\n"
        "involvedObject: {kind: Workspace, name: a, namespace: default}\n"
        "type: Normal\nreason: Started\nmessage: the container runs\n"
        "firstTimestamp: 2026-01-01T00:00:00Z\nlastTimestamp: 2026-01-01T00:00:00Z\ncount: 2\n");
    const Ran ran = run({"events", "--for", "ws/a"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("Started"));
    EXPECT_THAT(ran.out, HasSubstr("workspace/a"));
    EXPECT_THAT(ran.out, HasSubstr("(x2)"));
    EXPECT_THAT(run({"events", "--for", "ws/b"}).err, HasSubstr("No events"));
    EXPECT_THAT(run({"describe", "ws", "a"}).out, HasSubstr("the container runs"));
}

TEST_F(CliServer, tells_about_the_server) {
    const Ran resources = run({"api-resources"});
    EXPECT_EQ(resources.code, 0) << resources.err;
    EXPECT_THAT(resources.out, HasSubstr("workspaces"));
    EXPECT_THAT(resources.out, HasSubstr("configmaps"));
    const Ran version = run({"version", "-o", "json"});
    EXPECT_EQ(version.code, 0) << version.err;
    EXPECT_THAT(version.out, HasSubstr("serverVersion"));
    EXPECT_EQ(run({"healthcheck"}).out, "ready\n");
    unwell = true;
    const Ran unready = run({"healthcheck"});
    EXPECT_EQ(unready.code, exit_code::error);
    EXPECT_THAT(unready.err, HasSubstr("not ready"));
}

TEST_F(CliServer, trusts_its_own_authority_and_nothing_else) {
    const fs::path other = home_ / "other";
    fs::create_directories(other);
    const auto stranger = apiserver::ensure_pki(other, {}, clock_.now(), random_);
    ASSERT_TRUE(stranger);
    ASSERT_TRUE(apiserver::ensure_kubeconfig(other / "kubeconfig", url(), stranger->ca_pem,
                                             "right-right-right"));
    const Ran ran = run({"get", "ws", "--kubeconfig", (other / "kubeconfig").string()});
    EXPECT_EQ(ran.code, exit_code::error);
    EXPECT_THAT(ran.err, HasSubstr("does not prove who it is"));
    const Ran token = run({"get", "ws", "--token", "wrong-wrong-wrong"});
    EXPECT_EQ(token.code, exit_code::forbidden);
    EXPECT_THAT(token.err, HasSubstr("the token"));
    EXPECT_THAT(token.err, Not(HasSubstr("wrong-wrong")));
}

TEST_F(CliServer, says_when_there_is_no_server) {
    const std::string was = url();
    api_->stop();
    http_->stop(Duration::zero());
    const Ran ran = run({"get", "ws"});
    EXPECT_EQ(ran.code, exit_code::error);
    EXPECT_THAT(ran.err, HasSubstr("cannot be reached"));
    EXPECT_THAT(ran.err, HasSubstr(was));
    EXPECT_EQ(run({"healthcheck"}).code, exit_code::error);
    EXPECT_EQ(apply(workspace("a") + workspace("b")).code, exit_code::error);
}

}  // namespace
}  // namespace atelier::cli::test
