// The real API with a store in memory, over TLS on loopback, and a command line in this process.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "apiserver/api.h"
#include "apiserver/http/server.h"
#include "apiserver/identity/pki.h"
#include "cli/client/client.h"
#include "store/open.h"
#include "tests/cli/run_in_process.h"

namespace atelier::cli::test {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class CliServer : public testing::Test {
  protected:
    // `api_options`: what a test needs besides the credentials and the checks of readiness.
    explicit CliServer(apiserver::ApiOptions api_options = {}) {
        home_ = fs::temp_directory_path() / ("atelier-cli-" + uuid4(random_));
        fs::create_directories(home_);
        store::Options options;
        options.url = "memory:";
        store_ = *store::open(options, clock_, random_, metrics_, Log());
        kinds_ = std::make_unique<crds::Kinds>(*crds::atelier_kinds());
        crds::add_core_kinds(*kinds_);
        api_options.credentials = {{"right-right-right", "admin", {"system:masters"}}};
        api_options.ready = {
            {"extra", [this] {
                 return unwell ? Result<void>(Error{Code::unavailable, "not yet"}) : Result<void>();
             }}};
        api_ = std::make_unique<apiserver::Api>(*store_, *kinds_, clock_, random_, metrics_, Log(),
                                                std::move(api_options));
        EXPECT_TRUE(api_->seed());
        const auto pki = apiserver::ensure_pki(home_, {}, clock_.now(), random_);
        EXPECT_TRUE(pki);
        apiserver::HttpOptions http;
        http.tls = pki->tls;
        http_ = *apiserver::serve(http, api_->handler(), metrics_, Log());
        EXPECT_TRUE(apiserver::ensure_kubeconfig(home_ / "kubeconfig", url(), pki->ca_pem,
                                                 "right-right-right"));
        process.variables = {
            {"ATELIER_HOME", home_.string()}, {"USER", "ada"}, {"LANG", "C.UTF-8"}};
    }
    ~CliServer() override {
        api_->stop();
        http_.reset();
        fs::remove_all(home_);
    }
    std::string url() const { return "https://127.0.0.1:" + std::to_string(http_->port()); }

    Ran run(const std::vector<std::string>& arguments) { return process.run(arguments); }
    Ran apply(const std::string& text, std::vector<std::string> more = {}) {
        process.input = text;
        more.insert(more.begin(), {"apply", "-f", "-"});
        return run(more);
    }
    // As a controller does: the status of an object.
    void set_status(const std::string& path, const std::string& status) {
        const Environment environment(process.variables);
        const auto connection = find_connection({}, environment);
        ASSERT_TRUE(connection);
        const std::atomic<bool> never = false;
        Client client(*connect(*connection, std::chrono::seconds(30), never), [](const auto&) {});
        const auto done = client.call({"PATCH",
                                       path + "/status",
                                       {},
                                       "application/json",
                                       "application/merge-patch+json",
                                       R"({"status":)" + status + "}"});
        ASSERT_TRUE(done) << done.error().message;
    }
    static std::string ready(int generation, const std::string& status = "True") {
        return R"({"observedGeneration":)" + std::to_string(generation) +
               R"(,"conditions":[{"type":"Ready","status":")" + status +
               R"(","reason":"R","message":"the container starts","observedGeneration":)" +
               std::to_string(generation) + R"(,"lastTransitionTime":"2026-01-01T00:00:00Z"}]})";
    }
    // Runs a command line on a thread of its own, for those that end only when something happens.
    std::thread in_background(const std::vector<std::string>& arguments, Process& other, Ran& ran) {
        other.variables = process.variables;
        return std::thread([&, arguments] { ran = other.run(arguments); });
    }
    // Polls with a bound until `what` watches are open on the server.
    bool watches_open(double what) {
        for (int i = 0; i < 4000; ++i) {
            const std::string text = metrics_.text();
            const std::size_t at = text.find("\natelier_http_streams ");
            if (at != text.npos && std::stod(text.substr(at + 22)) >= what) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return false;
    }

    // Polls with a bound until the server has had nothing to send for a while.
    bool sent_bytes_settle() {
        std::string last;
        for (int i = 0, quiet = 0; i < 4000 && quiet < 60; ++i) {
            const std::string text = metrics_.text();
            const std::string now = text.substr(text.find("\natelier_http_sent_bytes_total "), 60);
            quiet = now == last ? quiet + 1 : 0;
            last = now;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return true;
    }

    Process process;
    std::atomic<bool> unwell = false;
    SystemClock clock_;
    SystemRandom random_;
    Metrics metrics_;
    fs::path home_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<crds::Kinds> kinds_;
    std::unique_ptr<apiserver::Api> api_;
    std::unique_ptr<apiserver::HttpServer> http_;
};

inline std::string workspace(const std::string& name, const std::string& spec = "role: tester") {
    return "apiVersion: atelier.dev/v1alpha1\nkind: Workspace\nmetadata: {name: " + name +
           ", labels: {team: a}}\nspec: {" + spec + "}\n---\n";
}

inline constexpr std::string_view update_text = R"(apiVersion: atelier.dev/v1alpha1
kind: PluginUpdate
metadata: {name: reviewer-0a1b2c3}
spec:
  plugin: reviewer
  from: {commit: '1111111111111111111111111111111111111111', digest: '1111111111111111111111111111111111111111111111111111111111111111'}
  to: {commit: '0a1b2c3000000000000000000000000000000000', digest: '2222222222222222222222222222222222222222222222222222222222222222'}
)";

}  // namespace atelier::cli::test
