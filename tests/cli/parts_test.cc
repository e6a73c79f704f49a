// The parts of the command line that need no server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/digest.h"
#include "base/file.h"
#include "base/random.h"
#include "cli/client/client.h"
#include "cli/client/kubeconfig.h"
#include "cli/objects/manifests.h"
#include "cli/objects/three_way.h"
#include "cli/output/org_tree.h"
#include "cli/output/output.h"
#include "cli/output/plan_html.h"
#include "cli/output/plan_text.h"
#include "cli/output/text_table.h"
#include "cli/session/arguments.h"
#include "tests/cli/run_in_process.h"

namespace atelier::cli::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

json::Document parsed(std::string_view text) {
    auto document = json::parse(text);
    EXPECT_TRUE(document) << text;
    return document ? *std::move(document) : json::Document();
}

class Folder {
  public:
    Folder() {
        SystemRandom random;
        path = fs::temp_directory_path() / ("atelier-cli-" + uuid4(random));
        fs::create_directories(path);
    }
    ~Folder() { fs::remove_all(path); }
    fs::path write(const std::string& name, std::string_view text) const {
        fs::create_directories((path / name).parent_path());
        EXPECT_TRUE(write_file_atomically(path / name, text));
        return path / name;
    }
    fs::path path;
};

// --- arguments ---

const std::vector<Flag> some_flags = {
    {"output", 'o', Flag::Kind::text, "FORMAT", ""},
    {"filename", 'f', Flag::Kind::text, "FILE", ""},
    {"watch", 'w', Flag::Kind::on, "", ""},
    {"wait", 0, Flag::Kind::on, "", "", "true"},
};

TEST(CliArguments, are_read_in_every_usual_form) {
    const auto a = parse_arguments(
        {"ws", "-oyaml", "x", "-w", "--filename=a", "-f", "-", "--", "-w"}, some_flags);
    ASSERT_TRUE(a) << a.error().message;
    EXPECT_THAT(a->words, ElementsAre("ws", "x", "-w"));
    EXPECT_EQ(a->text("output"), "yaml");
    EXPECT_TRUE(a->on("watch"));
    EXPECT_TRUE(a->on("wait"));
    EXPECT_FALSE(a->given("wait"));
    EXPECT_THAT(a->list("filename"), ElementsAre("a", "-"));
    const auto b = parse_arguments({"--wait", "x", "--watch=false", "--wait=false"}, some_flags);
    ASSERT_TRUE(b);
    EXPECT_FALSE(b->on("wait"));
    EXPECT_FALSE(b->on("watch"));
    EXPECT_THAT(b->words, ElementsAre("x"));
    const auto c = parse_arguments({"-w", "x", "-o", "-w", "-fy"}, some_flags);
    ASSERT_TRUE(c);
    EXPECT_TRUE(c->on("watch"));
    EXPECT_EQ(c->text("output"), "-w");
    EXPECT_EQ(c->text("filename"), "y");
    EXPECT_THAT(c->words, ElementsAre("x"));
}

TEST(CliArguments, name_what_is_wrong) {
    EXPECT_THAT(parse_arguments({"--ouput", "x"}, some_flags).error().message,
                HasSubstr("did you mean --output?"));
    EXPECT_THAT(parse_arguments({"-o"}, some_flags).error().message, HasSubstr("needs a value"));
    EXPECT_THAT(parse_arguments({"--watch=perhaps"}, some_flags).error().message,
                HasSubstr("true or false"));
    EXPECT_FALSE(parse_arguments({"-z"}, some_flags));
}

TEST(CliArguments, find_the_verb_behind_flags) {
    EXPECT_EQ(find_first_word({"--output", "x", "-w", "get"}, some_flags), 3U);
    EXPECT_EQ(find_first_word({"--output=x", "get"}, some_flags), 1U);
    EXPECT_EQ(find_first_word({"-w"}, some_flags), std::string::npos);
}

// --- help ---

