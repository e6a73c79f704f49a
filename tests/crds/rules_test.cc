// The rules of each kind beyond its schema, as tables: an object's spec, and the cause it gives.
#include <gtest/gtest.h>

#include "base/text.h"
#include "crds/lifecycle.h"
#include "crds/plugin_source.h"
#include "crds/yaml.h"

namespace atelier::crds {
namespace {

class Tiers final : public Lookup {
  public:
    std::string find(const Key& key) const override {
        return key == Key{"updatetiers.atelier.dev", "", "staging"} ? "{}" : "";
    }
    std::vector<std::string> names(std::string_view, std::string_view) const override {
        return {"staging"};
    }
};

class Rules : public testing::Test {
  protected:
    static const Kind& kind(std::string_view resource) {
        static const Kinds kinds = [] {
            Kinds all = *atelier_kinds();
            add_core_kinds(all);
            return all;
        }();
        return *kinds.find(resource);
    }
    json::Document object(std::string_view text) {
        auto documents = parse_yaml(text, "test");
        EXPECT_TRUE(documents) << documents.error().message << "\n" << text;
        return std::move(documents->front().value);
    }
    json::Document of_spec(std::string_view resource, std::string_view spec) {
        const bool cluster = kind(resource).scope == Scope::cluster;
        return object("metadata: {name: a" + std::string(cluster ? "" : ", namespace: default") +
                      "}\nspec: " + std::string(spec));
    }
    // "" when the object is taken, else "field: message" of each cause.
    static std::string verdict(const Result<json::Document>& result) {
        if (result) return "";
        std::vector<std::string> lines;
        for (const Cause& cause : result.error().causes) {
            lines.push_back(cause.field + ": " + cause.message);
        }
        return lines.empty() ? result.error().message : join(lines, "; ");
    }
    std::string create(std::string_view resource, std::string_view spec) {
        return verdict(admit_create(kind(resource), of_spec(resource, spec), admission_));
    }
    std::string update(std::string_view resource, std::string_view before, std::string_view after) {
        auto old = admit_create(kind(resource), of_spec(resource, before), admission_);
        if (!old) return "before: " + old.error().message;
        return verdict(admit_update(kind(resource), *old, of_spec(resource, after), admission_));
    }
    using Rows = std::vector<std::pair<std::string, std::string>>;
    void expect(std::string_view resource, const Rows& rows) {
        for (const auto& [spec, message] : rows) EXPECT_EQ(create(resource, spec), message) << spec;
    }

