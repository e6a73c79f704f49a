// The API as unmodified kubectls of many versions see it: over TLS, with cold and warm caches.
//
// ATELIER_TEST_KUBECTL names one kubectl; those of the Google Cloud SDK are tried where installed.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <thread>

#include "apiserver/api.h"
#include "apiserver/http/server.h"
#include "apiserver/identity/pki.h"
#include "base/environment.h"
#include "base/file.h"
#include "tests/apiserver/api_world.h"
#include "tests/support/process.h"

namespace atelier::e2e {
namespace {

namespace fs = std::filesystem;

struct Outcome {
    int code = -1;
    std::string text;  // standard output and error
};

// A running command whose lines can be waited for.
class Running {
  public:
    explicit Running(const std::string& command) : pipe_(popen((command + " 2>&1").c_str(), "r")) {}
    ~Running() {
        if (pipe_) pclose(pipe_);
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    std::optional<std::string> line() {
        std::array<char, 8192> buffer{};
        if (!std::fgets(buffer.data(), buffer.size(), pipe_)) return std::nullopt;
        return std::string(buffer.data());
    }
    // Reads on until a line has that text; false when the output ends before.
    bool reads(std::string_view text) {
        while (const auto next = line()) {
            seen_ += *next;
            if (next->find(text) != std::string::npos) return true;
        }
        return false;
    }
    Outcome end() {
        while (const auto next = line()) seen_ += *next;
        const int status = pclose(std::exchange(pipe_, nullptr));
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, seen_};
    }

  private:
    FILE* pipe_;
    std::string seen_;
};

// A server of its own for each test.
class Server {
  public:
    Server() {
        store::Options options;
        options.url = "memory:";
        auto opened = store::open(options, clock_, random_, metrics_, Log());
        auto kinds = crds::atelier_kinds();
        auto pki = apiserver::ensure_pki(home_.path(), {}, clock_.now(), random_);
        if (!opened || !kinds || !pki) {
            ADD_FAILURE() << "no store, kinds or certificates";
            return;
        }
        store_ = *std::move(opened);
        kinds_ = std::make_unique<crds::Kinds>(*std::move(kinds));
        crds::add_core_kinds(*kinds_);
        apiserver::ApiOptions api_options;
        api_options.credentials = {{"right", "admin", {"system:masters"}}};
        api = std::make_unique<apiserver::Api>(*store_, *kinds_, clock_, random_, metrics_, Log(),
                                               api_options);
        EXPECT_TRUE(api->seed());
        apiserver::HttpOptions http;
        http.tls = pki->tls;
        auto served = apiserver::serve(http, api->handler(), metrics_, Log());
        if (!served) {
            ADD_FAILURE() << served.error().message;
            return;
        }
        http_ = *std::move(served);
        const std::string url = fmt::format("https://127.0.0.1:{}", http_->port());
        EXPECT_TRUE(apiserver::ensure_kubeconfig(kubeconfig(), url, pki->ca_pem, "right"));
    }
    ~Server() {
        if (api) api->stop();
        if (http_) http_->stop(std::chrono::seconds(2));
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    fs::path kubeconfig() const { return home_.path() / "kubeconfig"; }
    const fs::path& home() const { return home_.path(); }

    // What a controller would do, without a client.
    int send(std::string method, std::string_view target, std::string body) {
        apiserver::Request request = apiserver::test::request_of(std::move(method), target);
        request.headers = {{"authorization", "Bearer right"},
                           {"content-type", "application/merge-patch+json"}};
        request.body = std::move(body);
        auto answer = std::make_shared<apiserver::test::Answer>();
        api->handle(std::move(request), answer);
        for (int tries = 0; tries < 1000 && !answer->answered; ++tries) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return answer->status;
    }
    void await_watchers(int count) {
        const std::string wanted = fmt::format("apiserver_watchers {}\n", count);
        for (int tries = 0; tries < 2000; ++tries) {
            if (metrics_.text().find(wanted) != std::string::npos) return;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ADD_FAILURE() << "there are never " << count << " watchers";
    }

  private:
    support::TemporaryDirectory home_;
    SystemClock clock_;
    SystemRandom random_;
    Metrics metrics_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<crds::Kinds> kinds_;

  public:
    std::unique_ptr<apiserver::Api> api;

  private:
    std::unique_ptr<apiserver::HttpServer> http_;
};

std::vector<std::string> kubectls() {
    std::vector<std::string> out;
    const std::string named = Environment::of_process().get("ATELIER_TEST_KUBECTL");
    if (!named.empty()) out.push_back(named);
    for (int minor = 27; minor <= 33; ++minor) {
        std::string path = fmt::format("/usr/lib/google-cloud-sdk/bin/kubectl.1.{}", minor);
        if (fs::exists(path)) out.push_back(std::move(path));
    }
    if (out.empty()) out.push_back("none");
    return out;
}

class Kubectl : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        if (GetParam() == "none") {
            if (Environment::of_process().get("ATELIER_TEST_REQUIRE") == "1") {
                FAIL() << "no kubectl: set ATELIER_TEST_KUBECTL";
            }
            GTEST_SKIP() << "no kubectl: set ATELIER_TEST_KUBECTL";
        }
        const auto version =
            json::parse(Running(GetParam() + " version --client -o json").end().text);
        ASSERT_TRUE(version);
        minor_ = std::stoi(json::string_at(*version, {"clientVersion", "minor"}));
        server_ = std::make_unique<Server>();
        write("ws.yaml", workspace("m1"));
        write("ws2.yaml", workspace("m2"));
        write("bad.yaml", workspace("m1\n  bogus: x"));
        write("wrong.yaml", workspace("m1\n  tier: 9"));
        write("generated.yaml",
              "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: g-}\ndata: {a: b}\n");
        write("secret.yaml",
              "apiVersion: v1\nkind: Secret\nmetadata: {name: s2}\nstringData: {a: x, b: z}\n");
        write("secret2.yaml",
              "apiVersion: v1\nkind: Secret\nmetadata: {name: s2}\nstringData: {a: w}\n");
    }