TEST(CliHelp, is_there_for_every_verb) {
    Process process;
    const Ran all = process.run({"--help"});
    EXPECT_EQ(all.code, 0);
    EXPECT_EQ(all.err, "");
    for (const char* verb :
         {"apply", "get", "describe", "delete", "tree", "events", "approve", "dismiss", "reconcile",
          "wait", "updates", "suspend", "undelete", "adopt", "release", "resume", "api-resources",
          "version", "healthcheck"}) {
        EXPECT_THAT(all.out, HasSubstr(std::string("\n  ") + verb));
        for (const auto& arguments :
             {std::vector<std::string>{verb, "--help"}, {"help", verb}, {"-n", "x", verb, "-h"}}) {
            const Ran one = process.run(arguments);
            EXPECT_EQ(one.code, 0);
            EXPECT_THAT(one.out, HasSubstr(std::string("examples:\n  ")));
            EXPECT_THAT(one.out, HasSubstr(std::string("atelier ") + verb));
        }
    }
}

TEST(CliHelp, guesses_what_was_meant) {
    Process process;
    const Ran verb = process.run({"aply"});
    EXPECT_EQ(verb.code, exit_code::usage);
    EXPECT_THAT(verb.err, HasSubstr("did you mean \"apply\"?"));
    EXPECT_EQ(verb.out, "");
    const Ran flag = process.run({"get", "ws", "--wach"});
    EXPECT_EQ(flag.code, exit_code::usage);
    EXPECT_THAT(flag.err, HasSubstr("did you mean --watch?"));
    EXPECT_EQ(process.run({"get"}).code, exit_code::usage);
    EXPECT_EQ(process.run({"apply"}).code, exit_code::usage);
    EXPECT_EQ(process.run({"wait", "ws", "x"}).code, exit_code::usage);
    EXPECT_EQ(process.run({"tree", "a", "b"}).code, exit_code::usage);
}

TEST(CliHelp, tells_the_version_without_a_server) {
    Process process;
    const Ran text = process.run({"version", "--client"});
    EXPECT_EQ(text.code, 0);
    EXPECT_EQ(text.out, "atelier 1.2.3 (abc)\n");
    const Ran as_json = process.run({"version", "--client", "-o", "json"});
    EXPECT_EQ(json::string_at(parsed(as_json.out), {"clientVersion", "version"}), "1.2.3");
}

// --- kubeconfig ---

ConnectionFlags flags_of(std::string file, std::string context = "", std::string server = "",
                         std::string ns = "") {
    ConnectionFlags out;
    out.kubeconfig = std::move(file);
    out.context = std::move(context);
    out.server = std::move(server);
    out.ns = std::move(ns);
    return out;
}

std::string kubeconfig(const std::string& server, const std::string& more = "") {
    return "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: k\n  cluster:\n"
           "    server: " +
           server + "\n" + more +
           "contexts:\n- name: c\n  context: {cluster: k, user: u, namespace: team}\n"
           "- name: d\n  context: {cluster: k, user: u}\n"
           "users:\n- name: u\n  user: {token: secret}\n";
}

TEST(CliKubeconfig, takes_the_first_place_that_has_one) {
    const Folder folder;
    const auto flag = folder.write("flag", kubeconfig("https://flag"));
    const auto variable = folder.write("variable", kubeconfig("https://variable"));
    folder.write(".atelier/kubeconfig", kubeconfig("https://atelier/"));
    folder.write("other/kubeconfig", kubeconfig("https://other"));
    folder.write(".kube/config", kubeconfig("https://kube"));
    const std::string home = folder.path.string();
    const auto server = [&](ConnectionFlags flags,
                            std::map<std::string, std::string, std::less<>> e) {
        const auto found = find_connection(flags, Environment(std::move(e)));
        return found ? found->server : found.error().message;
    };
    EXPECT_EQ(server(flags_of(flag.string()), {{"HOME", home}, {"KUBECONFIG", variable}}),
              "https://flag");
    EXPECT_EQ(server({}, {{"HOME", home}, {"KUBECONFIG", variable}}), "https://variable");
    EXPECT_EQ(server({}, {{"HOME", home}, {"ATELIER_HOME", home + "/other"}}), "https://other");
    EXPECT_EQ(server({}, {{"HOME", home}}), "https://atelier");
    fs::remove_all(folder.path / ".atelier");
    EXPECT_EQ(server({}, {{"HOME", home}}), "https://kube");
    EXPECT_EQ(server(flags_of("", "", "https://given"), {{"HOME", home}}), "https://given");
    fs::remove_all(folder.path / ".kube");
    EXPECT_THAT(server({}, {{"HOME", home}}), HasSubstr("atelier server"));
    EXPECT_EQ(server(flags_of("", "", "https://given"), {{"HOME", home}}), "https://given");
}

