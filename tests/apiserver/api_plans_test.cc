// Plans over the API, with a planner that waits for the test.
#include <condition_variable>

#include "apiserver/plans/forecast_service.h"
#include "tests/apiserver/api_world.h"

namespace atelier::apiserver::test {
namespace {

class HandPlanner final : public ForecastService {
  public:
    Result<json::Document> plan(const std::string& ns, const json::Value& spec) override {
        if (!spec.IsObject()) return Error{Code::invalid, "spec: is required"};
        return say("plan " + ns + " " + json::text(spec));
    }
    Result<json::Document> plan_org(const std::string& ns, const std::string& org) override {
        return say("org " + ns + " " + org);
    }
    Result<json::Document> apply(const std::string& ns, const std::string& token) override {
        if (token == "moved") {
            return Error{Code::conflict, "it has moved", "", {{"status.items", "Moved", "- a"}}};
        }
        if (token == "gone") return Error{Code::not_found, "there is no plan \"gone\""};
        if (token == "ending") return Error{Code::cancelled, "the server is ending"};
        return say("apply " + ns + " " + token);
    }

    void hold() {
        const std::lock_guard lock(mutex_);
        held_ = true;
    }
    void release() {
        const std::lock_guard lock(mutex_);
        held_ = false;
        wake_.notify_all();
    }
    void until_begun(std::size_t count) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return begun_ >= count; });
    }

  private:
    Result<json::Document> say(const std::string& what) {
        std::unique_lock lock(mutex_);
        ++begun_;
        wake_.notify_all();
        wake_.wait(lock, [&] { return !held_; });
        json::Document out(rapidjson::kObjectType);
        json::set(out, "said", what, out.GetAllocator());
        return out;
    }

    std::mutex mutex_;
    std::condition_variable wake_;
    bool held_ = false;
    std::size_t begun_ = 0;
};

// Answers come from other threads here.
class Waiting final : public ResponseSink {
  public:
    void reply(int code, Headers h, Frame b) override {
        const std::lock_guard lock(mutex_);
        EXPECT_EQ(status_, 0) << "answered twice";
        status_ = code;
        headers_ = std::move(h);
        body_ = *b;
        wake_.notify_all();
    }
    void start(int, Headers) override { ADD_FAILURE() << "a plan is no stream"; }
    bool write(Frame) override { return false; }
    std::size_t queued() const override { return 0; }
    void finish() override {}
    void on_closed(std::function<void()>) override {}

    int status() {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return status_ != 0; });
        return status_;
    }
    std::string body() {
        (void)status();
        return body_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable wake_;
    int status_ = 0;
    Headers headers_;
    std::string body_;
};

class PlansOfTheApi : public ApiWorld {
  protected:
    PlansOfTheApi() {
        ApiOptions options;
        options.credentials = {{"right", "admin", {"system:masters"}}};
        options.own_thread = false;
        options.planner = &planner;
        api = std::make_unique<Api>(*store, shared_kinds(), clock, random, metrics, Log(), options);
    }
    ~PlansOfTheApi() override { planner.release(); }

    std::shared_ptr<Waiting> ask(const std::string& method, const std::string& path,
                                 const std::string& body = "", const std::string& token = "right") {
        auto answer = std::make_shared<Waiting>();
        Request request = request_of(method, base + path);
        request.body = body;
        request.headers.emplace_back("authorization", "Bearer " + token);
        api->handle(std::move(request), answer);
        return answer;
    }

    const std::string base = "/apis/atelier.dev/v1alpha1/namespaces/here";
    HandPlanner planner;
};

TEST_F(PlansOfTheApi, AreMadeAppliedAndAskedForOneOrg) {
    const auto made = ask("POST", "/plans", R"({"kind":"Plan","spec":{"org":"acme"}})");
    EXPECT_EQ(made->status(), 201);
    EXPECT_EQ(made->body(), "{\"said\":\"plan here {\\\"org\\\":\\\"acme\\\"}\"}\n");
    const auto applied = ask("POST", "/plans/0a1b/apply");
    EXPECT_EQ(applied->status(), 200);
    EXPECT_NE(applied->body().find("apply here 0a1b"), std::string::npos);
    const auto org = ask("GET", "/orgs/acme/plan");
    EXPECT_EQ(org->status(), 200);
    EXPECT_NE(org->body().find("org here acme"), std::string::npos);
    api->stop();
    EXPECT_NE(metrics.text().find("resource=\"plans\",verb=\"create\"} 2"), std::string::npos);
}

