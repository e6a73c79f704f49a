// Faults of the command line that were seen, by their numbers in docs/faults.md.
#include <fstream>

#include "apiserver/plans/forecast_service.h"
#include "base/digest.h"
#include "base/file.h"
#include "tests/cli/cli_server.h"

namespace atelier::cli::test {
namespace {

constexpr std::string_view objects = "/apis/atelier.dev/v1alpha1/namespaces/default/";
constexpr std::string_view planted = "HUNTER2HUNTER2";

std::string condition(const std::string& type, const std::string& status, const std::string& reason,
                      const std::string& message) {
    return R"({"type":")" + type + R"(","status":")" + status + R"(","reason":")" + reason +
           R"(","message":")" + message +
           R"(","observedGeneration":1,"lastTransitionTime":"2026-01-01T00:00:00Z"})";
}

class Faults : public CliServer {
  protected:
    using CliServer::CliServer;
    void make_org() {
        ASSERT_EQ(apply(R"(apiVersion: atelier.dev/v1alpha1
kind: OrgTemplate
metadata: {name: dev}
spec: {source: {inline: "name: x\n"}}
---
apiVersion: atelier.dev/v1alpha1
kind: Org
metadata: {name: acme}
spec: {templateRef: {name: dev}}
)")
                      .code,
                  0);
    }
    // Runs reconcile --wait, and answers it as a controller does, with these conditions.
    Ran reconcile(const std::string& object, const std::string& path,
                  const std::string& conditions) {
        Process other;
        Ran ran;
        std::thread waiting =
            in_background({"reconcile", object, "--wait", "--timeout=20s"}, other, ran);
        std::string stamp;
        for (int i = 0; i < 4000 && (stamp.empty() || stamp == last_stamp_); ++i) {
            stamp = run({"get", object, "-o",
                         "jsonpath={.metadata.annotations['atelier.dev/reconcile-requested-at']}"})
                        .out;
            stamp.resize(std::min(stamp.size(), stamp.find('\n')));
        }
        last_stamp_ = stamp;
        set_status(path, R"({"observedGeneration":1,"lastHandledReconcileAt":")" + stamp +
                             R"(","conditions":[)" + conditions + "]}");
        waiting.join();
        return ran;
    }

    std::string last_stamp_;
};

TEST_F(Faults, Fault28_ReconcileWaitIsNoSuccessWhenTheTemplateDoesNotCompile) {
    make_org();
    const std::string broken = condition("Ready", "False", "CompileError", "org.yaml:3: no name");
    const std::string stalled = condition("Stalled", "True", "CompileError", "org.yaml:3: no name");
    const std::string path = std::string(objects) + "orgtemplates/dev";
    const Ran ran = reconcile("orgtemplate/dev", path, broken + "," + stalled);
    EXPECT_EQ(ran.code, exit_code::stalled);
    EXPECT_THAT(ran.out, Not(HasSubstr("dev reconciled")));
    EXPECT_THAT(ran.err, HasSubstr("orgtemplate.atelier.dev/dev was reconciled and is stalled: "
                                   "CompileError: org.yaml:3: no name"));

    const Ran good = reconcile("orgtemplate/dev", path, condition("Ready", "True", "Compiled", ""));
    EXPECT_EQ(good.code, 0) << good.err;
    EXPECT_THAT(good.out, HasSubstr("orgtemplate.atelier.dev/dev reconciled\n"));
    EXPECT_EQ(good.err, "");

    const Ran busy =
        reconcile("org/acme", std::string(objects) + "orgs/acme",
                  condition("Ready", "False", "Converging", "1 of 2 workspaces are Ready"));
    EXPECT_EQ(busy.code, 0) << busy.err;
    EXPECT_THAT(busy.err, HasSubstr("org.atelier.dev/acme is not Ready yet: Converging: 1 of 2"));
}