TEST(CliKubeconfig, reads_its_parts) {
    const Folder folder;
    folder.write("ca.crt", "PEM");
    const auto file =
        folder.write("config", kubeconfig("https://x", "    certificate-authority: ca.crt\n"));
    const auto found = find_connection(flags_of(file.string()), Environment());
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->ca_pem, "PEM");
    EXPECT_EQ(found->token, "secret");
    EXPECT_EQ(found->ns, "team");
    EXPECT_TRUE(found->verify);
    EXPECT_EQ(find_connection(flags_of(file.string(), "d"), Environment())->ns, "default");
    EXPECT_EQ(find_connection(flags_of(file.string(), "", "", "n"), Environment())->ns, "n");
    const auto data = folder.write(
        "data", kubeconfig("https://x", "    certificate-authority-data: " + base64("P") + "\n"));
    EXPECT_EQ(find_connection(flags_of(data.string()), Environment())->ca_pem, "P");
}

TEST(CliKubeconfig, merges_the_files_of_a_list) {
    const Folder folder;
    const auto first = folder.write("first", "current-context: d\n");
    const auto second = folder.write("second", kubeconfig("https://second"));
    const auto found = find_connection(
        {}, Environment({{"KUBECONFIG", first.string() + ":" + folder.path.string() +
                                            "/none:" + second.string()}}));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->server, "https://second");
    EXPECT_EQ(found->ns, "default");
}

TEST(CliKubeconfig, refuses_what_it_cannot_keep) {
    const Folder folder;
    const auto message = [&](const std::string& text, ConnectionFlags flags = {}) {
        flags.kubeconfig = folder.write("config", text).string();
        const auto found = find_connection(flags, Environment());
        return found ? "" : found.error().message;
    };
    EXPECT_THAT(message(kubeconfig("http://example.com")), HasSubstr("plain http"));
    EXPECT_EQ(message(kubeconfig("http://127.0.0.1:1")), "");
    EXPECT_THAT(message(kubeconfig("ftp://x")), HasSubstr("must be an http or https URL"));
    EXPECT_THAT(message(kubeconfig("https://x"), flags_of("", "none")), HasSubstr("\"none\""));
    EXPECT_THAT(message("a: [b"), HasSubstr("config"));
    EXPECT_THAT(message(kubeconfig("https://x", "    certificate-authority-data: '%'\n")),
                HasSubstr("not base64"));
}

// --- apply ---

TEST(CliThreeWay, sets_removes_and_leaves) {
    const auto live = parsed(R"({"metadata":{"annotations":{
        "kubectl.kubernetes.io/last-applied-configuration":
        "{\"spec\":{\"old\":1,\"map\":{\"gone\":1,\"kept\":1},\"elsewhere\":1}}"}},
        "spec":{"old":1,"map":{"gone":1,"kept":1,"others":9},"others":2,"list":[1,2]}})");
    const auto wanted = parsed(
        R"({"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"new"}},
        "spec":{"map":{"kept":2},"list":[1],"new":{"a":{"b":1}}}})");
    EXPECT_EQ(json::canonical(three_way_patch(live, wanted)),
              json::canonical(parsed(R"({"metadata":{"annotations":{
        "kubectl.kubernetes.io/last-applied-configuration":"new"}},
        "spec":{"old":null,"map":{"gone":null,"kept":2},"list":[1],"new":{"a":{"b":1}}}})")));
}

TEST(CliThreeWay, finds_nothing_to_do_when_applied_again) {
    const auto object = parsed(R"({"kind":"X","metadata":{"name":"a"},"spec":{"b":[{"c":null}]}})");
    const auto wanted = with_last_applied(object);
    EXPECT_TRUE(three_way_patch(wanted, wanted).ObjectEmpty());
    EXPECT_TRUE(three_way_patch(wanted, with_last_applied(wanted)).ObjectEmpty());
    const std::string recorded =
        json::string_at(wanted, {"metadata", "annotations", last_applied_annotation});
    EXPECT_EQ(recorded.back(), '\n');
    EXPECT_EQ(recorded.find("last-applied"), std::string::npos);
}

