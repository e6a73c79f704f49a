// What the command line says of objects that are not in order, and with which exit code.
#include <array>
#include <cstdio>
#include <fstream>

#include "tests/cli/cli_server.h"

namespace atelier::cli::test {
namespace {

constexpr std::string_view objects = "/apis/atelier.dev/v1alpha1/namespaces/default/";

std::string status(const std::string& conditions, const std::string& more = "") {
    std::string list;
    for (const auto& line :
         conditions.empty() ? std::vector<std::string>{} : std::vector<std::string>{conditions}) {
        list += line;
    }
    return R"({"observedGeneration":1,)" + more + R"("conditions":[)" + list + "]}";
}
std::string condition(const std::string& type, const std::string& value, const std::string& reason,
                      const std::string& message) {
    return R"({"type":")" + type + R"(","status":")" + value + R"(","reason":")" + reason +
           R"(","message":")" + message +
           R"(","observedGeneration":1,"lastTransitionTime":"2026-01-01T00:00:00Z"})";
}
std::string plugin_text() {
    return "apiVersion: atelier.dev/v1alpha1\nkind: Plugin\nmetadata: {name: reviewer}\n"
           "spec: {source: 'local://reviewer'}\n---\n";
}

class Why : public CliServer {
  protected:
    void pending_update() {
        ASSERT_EQ(apply(plugin_text() + std::string(update_text)).code, 0);
        set_status(std::string(objects) + "plugins/reviewer",
                   status(condition("Ready", "True", "Resolved", "at 1111111")));
        set_status(std::string(objects) + "pluginupdates/reviewer-0a1b2c3",
                   status(condition("Ready", "False", "AwaitingDecision", "it waits"),
                          R"("phase":"Pending",)"));
    }
};