TEST_F(PlansOfTheApi, RefuseWhatIsNoPlan) {
    EXPECT_EQ(ask("GET", "/plans")->status(), 405);
    EXPECT_EQ(ask("DELETE", "/plans/x/apply")->status(), 405);
    EXPECT_EQ(ask("POST", "/orgs/acme/plan")->status(), 405);
    EXPECT_EQ(ask("GET", "/plans/x")->status(), 404);
    EXPECT_EQ(ask("GET", "/workspaces/acme/plan")->status(), 404);
    EXPECT_EQ(ask("POST", "/plans", "{")->status(), 400);
    EXPECT_EQ(ask("POST", "/plans", R"({"kind":"Org"})")->status(), 400);
    EXPECT_EQ(ask("POST", "/plans", "{}")->status(), 400);
    EXPECT_EQ(ask("POST", "/plans", "{}", "wrong")->status(), 401);
}

TEST_F(PlansOfTheApi, WhatMovedIsToldLineByLine) {
    const auto moved = ask("POST", "/plans/moved/apply");
    EXPECT_EQ(moved->status(), 409);
    EXPECT_NE(moved->body().find(R"("message":"it has moved")"), std::string::npos);
    EXPECT_NE(moved->body().find(R"("causes":[{"reason":"Moved","message":"- a")"),
              std::string::npos)
        << moved->body();
    EXPECT_EQ(ask("POST", "/plans/gone/apply")->status(), 404);
    EXPECT_EQ(ask("POST", "/plans/ending/apply")->status(), 503);
}

TEST_F(PlansOfTheApi, TooManyAreSentAwayAndTheRestIsAnswered) {
    planner.hold();
    std::vector<std::shared_ptr<Waiting>> all;
    for (int i = 0; i < 2; ++i) {
        all.push_back(ask("GET", "/orgs/acme/plan"));
        planner.until_begun(all.size());
    }
    for (int i = 0; i < 8; ++i) all.push_back(ask("GET", "/orgs/acme/plan"));
    EXPECT_EQ(ask("GET", "/orgs/acme/plan")->status(), 429);
    planner.release();
    for (const auto& one : all) EXPECT_EQ(one->status(), 200);
}

TEST_F(PlansOfTheApi, TheEndOfTheServerAnswersThoseThatWait) {
    planner.hold();
    std::vector<std::shared_ptr<Waiting>> all;
    for (int i = 0; i < 2; ++i) {
        all.push_back(ask("GET", "/orgs/acme/plan"));
        planner.until_begun(all.size());
    }
    all.push_back(ask("GET", "/orgs/acme/plan"));
    std::thread ending([&] { api->stop(); });
    EXPECT_EQ(all.back()->status(), 503);
    planner.release();
    ending.join();
    EXPECT_EQ(all[0]->status(), 200);
    EXPECT_EQ(all[1]->status(), 200);
    EXPECT_EQ(ask("GET", "/orgs/acme/plan")->status(), 503);
}

TEST_F(ApiWorld, PlansAreDiscoveredAlsoInTheAggregatedForm) {
    const auto plain = get("/apis/atelier.dev/v1alpha1");
    for (const char* name :
         {R"("name":"plans")", R"("name":"plans/apply")", R"("name":"orgs/plan")"}) {
        EXPECT_NE(plain->body.find(name), std::string::npos) << name;
    }
    const auto aggregated =
        get("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    EXPECT_NE(aggregated->body.find(R"("resource":"plans")"), std::string::npos);
    const auto without = post("/apis/atelier.dev/v1alpha1/namespaces/default/plans", "{}");
    EXPECT_EQ(without->status, 503) << "this world has no planner";
}

}  // namespace
}  // namespace atelier::apiserver::test