TEST(CliThreeWay, survives_an_annotation_that_is_no_json) {
    const auto live = parsed(R"({"metadata":{"annotations":{
        "kubectl.kubernetes.io/last-applied-configuration":"{"}},"spec":{"a":1}})");
    EXPECT_EQ(json::text(three_way_patch(live, parsed(R"({"spec":{"a":2}})"))),
              R"({"spec":{"a":2}})");
}

TEST(CliManifests, are_read_from_folders_in_order_with_their_places) {
    const Folder folder;
    folder.write("b.yaml", "kind: B\n---\n\n---\nkind: C\nspec:\n  files:\n  - path: x\n");
    folder.write("a.json", R"({"kind":"A"})");
    folder.write("ignored.txt", "kind: No\n");
    folder.write("sub/d.yml", "kind: List\nitems:\n- kind: D\n- kind: E\n");
    std::istringstream none;
    const auto flat = read_manifests({folder.path.string()}, false, none);
    ASSERT_TRUE(flat);
    ASSERT_EQ(flat->objects.size(), 3U);
    EXPECT_EQ(json::string_at(flat->objects[0].object, {"kind"}), "A");
    EXPECT_THAT(flat->objects[2].place(), testing::EndsWith("b.yaml:5"));
    EXPECT_THAT(flat->objects[2].place("spec.files[0].path"), testing::EndsWith("b.yaml:8"));
    const auto deep = read_manifests({folder.path.string()}, true, none);
    ASSERT_TRUE(deep);
    ASSERT_EQ(deep->objects.size(), 5U);
    EXPECT_EQ(json::string_at(deep->objects[4].object, {"kind"}), "E");
    EXPECT_THAT(deep->objects[4].place(), testing::EndsWith("d.yml:4"));
    EXPECT_FALSE(read_manifests({(folder.path / "none").string()}, false, none));
    std::istringstream in("kind: F\n");
    const auto piped = read_manifests({"-"}, false, in);
    ASSERT_TRUE(piped);
    EXPECT_EQ(piped->objects[0].place(), "stdin:1");
    folder.write("z.yaml", "a: [b\n");
    const auto broken = read_manifests({folder.path.string()}, false, none);
    ASSERT_TRUE(broken);
    EXPECT_EQ(broken->objects.size(), 3U);
    EXPECT_EQ(broken->errors.size(), 1U);
}

// --- tables ---

TEST(CliTextTable, lines_up_and_hides_control_characters) {
    TextTable table({"NAME", "X"});
    table.add({"é", "1"});
    table.add({"a\x1b[2Jb", "line\nend"});
    EXPECT_EQ(table.take_text(true), "NAME     X\né        1\na [2Jb   line end\n");
    table.add({"c", ""});
    EXPECT_EQ(table.take_text(false), "c\n");
}

TEST(CliServerTable, shows_columns_by_priority) {
    const auto answer = parsed(R"({"kind":"Table","columnDefinitions":[
        {"name":"Name","type":"string","format":"name","priority":0},
        {"name":"Image","type":"string","priority":1},{"name":"Age","type":"date","priority":0}],
        "rows":[{"cells":["a","img",null],"object":{"metadata":{"namespace":"n"}}}]})");
    ServerTable narrow({});
    ASSERT_TRUE(narrow.add(answer));
    EXPECT_EQ(narrow.take_text(), "NAME   AGE\na      <none>\n");
    ServerTable wide({true, true, "ws/"});
    ASSERT_TRUE(wide.add(answer));
    EXPECT_EQ(wide.take_text(),
              "NAMESPACE   NAME   IMAGE   AGE\nn           ws/a   img     <none>\n");
    ServerTable none({});
    EXPECT_FALSE(none.add(parsed(R"({"kind":"Status"})")));
}