TEST_F(Why, says_that_an_object_that_is_ready_waits_for_nothing) {
    apply(workspace("a"));
    set_status(std::string(objects) + "workspaces/a", ready(1));
    const Ran ran = run({"why", "ws/a"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, "workspace.atelier.dev/a is Ready\nIt is Ready: it waits for nothing.\n");
}

TEST_F(Why, leads_from_a_workspace_to_the_update_that_waits_for_a_decision) {
    pending_update();
    apply(workspace("a", "plugins: [reviewer]"));
    set_status(std::string(objects) + "workspaces/a",
               status(condition("Ready", "False", "PluginsPending", "waits for plugins")));
    apply(
        "apiVersion: v1\nkind: Event\nmetadata: {name: a.1}\ninvolvedObject: {apiVersion: "
        "atelier.dev/v1alpha1, kind: Workspace, name: a, namespace: default}\nreason: "
        "Waiting\nmessage: for something\ntype: Normal\n");
    const Ran ran = run({"why", "ws", "a"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out,
                testing::MatchesRegex("workspace.atelier.dev/a is not Ready for [0-9dhms]+\n"
                                      "  PluginsPending: waits for plugins\n"
                                      "  because there is no plugininstall.atelier.dev/a.reviewer\n"
                                      "  because pluginupdate.atelier.dev/reviewer-0a1b2c3 is "
                                      "waiting for a decision for [0-9dhms]+\n"
                                      "    AwaitingDecision: it waits\n"
                                      "Last events:\n.*Waiting.*for something\n"
                                      "What helps:\n"
                                      "  atelier approve reviewer-0a1b2c3    .or dismiss.\n"));
}

TEST_F(Why, leads_from_an_org_to_its_template_and_workspaces) {
    apply(
        "apiVersion: atelier.dev/v1alpha1\nkind: OrgTemplate\nmetadata: {name: t}\nspec: "
        "{source: {inline: 'name: x'}}\n---\napiVersion: atelier.dev/v1alpha1\nkind: Org\n"
        "metadata: {name: acme}\nspec: {templateRef: {name: t}}\n");
    apply(workspace("acme-a", "org: acme") + workspace("acme-b", "org: acme"));
    set_status(std::string(objects) + "orgtemplates/t",
               status(condition("Stalled", "True", "CompileError", "org.yaml:1: no workspaces")));
    set_status(std::string(objects) + "workspaces/acme-a", ready(1));
    set_status(std::string(objects) + "workspaces/acme-b", ready(1, "False"));
    const Ran ran = run({"why", "org", "acme"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_THAT(ran.out, testing::StartsWith("org.atelier.dev/acme is not reconciled yet\n"));
    EXPECT_THAT(ran.out, HasSubstr("because orgtemplate.atelier.dev/t is stalled"));
    EXPECT_THAT(ran.out, HasSubstr("CompileError: org.yaml:1: no workspaces\n"));
    EXPECT_THAT(ran.out, HasSubstr("because workspace.atelier.dev/acme-b is not Ready"));
    EXPECT_THAT(ran.out, Not(HasSubstr("acme-a")));
    EXPECT_THAT(ran.out,
                HasSubstr("What helps:\n  atelier describe orgtemplate t    (the server retries"));
}

TEST_F(Why, knows_who_suspended_it_and_how_to_end_that) {
    apply(workspace("a"));
    EXPECT_EQ(run({"suspend", "ws/a", "--reason", "moving house"}).code, 0);
    const Ran ran = run({"why", "ws/a"});
    EXPECT_THAT(ran.out, HasSubstr("workspace.atelier.dev/a is suspended\n"));
    EXPECT_THAT(ran.out, HasSubstr("  suspended by ada: moving house\n"));
    EXPECT_THAT(ran.out, HasSubstr("What helps:\n  atelier resume workspace a\n"));
    EXPECT_EQ(run({"resume", "ws/a"}).code, 0);
    EXPECT_THAT(run({"get", "ws/a", "-o", "json"}).out, Not(HasSubstr("moving house")));
    EXPECT_THAT(run({"get", "ws/a", "-o", "json"}).out, Not(HasSubstr("suspended-by")));
    EXPECT_EQ(run({"why"}).code, exit_code::usage);
    EXPECT_EQ(run({"why", "ws/nope"}).code, exit_code::error);
}

TEST_F(Why, waiting_ends_with_the_code_that_says_why) {
    pending_update();
    const auto wait = [&](const std::string& what) {
        return run({"wait", what, "--for=jsonpath={.status.phase}=Applied", "--timeout", "200ms"});
    };
    const Ran waits = wait("pu/reviewer-0a1b2c3");
    EXPECT_EQ(waits.code, exit_code::waiting_for_approval) << waits.err;
    EXPECT_THAT(waits.err, HasSubstr("AwaitingDecision: it waits"));
    // What has ended otherwise is not waited for: these would time out after an hour.
    const auto ends = [&](const std::string& phase) {
        set_status(std::string(objects) + "pluginupdates/reviewer-0a1b2c3",
                   status("", R"("phase":")" + phase + "\","));
        return run({"wait", "pu/reviewer-0a1b2c3", "--for=jsonpath={.status.phase}=Applied",
                    "--timeout", "1h"});
    };
    EXPECT_EQ(ends("Superseded").code, exit_code::conflict);
    EXPECT_EQ(ends("Dismissed").code, exit_code::conflict);
    const Ran failed = ends("Failed");
    EXPECT_EQ(failed.code, exit_code::stalled);
    EXPECT_THAT(failed.err, HasSubstr("it has ended: Failed"));
    EXPECT_EQ(ends("Applied").code, exit_code::fine);

    apply(workspace("a"));
    set_status(std::string(objects) + "workspaces/a",
               status(condition("Stalled", "True", "Invalid", "no such image")));
    EXPECT_EQ(run({"tree", "--until-ready", "--timeout", "200ms"}).code, exit_code::stalled);
}

TEST_F(Why, colours_are_for_terminals_whose_owner_does_not_mind) {
    apply(workspace("a") + workspace("b"));
    set_status(std::string(objects) + "workspaces/a", ready(1));
    set_status(std::string(objects) + "workspaces/b",
               status(condition("Stalled", "True", "Invalid", "no such image")));
    EXPECT_THAT(run({"tree"}).out, Not(HasSubstr("\x1b")));
    process.terminal = true;
    const std::string coloured = run({"tree"}).out;
    EXPECT_THAT(coloured, HasSubstr("\x1b[32m✓ Ready\x1b[0m"));
    EXPECT_THAT(coloured, HasSubstr("\x1b[31m✗ Stalled\x1b[0m"));
    for (const auto& [name, value] : {std::pair("NO_COLOR", "1"), std::pair("TERM", "dumb")}) {
        process.variables[name] = value;
        EXPECT_THAT(run({"tree"}).out, Not(HasSubstr("\x1b"))) << name;
        process.variables.erase(name);
    }
    for (const char* verb : {"updates", "api-resources", "version"}) {
        EXPECT_THAT(run({verb}).out, Not(HasSubstr("\x1b"))) << verb;
    }
}

// What bash makes of the script: the candidates for the last word of a line.
std::string completes(const fs::path& script, const std::string& line) {
    const std::string text = "source " + script.string() + "\nset -- " + line +
                             "\nCOMP_WORDS=(\"$@\" \"$LAST\")\n"
                             "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_atelier\n"
                             "printf '%s ' \"${COMPREPLY[@]}\"\n";
    const fs::path file = script.parent_path() / "ask.sh";
    std::ofstream(file) << text;
    FILE* const pipe = popen(("bash " + file.string() + " 2>&1").c_str(), "r");
    std::string out;
    std::array<char, 4096> buffer{};
    while (std::fgets(buffer.data(), buffer.size(), pipe)) out += buffer.data();
    pclose(pipe);
    return out;
}

TEST_F(Why, completion_is_understood_by_bash) {
    const Ran ran = run({"completion", "bash"});
    ASSERT_EQ(ran.code, 0);
    const fs::path script = home_ / "completion.sh";
    // Beside it an `atelier` that answers as the server would.
    std::ofstream(script) << ran.out << R"(
atelier() {
  case "$*" in
    "get workspaces -o name") echo workspace.atelier.dev/acme-pm; echo workspace.atelier.dev/b ;;
    "get pluginupdates -o name") echo pluginupdate.atelier.dev/reviewer-1 ;;
    api-resources) printf 'NAME KIND\nworkspaces Workspace\n' ;;
  esac
}
)";
    EXPECT_EQ(completes(script, "atelier; LAST=wh"), "why ");
    EXPECT_EQ(completes(script, "atelier get; LAST=w"), "workspaces ");
    EXPECT_EQ(completes(script, "atelier get workspaces; LAST=a"), "acme-pm ");
    EXPECT_EQ(completes(script, "atelier -n x get workspaces; LAST=--fie"), "--field-selector ");
    EXPECT_EQ(completes(script, "atelier approve; LAST="), "reviewer-1 ");
    EXPECT_EQ(completes(script, "atelier wait workspaces b; LAST=--f"), "--for ");
    EXPECT_EQ(run({"completion", "fish"}).code, exit_code::usage);
    EXPECT_EQ(run({"completion"}).code, exit_code::usage);
}

}  // namespace
}  // namespace atelier::cli::test