    static std::string workspace(std::string_view model) {
        return fmt::format(
            "apiVersion: atelier.dev/v1alpha1\nkind: Workspace\nmetadata: {{name: w1}}\n"
            "spec:\n  runtime: hermes\n  model: {}\n",
            model);
    }
    void write(const std::string& name, const std::string& text) {
        ASSERT_TRUE(write_file_atomically(server_->home() / name, text));
    }
    std::string line(const std::string& arguments) const {
        return fmt::format("cd {} && KUBECONFIG={} timeout 60 {} --cache-dir {} {}",
                           server_->home().string(), server_->kubeconfig().string(), GetParam(),
                           (server_->home() / cache_).string(), arguments);
    }
    Outcome run(const std::string& arguments) { return Running(line(arguments)).end(); }
    // Runs and expects the exit code and a text in the output.
    void expect(const std::string& arguments, int code, std::string_view text = {}) {
        const Outcome outcome = run(arguments);
        EXPECT_EQ(outcome.code, code) << "kubectl " << arguments << "\n" << outcome.text;
        EXPECT_NE(outcome.text.find(text), std::string::npos)
            << "kubectl " << arguments << "\nwanted: " << text << "\n"
            << outcome.text;
        EXPECT_EQ(outcome.text.find("couldn't get"), std::string::npos) << outcome.text;
    }
    // The same with nothing known of the server.
    void expect_cold(const std::string& arguments, int code, std::string_view text = {}) {
        cache_ = fmt::format("cold-{}", ++colds_);
        expect(arguments, code, text);
        cache_ = "cache";
    }