TEST(CliOutput, knows_its_formats) {
    const auto object = parsed(
        R"({"apiVersion":"atelier.dev/v1alpha1","kind":"Workspace","metadata":{"name":"a"},"spec":{"n":1}})");
    EXPECT_EQ(object_text(*format_of("name"), object), "workspace.atelier.dev/a\n");
    EXPECT_EQ(object_text(*format_of("jsonpath={.spec.n}"), object), "1\n");
    EXPECT_THAT(object_text(*format_of("yaml"), object), HasSubstr("kind: Workspace\n"));
    EXPECT_FALSE(format_of("xml"));
}

TEST(CliClient, understands_a_status) {
    const auto status = parsed(R"({"kind":"Status","code":422,"reason":"Invalid","message":"m",
        "details":{"causes":[{"field":"spec.x","reason":"FieldValueRequired","message":"Required"}]}})");
    const Error error = error_of_status(422, status);
    EXPECT_EQ(error.code, Code::invalid);
    ASSERT_EQ(error.causes.size(), 1U);
    EXPECT_EQ(error.causes[0].field, "spec.x");
    EXPECT_EQ(error_of_status(0, parsed(R"({"code":410,"reason":"Expired"})")).code, Code::gone);
    EXPECT_EQ(percent_encode("a b/ü"), "a%20b%2F%C3%BC");
}

// --- tree ---

crds::Workspace workspace(const std::string& name, const std::string& parent,
                          crds::ConditionStatus ready, const std::string& org = "acme") {
    crds::Workspace out;
    out.meta.name = name;
    out.meta.generation = 1;
    out.meta.created_at = Instant(std::chrono::seconds(1000));
    out.spec.org = org;
    out.spec.parent = parent;
    out.status.observed_generation = 1;
    out.status.plugins_summary = "1/2";
    out.status.set({"Ready", ready, "Starting", "the container starts", {}, 1}, Instant());
    return out;
}

crds::Org org(const std::string& name, std::int64_t desired) {
    crds::Org out;
    out.meta.name = name;
    out.meta.generation = 1;
    out.status.observed_generation = 1;
    out.status.counts = {desired, desired, desired};
    out.status.set({"Ready", crds::ConditionStatus::yes, "Ready", "", {}, 1}, Instant());
    return out;
}

std::vector<std::string> names_in(const std::vector<TreeLine>& lines) {
    std::vector<std::string> out;
    for (const auto& line : lines) out.push_back(line.cells[0]);
    return out;
}

TEST(CliTree, draws_parents_above_children) {
    using enum crds::ConditionStatus;
    const Fleet fleet{{org("acme", 4)},
                      {workspace("acme-dev", "acme-pm", no), workspace("acme-pm", "", yes),
                       workspace("acme-qa", "acme-pm", yes), workspace("acme-sub", "acme-dev", yes),
                       workspace("alone", "", yes, "")}};
    const auto lines = tree_lines(fleet, Instant(std::chrono::seconds(1065)), true);
    EXPECT_THAT(names_in(lines),
                ElementsAre("acme", "└─ acme-pm", "   ├─ acme-dev", "   │  └─ acme-sub",
                            "   └─ acme-qa", "(no org)", "└─ alone"));
    EXPECT_THAT(lines[2].cells, ElementsAre("   ├─ acme-dev", "● Reconciling", "production", "1/2",
                                            "65s", "Starting: the container starts"));
    EXPECT_EQ(lines[1].cells[1], "✓ Ready");
    EXPECT_FALSE(all_ready(fleet));
    EXPECT_THAT(not_ready(fleet),
                ElementsAre("acme-dev is Reconciling: Starting: the container starts"));
    const auto plain = tree_lines(fleet, Instant(), false);
    EXPECT_EQ(plain[3].cells[0], "   |  `- acme-sub");
}

TEST(CliTree, shows_every_workspace_of_a_circle_once) {
    using enum crds::ConditionStatus;
    const Fleet fleet{
        {org("acme", 3)},
        {workspace("a", "b", yes), workspace("b", "a", yes), workspace("c", "c", yes)}};
    EXPECT_THAT(names_in(tree_lines(fleet, Instant(), true)),
                ElementsAre("acme", "└─ c", "└─ a", "   └─ b"));
}