TEST_F(Faults, Fault28_ReconcileWaitSaysThatASuspendedObjectIsLeftAlone) {
    make_org();
    ASSERT_EQ(run({"suspend", "org/acme"}).code, 0);
    const Ran ran = reconcile("org/acme", std::string(objects) + "orgs/acme", "");
    EXPECT_EQ(ran.code, exit_code::stalled);
    EXPECT_THAT(ran.err, HasSubstr("org.atelier.dev/acme is suspended, and nothing was done"));
    EXPECT_THAT(ran.out, Not(HasSubstr("acme reconciled")));
}

// The forecasts of a server without reconcilers.
class FixedForecasts final : public apiserver::ForecastService {
  public:
    std::string status = "{}";
    Result<json::Document> plan(const std::string&, const json::Value&) override {
        return json::parse(R"({"status":)" + status + "}");
    }
    Result<json::Document> plan_org(const std::string&, const std::string&) override {
        return json::parse(R"({"status":)" + status + "}");
    }
    Result<json::Document> apply(const std::string&, const std::string&) override {
        return json::parse(R"({"status":)" + status + "}");
    }
};

// Made before the server that refers to it.
struct WithForecasts {
    FixedForecasts forecasts;
    apiserver::ApiOptions options() {
        apiserver::ApiOptions out;
        out.planner = &forecasts;
        out.revision_diff = [](const apiserver::RevisionQuestion&) -> Result<std::string> {
            return std::string(R"({"since":{"revision":"1"},"to":{"revision":"1"}})");
        };
        return out;
    }
};

class FaultsOfAnswers : public WithForecasts, public Faults {
  protected:
    FaultsOfAnswers() : Faults(options()) {}
};

TEST_F(FaultsOfAnswers, Fault28_DiffSaysThatTheNewestSourceIsNoRevision) {
    make_org();
    const std::string path = std::string(objects) + "orgtemplates/dev";
    set_status(path, R"({"observedGeneration":1,"conditions":[)" +
                         condition("Ready", "True", "Compiled", "declared 1") + "]}");
    const Ran same = run({"diff", "acme", "--exit-code"});
    EXPECT_EQ(same.code, 0) << same.err;
    set_status(path, R"({"observedGeneration":1,"conditions":[)" +
                         condition("Ready", "False", "CompileError", "org.yaml:3: no name") + "]}");
    const Ran ran = run({"diff", "acme", "--exit-code"});
    EXPECT_EQ(ran.code, exit_code::stalled);
    EXPECT_THAT(ran.out, HasSubstr("no workspace differs"));
    EXPECT_THAT(ran.err, HasSubstr("orgtemplate.atelier.dev/dev"));
    EXPECT_THAT(ran.err, HasSubstr("CompileError: org.yaml:3: no name"));
}

TEST_F(FaultsOfAnswers, Fault28_AnAppliedPlanSaysWhatIsHeld) {
    forecasts.status =
        R"({"items":[{"kind":"Workspace","name":"acme-a","action":"restart","held":true},
                     {"kind":"Org","name":"acme","action":"configure"}],
            "blockers":[{"about":"Org acme","reason":"Suspended","message":"spec.suspend is true",
                         "command":"atelier resume org acme","blocks":true}],
            "summary":"1 restart","applied":["Org acme configured"]})";
    const Ran ran = run({"apply", "--plan", "0123456789abcdef"});
    EXPECT_EQ(ran.code, exit_code::stalled);
    EXPECT_THAT(ran.out, HasSubstr("Org acme configured\n"));
    EXPECT_THAT(ran.err, HasSubstr("1 of these 2 changes are held"));
    EXPECT_THAT(ran.err, HasSubstr("Org acme: Suspended: spec.suspend is true\n"
                                   "    atelier resume org acme\n"));
    forecasts.status = R"({"items":[{"kind":"Org","name":"acme","action":"configure"}],
                           "summary":"1 configure","applied":["Org acme configured"]})";
    const Ran free = run({"apply", "--plan", "0123456789abcdef"});
    EXPECT_EQ(free.code, 0) << free.err;
    EXPECT_EQ(free.err, "");
}