    int minor_ = 0;
    std::string cache_ = "cache";
    int colds_ = 0;
    std::unique_ptr<Server> server_;
};

TEST_P(Kubectl, FindsOutWhatIsServed) {
    expect_cold("version", 0, "v1.32.0+atelier");
    expect_cold("api-resources", 0, "workspaces");
    if (minor_ >= 27) expect("api-resources --categories=atelier -o name", 0, "workspaces");
    expect("api-versions", 0, "atelier.dev/v1alpha1");
    expect("get --raw /readyz", 0, "ok");
    expect("get crd", 0, "workspaces.atelier.dev");
    expect("wait --for=condition=established crd/workspaces.atelier.dev --timeout=30s", 0,
           "condition met");
    expect_cold("explain ws.spec", 0, "runtime");
    expect("explain ws.spec.runtime", 0, "<string>");
    expect("explain secret.data", 0, "data");
    expect("auth can-i create ws", 0, "yes");
    expect("auth can-i --list", 0, "*.*");
    if (minor_ >= 28) expect("auth whoami", 0, "admin");
    expect("get pods", 1, "the server doesn't have a resource type \"pods\"");
}

TEST_P(Kubectl, AppliesAndChangesCustomObjects) {
    expect_cold("apply -f ws.yaml", 0, "created");
    expect_cold("apply -f ws.yaml", 0, "unchanged");
    expect("apply -f ws2.yaml --dry-run=server", 0, "server dry run");
    expect("diff -f ws2.yaml", 1, "+  model: m2");
    expect("apply -f ws2.yaml", 0, "configured");
    expect("diff -f ws2.yaml", 0);
    expect_cold("apply -f bad.yaml", 1, "unknown field");
    expect("apply -f wrong.yaml", 1, "spec.tier");
    expect("get ws w1 -o jsonpath={.spec.model}", 0, "m2");
    expect("get ws w1 -o jsonpath={.metadata.generation}", 0, "2");
    expect("create -f ws.yaml", 1, "already exists");
    expect("replace -f ws.yaml", 0, "replaced");
    expect("patch ws w1 --type=merge -p '{\"spec\":{\"model\":\"m3\"}}'", 0, "patched");
    expect(
        "patch ws w1 --type=json -p "
        "'[{\"op\":\"replace\",\"path\":\"/spec/model\",\"value\":\"m4\"}]'",
        0, "patched");
    expect("patch ws w1 -p '{\"spec\":{\"model\":\"m5\"}}'", 1, "application/merge-patch+json");
    expect("label ws w1 a=b", 0, "labeled");
    expect("label ws w1 a=b --overwrite", 0);
    expect("annotate ws w1 x=y", 0, "annotate");
    expect("apply -f ws.yaml --server-side", 1, "Server-side apply not available");
    if (minor_ >= 27) {
        expect(
            "patch ws w1 --subresource=status --type=merge -p "
            "'{\"status\":{\"container\":\"c1\"}}'",
            0, "patched");
        expect("get ws w1 --subresource=status -o jsonpath={.status.container}", 0, "c1");
    }
    write("edit.sh", "#!/bin/sh\nsed -i 's/model: .*/model: edited/' \"$1\"\n");
    expect("get ws w1 -o yaml", 0, "kind: Workspace");
    const Outcome edited = Running("chmod +x " + (server_->home() / "edit.sh").string() +
                                   " && export EDITOR=" + (server_->home() / "edit.sh").string() +
                                   " && " + line("edit ws w1"))
                               .end();
    EXPECT_EQ(edited.code, 0) << edited.text;
    expect("get ws w1 -o jsonpath={.spec.model}", 0, "edited");
    expect("replace --force -f ws.yaml", 0, "replaced");
    expect("delete ws w1", 0, "deleted");
    expect("get ws w1", 1, "workspaces.atelier.dev \"w1\" not found");
}

TEST_P(Kubectl, ReadsListsInEveryForm) {
    for (const char* name : {"w1", "w2", "w3"}) {
        write("w.yaml",
              fmt::format("apiVersion: atelier.dev/v1alpha1\nkind: Workspace\nmetadata: "
                          "{{name: {}, labels: {{item: {}}}}}\nspec: {{runtime: hermes}}\n",
                          name, name));
        expect("create -f w.yaml", 0, "created");
    }
    expect_cold("get ws", 0, "w2");
    expect("get ws -o wide", 0, "CONTAINER");
    expect("get ws -A", 0, "NAMESPACE");
    expect("get ws -l item=w2 -o name", 0, "workspace.atelier.dev/w2");
    expect("get ws -l 'item in (w1,w3),item!=w1' -o name", 0, "workspace.atelier.dev/w3");
    expect("get ws --field-selector metadata.name=w1 -o name", 0, "workspace.atelier.dev/w1");
    expect("get ws --chunk-size=1 -o name", 0, "workspace.atelier.dev/w3");
    expect("get ws --sort-by=.metadata.name --show-labels", 0, "item=w1");
    expect("get ws w2 -o yaml", 0, "name: w2");
    expect("get ws -o json", 0, "\"kind\": \"List\"");
    expect("get ws -o custom-columns=N:.metadata.name", 0, "w3");
    expect("get all", 0, "workspace.atelier.dev/w1");
    expect("get ws,ns", 0, "namespace/default");
    const std::string uid = run("get ws w1 -o jsonpath={.metadata.uid}").text;
    write("event.yaml",
          fmt::format("apiVersion: v1\nkind: Event\nmetadata: {{name: e1}}\ntype: Warning\nreason: "
                      "Tried\nmessage: it did not work\nlastTimestamp: 2026-01-01T00:00:00Z\n"
                      "involvedObject: {{kind: Workspace, name: w1, namespace: default, uid: {}, "
                      "apiVersion: atelier.dev/v1alpha1}}\n",
                      uid));
    expect("create -f event.yaml", 0, "created");
    expect("describe ws w1", 0, "it did not work");
    expect("get events", 0, "workspace/w1");
    if (minor_ >= 27) {
        expect("events", 0, "Tried");
    }
    if (minor_ >= 28) {
        expect("events --for workspace.atelier.dev/w1 --types=Warning", 0, "Tried");
    }
    expect("delete ws -l item=w1", 0, "\"w1\" deleted");
    expect("delete ws --all", 0, "\"w3\" deleted");
    expect("get ws", 0, "No resources found");
}

TEST_P(Kubectl, HandlesCoreKinds) {
    expect_cold("create namespace n1", 0, "created");
    expect_cold("create secret generic s1 --from-literal=a=b -n n1", 0, "created");
    expect("create configmap c1 --from-literal=a=b -n n1", 0, "created");
    expect("create serviceaccount sa1 -n n1", 0, "created");
    expect("get secret s1 -n n1 -o jsonpath={.data.a}", 0, "Yg==");
    expect("get secret,cm,sa -n n1", 0, "configmap/c1");
    expect("create -f generated.yaml", 0, "configmap/g-");
    expect("apply -f secret.yaml", 0, "created");
    expect("apply -f secret2.yaml", 0, "configured");
    expect("get secret s2 -o jsonpath={.data.a}", 0, "dw==");
    expect("patch cm c1 -n n1 -p '{\"data\":{\"a\":null,\"c\":\"d\"}}'", 0, "patched");
    expect("get cm c1 -n n1 -o jsonpath={.data}", 0, "{\"c\":\"d\"}");
    expect("label secret s1 -n n1 a=b", 0, "labeled");
    expect("describe ns n1", 0, "Active");
    expect("delete ns default", 1, "may not be deleted");
    expect("delete cm c1 -n n1 --cascade=foreground --wait=false", 0, "deleted");
    expect("delete ns n1 --wait=false", 0, "deleted");
    expect("get ns n1", 0, "Terminating");
    expect("create configmap c2 -n n1", 1, "being terminated");
}

TEST_P(Kubectl, WaitsAndWatches) {
    expect("apply -f ws.yaml", 0, "created");
    const std::string status = "/apis/atelier.dev/v1alpha1/namespaces/default/workspaces/w1/status";
    Running wait(line("wait ws/w1 --for=condition=Ready --timeout=50s"));
    server_->await_watchers(1);
    EXPECT_EQ(
        server_->send("PATCH", status,
                      R"({"status":{"observedGeneration":1,"conditions":[{"type":"Ready",)"
                      R"("status":"True","reason":"Fine","message":"","observedGeneration":1,)"
                      R"("lastTransitionTime":"2026-01-01T00:00:00Z"}]}})"),
        200);
    const Outcome met = wait.end();
    EXPECT_EQ(met.code, 0) << met.text;
    server_->await_watchers(0);

    Running watch(line("get ws w1 -w"));
    Running all(line("get ws -w --output-watch-events"));
    EXPECT_TRUE(watch.reads("Fine"));
    server_->await_watchers(2);
    EXPECT_EQ(
        server_->send("PATCH", status, R"({"status":{"container":"c","pluginsSummary":"7/9"}})"),
        200);
    EXPECT_TRUE(watch.reads("7/9"));
    EXPECT_TRUE(all.reads("MODIFIED"));

    Running gone(line("wait ws/w1 --for=delete --timeout=50s"));
    server_->await_watchers(3);
    expect("delete ws w1", 0, "deleted");
    const Outcome deleted = gone.end();
    EXPECT_EQ(deleted.code, 0) << deleted.text;
    EXPECT_TRUE(all.reads("DELETED"));
    server_->api->stop();
    const Outcome ended = watch.end();
    EXPECT_EQ(ended.code, 0) << ended.text;
    EXPECT_EQ(ended.text.find("<unknown>"), std::string::npos) << ended.text;
    EXPECT_EQ(all.end().code, 0);
}

TEST_P(Kubectl, IsToldThatItsTokenIsWrong) {
    write("kubeconfig2", "");
    auto text = read_file(server_->kubeconfig());
    ASSERT_TRUE(text);
    const std::size_t at = text->find("token: ");
    ASSERT_NE(at, std::string::npos);
    text->replace(at, text->find('\n', at) - at, "token: wrong");
    ASSERT_TRUE(write_file_atomically(server_->kubeconfig(), *text));
    const Outcome outcome = run("get --raw /api/v1/namespaces");
    EXPECT_EQ(outcome.code, 1);
    EXPECT_NE(outcome.text.find("Unauthorized"), std::string::npos) << outcome.text;
}

std::string test_name(const testing::TestParamInfo<std::string>& of) {
    std::string out;
    for (const char c : fs::path(of.param).filename().string()) out += c == '.' ? '_' : c;
    return out;
}

INSTANTIATE_TEST_SUITE_P(, Kubectl, testing::ValuesIn(kubectls()), test_name);

}  // namespace
}  // namespace atelier::e2e