TEST(CliTree, is_ready_only_when_nothing_is_missing_or_old) {
    using enum crds::ConditionStatus;
    Fleet fleet{{org("acme", 2)}, {workspace("a", "", yes)}};
    EXPECT_FALSE(all_ready(fleet));
    fleet.workspaces.push_back(workspace("b", "a", yes));
    EXPECT_TRUE(all_ready(fleet));
    fleet.workspaces[1].meta.generation = 2;
    EXPECT_FALSE(all_ready(fleet));
    EXPECT_FALSE(all_ready({}));
}

ForecastStatus a_plan() {
    ForecastStatus plan;
    plan.items.push_back({.kind = "Workspace",
                          .name = "acme-pm",
                          .org = "acme",
                          .action = "restart",
                          .reasons = {"files M config.yaml", "env <b>\"A\"&'\x1b[2J changed"},
                          .parent = "",
                          .old_parent = "acme-be",
                          .kept = "",
                          .held = true});
    plan.items.push_back({.kind = "Workspace",
                          .name = "acme-qa",
                          .org = "acme",
                          .action = "delete",
                          .reasons = {},
                          .parent = "",
                          .old_parent = "",
                          .kept = "volumes kept 7d"});
    plan.blockers.push_back({"Org acme", "PruneBlocked", "</p><script>", "kubectl <x>", true});
    plan.blockers.push_back({"Org acme", "EnvMissing", "A is not set", "", false});
    plan.counts = {{"restart", 1}, {"delete", 1}};
    plan.unchanged = 9'998;
    plan.summary = "1 restart, 1 delete; 9998 unchanged";
    plan.token = "0123";
    plan.expires_at = *parse_rfc3339("2026-01-02T00:00:00Z");
    return plan;
}

TEST(PlanText, SaysWhatHappensWhyAndWhatHelps) {
    const std::string text = plan_text(a_plan(), "default", true);
    EXPECT_THAT(text, HasSubstr("= nothing   9998 workspaces"));
    EXPECT_THAT(text, HasSubstr("↻ restart   workspace/acme-pm   parent acme-be -> (root)\n"));
    EXPECT_THAT(text, HasSubstr("- delete    workspace/acme-qa   volumes kept 7d\n"));
    EXPECT_THAT(text, HasSubstr("held: see what blocks it"));
    EXPECT_THAT(text, HasSubstr("Blocked:\n  Org acme: PruneBlocked"));
    EXPECT_THAT(text, HasSubstr("To know:\n  Org acme: EnvMissing: A is not set\n"));
    EXPECT_THAT(text, HasSubstr("\n  atelier apply --plan 0123\n"));
    EXPECT_THAT(plan_text(a_plan(), "there", true), HasSubstr("apply -n there --plan 0123"));
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    for (const char c : plan_text(a_plan(), "default", false)) {
        EXPECT_LT(static_cast<unsigned char>(c), 0x80);
    }
    EXPECT_EQ(plan_text({}, "default", true), "Nothing would change.\n");
}

TEST(PlanHtml, EscapesEverythingAndNeedsNothingElse) {
    const std::string page = plan_html(a_plan(), "a&b", "2026");
    EXPECT_THAT(page, HasSubstr("env &lt;b&gt;&quot;A&quot;&amp;&#39; [2J changed"));
    EXPECT_THAT(page, HasSubstr("&lt;/p&gt;&lt;script&gt;"));
    EXPECT_THAT(page, HasSubstr("namespace a&amp;b"));
    EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
    for (const char* bad : {"<script", "http://", "https://", "url(", "@import", "\x1b"}) {
        EXPECT_EQ(page.find(bad), std::string::npos) << bad;
    }
    EXPECT_THAT(plan_html({}, "default", ""), HasSubstr("Nothing would change."));
    ForecastStatus odd;
    odd.items.push_back({.kind = "K",
                         .name = "n",
                         .org = "",
                         .action = "\"><b>",
                         .reasons = {},
                         .parent = "",
                         .old_parent = "",
                         .kept = ""});
    EXPECT_THAT(plan_html(odd, "default", ""), HasSubstr("<td class=\"other\">"));
}

}  // namespace
}  // namespace atelier::cli::test