TEST_F(Faults, Fault15_NoOutputShowsAValueOfASecret) {
    const std::string secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";
    const std::string value(planted);
    const auto check = [&](const Ran& ran, const std::string& what) {
        for (const std::string& text : {value, base64(value)}) {
            EXPECT_THAT(ran.out, Not(HasSubstr(text))) << what;
            EXPECT_THAT(ran.err, Not(HasSubstr(text))) << what;
        }
    };
    check(apply(secret + "stringData: {x: " + value + "}\n"), "apply");
    const Ran described = run({"describe", "secret", "s"});
    EXPECT_EQ(described.code, 0) << described.err;
    EXPECT_THAT(described.out, HasSubstr("Data:\n  x: 14 bytes\n"));
    check(described, "describe");
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"get", "secrets"},
                                               {"get", "secrets", "-o", "wide"},
                                               {"get", "secret", "s", "-o", "name"},
                                               {"describe", "secrets"},
                                               {"why", "secret", "s"},
                                               {"events"},
                                               {"suspend", "secret", "s"}}) {
        check(run(words), words[0]);
    }
    // Whatever makes a Secret invalid, the refusal does not repeat its values.
    for (const std::string& invalid :
         {"data: {x: '" + value + "!'}\n", "data: {x: [" + value + "]}\n",
          "data: {x: {y: " + value + "}}\n", "data: " + value + "\n",
          "stringData: {x: [" + value + "]}\n", "stringData: {x: {y: " + value + "}}\n",
          "stringData: [" + value + "]\n", "stringData: " + value + "\n",
          "data: {x: '" + value + "!', x: '" + value + "?'}\n", "stringData: {x: \"" + value + "\n",
          "stringData: {'a b': " + value + "}\n",
          "type: kubernetes.io/tls\nstringData: {x: " + value + "}\n"}) {
        const Ran ran = apply(secret + invalid);
        EXPECT_NE(ran.code, 0) << invalid;
        check(ran, invalid);
        process.input = secret + invalid;
        check(run({"diff", "-f", "-"}), "diff: " + invalid);
    }
    process.input = secret + "stringData: {x: other, y: " + value + "}\n";
    check(run({"diff", "-f", "-"}), "diff");
}

TEST_F(Faults, Fault27_ApplyTakesWhatGetHasPrinted) {
    ASSERT_EQ(apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n").code,
              0);
    ASSERT_EQ(apply(workspace("w")).code, 0);
    const std::string saved = run({"get", "cm", "c", "-o", "yaml"}).out + "---\n" +
                              run({"get", "ws", "w", "-o", "yaml"}).out;
    ASSERT_THAT(saved, HasSubstr("resourceVersion"));
    // What the server had defaulted is declared from now on.
    EXPECT_EQ(apply(saved).out, "configmap/c unchanged\nworkspace.atelier.dev/w configured\n");
    EXPECT_EQ(apply(saved).out, "configmap/c unchanged\nworkspace.atelier.dev/w unchanged\n");
    ASSERT_EQ(run({"delete", "cm", "c"}).code, 0);
    ASSERT_EQ(run({"delete", "ws", "w"}).code, 0);
    const Ran again = apply(saved);
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(again.out, "configmap/c created\nworkspace.atelier.dev/w created\n");
    // The object has changed since: what was saved is declared again.
    ASSERT_EQ(apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: c}\n").code,
              0);
    const Ran back = apply(saved);
    EXPECT_EQ(back.code, 0) << back.err;
    EXPECT_THAT(back.out, HasSubstr("configmap/c configured\n"));
    EXPECT_EQ(run({"get", "cm", "c", "-o", "jsonpath={.data.a}"}).out, "b\n");
}

}  // namespace
}  // namespace atelier::cli::test