    SeededRandom random_{1};
    Tiers tiers_;
    Admission admission_{Instant{std::chrono::seconds(1'800'000'000)}, random_, tiers_};
};

TEST_F(Rules, OrgTemplate) {
    const std::string one = "set exactly one of git, directory and inline";
    expect(
        "orgtemplates.atelier.dev",
        {{"{source: {git: {url: 'https://h/a.git', ref: main, path: orgs/acme}}}", ""},
         {"{source: {git: {url: 'http://127.0.0.1:80/a', ref: 'refs/heads/a@b+c'}}}", ""},
         {"{source: {directory: acme/prod}}", ""},
         {"{source: {inline: 'name: a'}}", ""},
         {"{source: {}}", "spec.source: Required value: " + one},
         {"{source: {directory: a, inline: b}}",
          "spec.source: Forbidden: more than one of git, directory and inline is set"},
         {"{source: {git: {url: 'ssh://h/a'}}}",
          "spec.source.git.url: Invalid value: \"ssh://h/a\": the URL must begin with https:// or "
          "http://"},
         {"{source: {git: {url: 'git@h:a'}}}",
          "spec.source.git.url: Invalid value: \"git@h:a\": the URL must begin with https:// or "
          "http://"},
         {"{source: {git: {url: 'https://me:pw@h/a'}}}",
          "spec.source.git.url: Invalid value: \"https://***@h/a\": the URL holds credentials; "
          "put them into a Secret and name it in secretRef"},
         {"{source: {git: {url: 'https://h/a?token=t0p'}}}",
          "spec.source.git.url: Invalid value: \"https://h/a?***\": the URL holds a query; a token "
          "belongs into a Secret, named in secretRef"},
         {"{source: {git: {url: 'https://h/a/../b'}}}",
          "spec.source.git.url: Invalid value: \"https://h/a/../b\": the URL's path holds \"..\""},
         {"{source: {git: {url: 'https://h/'}}}",
          "spec.source.git.url: Invalid value: \"https://h/\": the URL names no repository; it "
          "needs a path after the host"},
         {"{source: {git: {url: 'https:///a'}}}",
          "spec.source.git.url: Invalid value: \"https:///a\": the URL names no host"},
         {"{source: {git: {url: \"https://h/a\\nb\"}}}",
          "spec.source.git.url: Invalid value: \"https://h/a\\nb\": the URL holds a blank, a "
          "backslash or a control character"},
         {"{source: {git: {url: 'https://h/a', ref: '--upload-pack=x'}}}",
          "spec.source.git.ref: Invalid value: \"--upload-pack=x\": a ref may hold letters, digits "
          "and . _ / + - @ only"},
         {"{source: {git: {url: 'https://h/a', ref: '-x'}}}",
          "spec.source.git.ref: Invalid value: \"-x\": a ref may not begin with '-': git would "
          "take "
          "it for an option"},
         {"{source: {git: {url: 'https://h/a', ref: 'a..b'}}}",
          "spec.source.git.ref: Invalid value: \"a..b\": a ref may hold neither \"..\" nor \"@{\""},
         {"{source: {git: {url: 'https://h/a', path: ../x}}}",
          "spec.source.git.path: Invalid value: \"../x\": must be relative, without \"..\", \".\" "
          "or "
          "empty parts"},
         {"{source: {directory: /etc}}",
          "spec.source.directory: Invalid value: \"/etc\": must be relative to the server's "
          "directory of templates, without \"..\", \".\" or empty parts"},
         {"{source: {inline: x}, interval: 500ms}",
          "spec.interval: Invalid value: \"500ms\": must be at least 1s"}});
}

TEST_F(Rules, Org) {
    expect(
        "orgs.atelier.dev",
        {{"{templateRef: {name: t}, parameters: {A_1: x}, updateTiers: {pm: canary, qa: staging}}",
          ""},
         {"{templateRef: {name: t}, parameters: {'1a': x}}",
          "spec.parameters[1a]: Invalid value: \"1a\": a parameter is named like a variable: "
          "letters, digits and '_', not beginning with a digit"},
         {"{templateRef: {name: t}, updateTiers: {pm: canery}}",
          "spec.updateTiers[pm]: Not found: \"canery\": no UpdateTier has this name; did you mean "
          "\"canary\"?"},
         {"{templateRef: {name: t}, defaults: {updateTier: stagin}}",
          "spec.defaults.updateTier: Not found: \"stagin\": no UpdateTier has this name; did you "
          "mean \"staging\"?"},
         {"{templateRef: {name: t}, envFrom: [{}]}",
          "spec.envFrom[0]: Invalid value: \"\": set exactly one of secretRef and configMapRef"},
         {"{templateRef: {}}", "spec.templateRef.name: Required value"},
         {"{templateRef: {name: t}, prune: {maxPercent: 101}}",
          "spec.prune.maxPercent: Invalid value: 101: spec.prune.maxPercent in body should be less "
          "than or equal to 100"},
         {"{templateRef: {name: t}, prune: {volumeGrace: 0s}}", ""},
         {"{templateRef: {name: t}, prune: {volumeGrace: -1h}}",
          "spec.prune.volumeGrace: Invalid value: \"-1h\": must not be negative; 0s keeps no "
          "volumes"}});
}

TEST_F(Rules, Workspace) {
    const std::string resource = "workspaces.atelier.dev";
    expect(
        resource,
        {{"{}", ""},
         {"{role: \"reads\\nand writes\", displayName: 'R&D Lead', parent: b}", ""},
         {"{parent: a}", "spec.parent: Invalid value: \"a\": a workspace cannot be its own parent"},
         {"{displayName: \"a\\nb\"}",
          "spec.displayName: Invalid value: \"a\\nb\": must be one line without control "
          "characters"},
         {"{tier: 0}",
          "spec.tier: Invalid value: 0: spec.tier in body should be greater than or equal to 1"},
         {"{updateTier: nightly}",
          "spec.updateTier: Not found: \"nightly\": no UpdateTier has this name; create it first"},
         {"{updateTier: staging}", ""},
         {"{plugins: [a, Not-A-Name]}",
          "spec.plugins[1]: Invalid value: \"Not-A-Name\": spec.plugins[1] in body should match "
          "'^[a-z0-9][a-z0-9._-]{0,127}$'"},
         {"{plugins: [.staging]}",
          "spec.plugins[0]: Invalid value: \".staging\": spec.plugins[0] in body should match "
          "'^[a-z0-9][a-z0-9._-]{0,127}$'"},
         {"{plugins: [a, a]}", "spec.plugins[1]: Duplicate value: \"a\""},
         {"{desiredState: Off}",
          "spec.desiredState: Unsupported value: \"Off\": supported values: \"Running\", "
          "\"Paused\", \"Hibernated\""},
         {"{url: 'javascript:x'}",
          "spec.url: Invalid value: \"javascript:x\": must be an http:// or https:// URL with a "
          "host "
          "and without credentials"},
         {"{url: 'https://user:pw@h/a'}",
          "spec.url: Invalid value: \"https://***@h/a\": must be an http:// or https:// URL with a "
          "host "
          "and without credentials"},
         {"{schedules: [{name: s, cronExpr: '0 9 * *'}]}",
          "spec.schedules[0].cronExpr: Invalid value: \"0 9 * *\": must have five fields: minute, "
          "hour, day of month, month, day of week"},
         {"{schedules: [{name: s, cronExpr: '0 9 * * 1-5'}]}", ""}});
    EXPECT_EQ(update(resource, "{org: o, key: k}", "{org: o, key: k, model: m}"), "");
    EXPECT_EQ(update(resource, "{org: o, key: k}", "{org: p, key: k}"),
              "spec.org: Invalid value: \"p\": field is immutable; it is \"o\"");
    EXPECT_EQ(update(resource, "{org: o, key: k}", "{org: o}"),
              "spec.key: Invalid value: \"\": field is immutable; it is \"k\"");
    // One that was made by hand gets them when an Org adopts it.
    EXPECT_EQ(update(resource, "{role: r}", "{role: r, org: o, key: k}"), "");
}

TEST_F(Rules, AWorkspaceKeepsTheVolumesThatItWasMadeWith) {
    const auto with = [&](const std::string& annotations) {
        return object("metadata: {name: a, namespace: default, annotations: {" + annotations +
                      "}}\nspec: {role: r}");
    };
    const Kind& workspaces = kind("workspaces.atelier.dev");
    const std::string mine = "atelier.dev/volumes-of: u1";
    auto made = admit_create(workspaces, with(mine), admission_);
    ASSERT_TRUE(made);
    EXPECT_EQ(verdict(admit_update(workspaces, *made, with(mine + ", x: y"), admission_)), "");
    const std::string refusal = "it is set when the Workspace is made, and cannot be changed";
    EXPECT_EQ(verdict(admit_update(workspaces, *made, with("x: y"), admission_)),
              "metadata.annotations[atelier.dev/volumes-of]: Invalid value: \"\": " + refusal);
    auto plain = admit_create(workspaces, with(""), admission_);
    ASSERT_TRUE(plain);
    EXPECT_EQ(verdict(admit_update(workspaces, *plain, with(mine), admission_)),
              "metadata.annotations[atelier.dev/volumes-of]: Invalid value: \"u1\": " + refusal);
}

TEST_F(Rules, DeletedWorkspace) {
    const std::string resource = "deletedworkspaces.atelier.dev";
    const std::string was =
        "{workspace: a, uid: u, org: o, orgUID: ou, volumes: [d/v], spec: {role: r, odd: [1]}, "
        "deletedAt: '2026-05-08T12:00:00Z', expiresAt: ";
    EXPECT_EQ(create(resource, was + "'2026-05-09T12:00:00Z'}"), "");
    EXPECT_EQ(create(resource, "{workspace: a, uid: u}"), "spec.expiresAt: Required value");
    EXPECT_EQ(update(resource, was + "'2026-05-09T12:00:00Z'}",
                     was + "'2027-05-09T12:00:00Z', restore: true, restoreAs: b, suspend: true}"),
              "");
    const std::string record = ": Forbidden: it is a record of what was, and cannot be changed";
    EXPECT_EQ(update(resource, was + "'2026-05-09T12:00:00Z'}",
                     "{workspace: b, uid: u2, expiresAt: '2026-05-09T12:00:00Z', spec: {role: x}, "
                     "org: o, orgUID: ou, volumes: [d/v], deletedAt: '2026-05-08T12:00:00Z'}"),
              "spec.workspace" + record + "; spec.uid" + record + "; spec.spec" + record);
}

TEST_F(Rules, WorkspaceFiles) {
    const std::string safe = "must be relative, without \"..\", \".\" or empty parts";
    expect(
        "workspaces.atelier.dev",
        {{"{files: [{path: a/b, content: x}, {path: a/c, artifact: {digest: d1, path: p/q}}, "
          "{path: "
          "empty}]}",
          ""},
         {"{files: [{path: ../a}]}", "spec.files[0].path: Invalid value: \"../a\": " + safe},
         {"{files: [{path: /a}]}", "spec.files[0].path: Invalid value: \"/a\": " + safe},
         {"{files: [{path: a//b}]}", "spec.files[0].path: Invalid value: \"a//b\": " + safe},
         {"{files: [{path: \"a\\nb\"}]}", "spec.files[0].path: Invalid value: \"a\\nb\": " + safe},
         {"{files: [{path: plugins/x}]}",
          "spec.files[0].path: Invalid value: \"plugins/x\": the folder plugins belongs to the "
          "installed plugins; choose another"},
         {"{files: [{path: plugins.txt}]}", ""},
         {"{files: [{path: a}, {path: a}]}", "spec.files[1]: Duplicate value: {\"path\":\"a\"}"},
         {"{files: [{path: a}, {path: a/b}]}",
          "spec.files[1].path: Invalid value: \"a/b\": \"a\" is a file of this list, and cannot be "
          "a "
          "folder, too"},
         {"{files: [{path: a, content: x, artifact: {digest: d, path: p}}]}",
          "spec.files[0]: Forbidden: both content and artifact are set; set one of them"},
         {"{files: [{path: a, artifact: {digest: ../d, path: p}}]}",
          "spec.files[0].artifact.digest: Invalid value: \"../d\": spec.files[0].artifact.digest "
          "in "
          "body should match '^[0-9a-z]*$'"},
         {"{files: [{path: a, artifact: {digest: d, path: ../p}}]}",
          "spec.files[0].artifact.path: Invalid value: \"../p\": " + safe}});
}

TEST_F(Rules, WorkspaceEnvironment) {
    expect(
        "workspaces.atelier.dev",
        {{"{env: [{name: A, value: x}, {name: B, secretKeyRef: {name: s, key: k}}, {name: C}]}",
          ""},
         {"{env: [{name: 1A}]}",
          "spec.env[0].name: Invalid value: \"1A\": spec.env[0].name in body should match "
          "'^[A-Za-z_][A-Za-z0-9_]*$'"},
         {"{env: [{name: A}, {name: A}]}", "spec.env[1]: Duplicate value: {\"name\":\"A\"}"},
         {"{env: [{name: A, value: x, secretKeyRef: {name: s, key: k}}]}",
          "spec.env[0]: Forbidden: more than one of value, secretKeyRef and configMapKeyRef is "
          "set"},
         {"{envFrom: [{secretRef: {name: s}, configMapRef: {name: c}}]}",
          "spec.envFrom[0]: Invalid value: \"\": set exactly one of secretRef and configMapRef"}});
}

TEST_F(Rules, WorkspaceDirectory) {
    const auto at = [](std::string_view path, std::string_view why) {
        return "spec.workspaceDir: Invalid value: \"" + std::string(path) +
               "\": " + std::string(why);
    };
    Rows rows{
        {"{workspaceDir: /srv/a, workspaceAccess: read_write}", ""},
        {"{workspaceDir: /varnish}", ""},
        {"{workspaceAccess: read_only}",
         "spec.workspaceDir: Required value: workspaceAccess is read_only, which wants a "
         "directory"},
        {"{workspaceDir: srv}", at("srv", "must be absolute")},
        {"{workspaceDir: /}",
         at("/", "must name a directory without \"..\", \".\" or empty parts")},
        {"{workspaceDir: /srv/../etc}",
         at("/srv/../etc", "must name a directory without \"..\", \".\" or empty parts")},
        {"{workspaceDir: \"/srv/\\x01\"}", at("/srv/\\u0001", "must not hold control characters")}};
    for (const std::string folder : {"/etc", "/var", "/proc", "/sys", "/dev", "/boot", "/sbin",
                                     "/bin", "/lib", "/lib64", "/usr", "/run"}) {
        rows.emplace_back("{workspaceDir: " + folder + "/x}",
                          at(folder + "/x", folder + " belongs to the machine; choose another"));
        rows.emplace_back("{workspaceDir: " + folder + "}",
                          at(folder, folder + " belongs to the machine; choose another"));
    }
    expect("workspaces.atelier.dev", rows);
}

TEST_F(Rules, Plugin) {
    const std::string resource = "plugins.atelier.dev";
    expect(
        resource,
        {{"{source: reviewer}", ""},
         {"{source: 'github://a/b#v1', track: 'tag:latest', sha256: " + std::string(64, 'a') + "}",
          ""},
         {"{source: 'git+https://h/a.git', track: 'branch:main'}", ""},
         {"{source: 'github://a/b'}",
          "spec.source: Invalid value: \"github://a/b\": the source is not pinned: what it "
          "installs "
          "would change with every push to the repository; add the tag, branch or commit to begin "
          "with, as in github://owner/repo#v1.0.0"},
         {"{source: 'github://a/b#v1', track: latest}",
          "spec.track: Invalid value: \"latest\": \"latest\" alone is not understood; write "
          "tag:latest for the highest version"},
         {"{source: reviewer, track: 'tag:v1'}",
          "spec.track: Invalid value: \"tag:v1\": a local plugin has no tags, branches or commits "
          "to "
          "follow; write none"},
         {"{source: reviewer, path: ../x}",
          "spec.path: Invalid value: \"../x\": must be relative, without \"..\", \".\" or empty "
          "parts"},
         {"{source: reviewer, interval: 1ms}",
          "spec.interval: Invalid value: \"1ms\": must be at least 1s"}});
    const auto free = atelier_kinds({.allow_unpinned = true});
    ASSERT_TRUE(free);
    EXPECT_EQ(verdict(admit_create(*free->find(resource),
                                   of_spec(resource, "{source: 'github://a/b'}"), admission_)),
              "");
}

TEST_F(Rules, InstallsAndUpdatesDoNotMove) {
    const std::string install = "plugininstalls.atelier.dev";
    EXPECT_EQ(update(install, "{workspace: w, plugin: p}",
                     "{workspace: w, plugin: p, version: {digest: d2}}"),
              "");
    EXPECT_EQ(update(install, "{workspace: w, plugin: p}", "{workspace: v, plugin: p}"),
              "spec.workspace: Invalid value: \"v\": field is immutable; it is \"w\"");
    EXPECT_EQ(update(install, "{workspace: w, plugin: p}", "{workspace: w, plugin: q}"),
              "spec.plugin: Invalid value: \"q\": field is immutable; it is \"p\"");

    const std::string resource = "pluginupdates.atelier.dev";
    const std::string pending = "{plugin: p, from: {digest: d1}, to: {digest: d2}";
    EXPECT_EQ(update(resource, pending + "}", pending + ", decision: Approve, decidedBy: ann}"),
              "");
    EXPECT_EQ(update(resource, pending + "}", "{plugin: p, from: {digest: d1}, to: {digest: d3}}"),
              "spec.to.digest: Invalid value: \"d3\": field is immutable; it is \"d2\"");
    const std::string over =
        "a decision is never taken back; a later version makes a new PluginUpdate";
    EXPECT_EQ(update(resource, pending + ", decision: Approve}", pending + ", decision: Dismiss}"),
              "spec.decision: Forbidden: it was decided already (Approve), and " + over);
    EXPECT_EQ(update(resource, pending + ", decision: Dismiss}", pending + "}"),
              "spec.decision: Forbidden: it was decided already (Dismiss), and " + over);
    EXPECT_EQ(create(resource, pending + ", decision: Maybe}"),
              "spec.decision: Unsupported value: \"Maybe\": supported values: \"\", \"Approve\", "
              "\"Dismiss\"");
}

TEST_F(Rules, Scenario34ATierMustExist) {
    expect("workspaces.atelier.dev",
           {{"{updateTier: canary}", ""},
            {"{updateTier: canery}",
             "spec.updateTier: Not found: \"canery\": no UpdateTier has this name; did you mean "
             "\"canary\"?"}});
}

TEST_F(Rules, TiersAndPolicies) {
    expect(
        "updatetiers.atelier.dev",
        {{"{order: 0, maxUnavailable: 1}", ""},
         {"{order: -1}",
          "spec.order: Invalid value: -1: spec.order in body should be greater than or equal to 0"},
         {"{maxUnavailable: 0}",
          "spec.maxUnavailable: Invalid value: 0: spec.maxUnavailable in body should be greater "
          "than or equal to 1"}});
    expect("pluginpolicies.atelier.dev",
           {{"{org: acme, allowed: [a, b]}", ""},
            {"{allowed: [a, a]}", "spec.allowed[1]: Duplicate value: \"a\""},
            {"{org: 'A b'}",
             "spec.org: Invalid value: \"A b\": spec.org in body should match "
             "'^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'"}});
}

TEST(PluginSource, Grammar) {
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"reviewer", "local://reviewer"},
        {" local://reviewer ", "local://reviewer"},
        {"github://owner/re.po#v1.0", "github://owner/re.po#v1.0"},
        {"github://owner/repo", "github://owner/repo"},
        {"git+https://h:8443/a/b.git#main", "git+https://h:8443/a/b.git#main"},
        {"git+http://[::1]:80/a", "git+http://[::1]:80/a"},
        {"", "error"},
        {"local://", "error"},
        {"local://../x", "error"},
        {"local://.staging", "error"},
        {"local://a/b", "error"},
        {"Upper", "error"},
        {"github://owner", "error"},
        {"github://owner/a/b", "error"},
        {"github://-o/r#v", "error"},
        {"github://o/..#v", "error"},
        {"github://o/r#-v", "error"},
        {"github://o/r#", "error"},
        {"github://o/r#a b", "error"},
        {"git+https://u:p@h/a", "error"},
        {"git+https://h/a?token=t", "error"},
        {"git+https://h/../a", "error"},
        {"git+https://h", "error"},
        {"git+ssh://h/a", "error"},
        {"git+file:///etc", "error"},
        {"oci://h/a", "error"},
    };
    for (const auto& [text, expected] : rows) {
        const auto source = parse_plugin_source(text);
        EXPECT_EQ(source ? source->text() : "error", expected) << text;
    }
    EXPECT_NE(parse_plugin_source("githib://a/b").error().message.find("did you mean github"),
              std::string::npos);
}

TEST(PluginSource, TrackGrammar) {
    const std::string commit(40, 'a');
    const std::tuple<std::string, Track::Kind, std::string> good[] = {
        {"", Track::Kind::none, ""},
        {"none", Track::Kind::none, ""},
        {"tag:v1.0.0", Track::Kind::tag, "v1.0.0"},
        {"tag:latest", Track::Kind::latest_version, ""},
        {"branch:release/1", Track::Kind::branch, "release/1"},
        {"sha:" + commit, Track::Kind::commit, commit}};
    for (const auto& [text, kind, name] : good) {
        const auto track = parse_track(text);
        ASSERT_TRUE(track) << text;
        EXPECT_EQ(track->kind, kind) << text;
        EXPECT_EQ(track->name, name) << text;
    }
    for (const std::string text : {"latest", "main", "v1.0", "tag:", "branch:", "sha:abc", "tag:-x",
                                   "branch:a..b", "tags:x", "sha:"}) {
        EXPECT_FALSE(parse_track(text)) << text;
    }
    EXPECT_NE(parse_track("main").error().message.find("branch:main"), std::string::npos);
}

TEST_F(Rules, Secret) {
    const auto made = admit_create(
        kind("secrets"),
        object("metadata: {name: a, namespace: d}\ndata: {x: aGk=}\nstringData: {x: over, y: new}"),
        admission_);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(json::text((*made)["data"]), R"({"x":"b3Zlcg==","y":"bmV3"})");
    EXPECT_FALSE(made->HasMember("stringData"));
    EXPECT_EQ(json::string_at(*made, {"type"}), "Opaque");
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"data: {x: '***'}", "data.x: Invalid value: (not shown): data.x in body must be base64"},
        {"stringData: {x: 1}",
         "stringData.x: Invalid value: \"integer\": stringData.x in body must be of type string: "
         "\"integer\""},
        {"type: kubernetes.io/tls\ndata: {tls.crt: aGk=}", "data[tls.key]: Required value"},
    };
    for (const auto& [text, message] : rows) {
        EXPECT_EQ(
            verdict(admit_create(kind("secrets"),
                                 object("metadata: {name: a, namespace: d}\n" + std::string(text)),
                                 admission_)),
            message);
    }
    EXPECT_NE(
        verdict(admit_create(kind("secrets"),
                             object("metadata: {name: a, namespace: d}\nstringData: {'a b': c}"),
                             admission_))
            .find("a valid config key must consist of"),
        std::string::npos);
    json::Document typed = json::copy(*made);
    json::set(typed, "type", "other", typed.GetAllocator());
    EXPECT_EQ(verdict(admit_update(kind("secrets"), *made, std::move(typed), admission_)),
              "type: Invalid value: \"other\": field is immutable");
    json::Document sealed = json::copy(*made);
    json::set(sealed, "immutable", json::Value(true), sealed.GetAllocator());
    sealed = *admit_update(kind("secrets"), *made, std::move(sealed), admission_);
    json::Document opened = json::copy(sealed);
    json::set(opened["data"], "x", "aGk=", opened.GetAllocator());
    EXPECT_EQ(verdict(admit_update(kind("secrets"), sealed, std::move(opened), admission_)),
              "data: Forbidden: field is immutable when `immutable` is set");
}

TEST_F(Rules, ConfigMap) {
    EXPECT_EQ(verdict(admit_create(kind("configmaps"),
                                   object("metadata: {name: a, namespace: d}\ndata: {x: y}\n"
                                          "binaryData: {x: aGk=}"),
                                   admission_)),
              "data[x]: Invalid value: \"x\": duplicate of key present in binaryData");
    json::Document big = object("metadata: {name: a, namespace: d}\ndata: {}");
    json::set(big["data"], "x", std::string((1 << 20) + 1, 'x'), big.GetAllocator());
    EXPECT_EQ(verdict(admit_create(kind("configmaps"), std::move(big), admission_)),
              ": Too long: may not be more than 1048576 bytes");
}

TEST_F(Rules, Namespace) {
    const auto made =
        admit_create(kind("namespaces"), object("metadata: {name: team-a}"), admission_);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(json::text((*made)["spec"]), R"({"finalizers":["kubernetes"]})");
    EXPECT_EQ(json::text((*made)["status"]), R"({"phase":"Active"})");
    EXPECT_EQ(read_meta(*made)->label("kubernetes.io/metadata.name"), "team-a");
    json::Document freed = json::copy(*made);
    json::remove(freed, "spec");
    EXPECT_EQ(json::text(*admit_update(kind("namespaces"), *made, std::move(freed), admission_)),
              json::text(*made))
        << "nobody takes the finalizer from a namespace that lives";

    const auto dying =
        begin_deletion(kind("namespaces"), *made, admission_.now, Propagation::background);
    ASSERT_TRUE(dying);
    EXPECT_EQ(json::text((*dying)["status"]), R"({"phase":"Terminating"})");
    EXPECT_FALSE(is_finished(*dying));
    json::Document done = json::copy(*dying);
    json::remove(done["spec"], "finalizers");
    const auto gone = admit_update(kind("namespaces"), *dying, std::move(done), admission_);
    ASSERT_TRUE(gone) << gone.error().message;
    EXPECT_TRUE(is_finished(*gone));
    EXPECT_NE(
        verdict(admit_create(kind("namespaces"), object("metadata: {name: a.b}"), admission_)), "");
}

TEST_F(Rules, EventsStayInTheirNamespace) {
    EXPECT_EQ(verdict(admit_create(kind("events"),
                                   object("metadata: {name: a, namespace: d}\n"
                                          "involvedObject: {namespace: e, name: x}"),
                                   admission_)),
              "involvedObject.namespace: Invalid value: \"e\": does not match event.namespace");
    EXPECT_EQ(verdict(admit_create(kind("events"),
                                   object("metadata: {name: a, namespace: d}\n"
                                          "involvedObject: {namespace: d, name: x}\ncount: 1"),
                                   admission_)),
              "");
}

}  // namespace
}  // namespace atelier::crds
