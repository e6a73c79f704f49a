// The webhooks of templates: who is let in, what that does, and how often.
#include "apiserver/webhooks/webhook.h"

#include <gmock/gmock.h>

#include "apiserver/webhooks/debouncer.h"
#include "apiserver/webhooks/push.h"
#include "base/digest.h"
#include "tests/apiserver/api_world.h"

namespace atelier::apiserver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Answer;

// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
constexpr std::string_view github_key = "It's a Secret to Everybody";
constexpr std::string_view github_body = "Hello, World!";
constexpr std::string_view github_sum =
    "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

TEST(WebhookSignature, IsThatOfTheStandards) {
    EXPECT_EQ(hmac_sha256_hex(github_key, github_body), github_sum);
    // RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
    EXPECT_EQ(hmac_sha256_hex(std::string(20, '\x0b'), "Hi There"),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hmac_sha256_hex("Jefe", "what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hmac_sha256_hex(std::string(131, '\xaa'),
                              "Test Using Larger Than Block-Size Key - Hash Key First"),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    EXPECT_EQ(hmac_sha256_hex("", ""),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

class Webhook : public test::ApiWorld {
  protected:
    void SetUp() override {
        ASSERT_EQ(post("/api/v1/namespaces/default/secrets",
                       R"({"metadata":{"name":"hook"},"stringData":{"token":"s3cret\n"}})")
                      ->status,
                  201);
        ASSERT_EQ(make("dev", R"(,"webhook":{"secretRef":{"name":"hook"}})")->status, 201);
    }
    std::shared_ptr<Answer> make(const std::string& name, const std::string& more) {
        return post(templates, R"({"metadata":{"name":")" + name +
                                   R"("},"spec":{"source":{"inline":"name: x\n"})" + more + "}}");
    }
    // Without a bearer token.
    std::shared_ptr<Answer> call(const std::string& header, const std::string& value,
                                 std::string body = "{}", const std::string& name = "dev",
                                 std::string method = "POST", const std::string& event = {}) {
        Request request = test::request_of(std::move(method), "/webhooks/default/" + name);
        request.body = std::move(body);
        if (!header.empty()) request.headers.emplace_back(header, value);
        if (!event.empty()) request.headers.emplace_back("x-github-event", event);
        auto answer = std::make_shared<Answer>();
        api->handle(std::move(request), answer);
        api->pump();
        return answer;
    }
    std::shared_ptr<Answer> call_well(const std::string& body = "{}") {
        return call("x-hub-signature-256", "sha256=" + sum(body), body);
    }
    static std::string sum(const std::string& body, const std::string& key = "s3cret") {
        return hmac_sha256_hex(key, body);
    }
    std::string requested(const std::string& name = "dev") {
        const std::string note =
            get(test::at(templates, name))
                ->at({"metadata", "annotations", "atelier.dev/reconcile-requested-at"});
        return note == "<absent>" ? "" : note;
    }
    std::string counted(const std::string& result) {
        for (const std::string& line : split(metrics.text(), '\n')) {
            if (line.find("atelier_webhook_requests_total{result=\"" + result + "\"}") == 0) {
                return line.substr(line.rfind(' ') + 1);
            }
        }
        return "0";
    }
    static constexpr std::string_view templates =
        "/apis/atelier.dev/v1alpha1/namespaces/default/orgtemplates";
};

TEST_F(Webhook, LetsInWhoKnowsTheKey) {
    const std::string body = R"({"ref":"refs/heads/main"})";
    const std::pair<const char*, std::string> good[] = {
        {"x-hub-signature-256", "sha256=" + sum(body)},
        {"x-gitea-signature", sum(body)},
        {"x-forgejo-signature", sum(body)},
        {"x-gogs-signature", sum(body)},
        {"x-atelier-signature", "sha256=" + sum(body)},
        {"x-gitlab-token", "s3cret"},
    };
    std::string before;
    for (const auto& [header, value] : good) {
        SCOPED_TRACE(header);
        clock.advance(seconds(10));
        EXPECT_EQ(call(header, value, body)->status, 202);
        EXPECT_NE(requested(), before);
        before = requested();
    }
    EXPECT_EQ(counted("accepted"), "6");
    EXPECT_EQ(counted("refused"), "0");
}

TEST_F(Webhook, TellsNobodyElseAnything) {
    ASSERT_EQ(make("closed", "")->status, 201);
    ASSERT_EQ(make("lost", R"(,"webhook":{"secretRef":{"name":"none"}})")->status, 201);
    ASSERT_EQ(post("/api/v1/namespaces/default/secrets",
                   R"({"metadata":{"name":"empty"},"stringData":{"token":" \n","other":"x"}})")
                  ->status,
              201);
    ASSERT_EQ(make("void", R"(,"webhook":{"secretRef":{"name":"empty"}})")->status, 201);
    const std::string good = "sha256=" + sum("{}");
    std::string flipped = good;
    flipped.back() = flipped.back() == '0' ? '1' : '0';
    struct Case {
        const char* what;
        std::string name, header, value;
    };
    const Case cases[] = {
        {"no signature", "dev", "", ""},
        {"an empty one", "dev", "x-hub-signature-256", ""},
        {"one digit is another", "dev", "x-hub-signature-256", flipped},
        {"cut", "dev", "x-hub-signature-256", good.substr(0, good.size() - 1)},
        {"longer", "dev", "x-hub-signature-256", good + "0"},
        {"no scheme", "dev", "x-hub-signature-256", sum("{}")},
        {"another scheme", "dev", "x-hub-signature-256", "sha1=" + sum("{}")},
        {"scheme alone", "dev", "x-hub-signature-256", "sha256="},
        {"of another body", "dev", "x-hub-signature-256", "sha256=" + sum("{ }")},
        {"of another key", "dev", "x-hub-signature-256", "sha256=" + sum("{}", "guess")},
        {"of no key", "dev", "x-gitea-signature", sum("{}", "")},
        {"the key with its line end", "dev", "x-gitea-signature", sum("{}", "s3cret\n")},
        {"another token", "dev", "x-gitlab-token", "s3cre"},
        {"the sum as a token", "dev", "x-gitlab-token", sum("{}")},
        {"no such template", "none", "x-hub-signature-256", good},
        {"the key of a template that is none", "none", "x-gitlab-token", "no such key"},
        {"no webhook", "closed", "x-hub-signature-256", good},
        {"no Secret", "lost", "x-hub-signature-256", good},
        {"no Secret, no key", "lost", "x-hub-signature-256", "sha256=" + sum("{}", "")},
        {"an empty key", "void", "x-hub-signature-256", "sha256=" + sum("{}", "")},
        {"what stands in for no key", "void", "x-gitlab-token", "no such key"},
    };
    const Revision before = store->revision();
    const std::string refusal = call("", "")->body;
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        const auto answer = call(c.header, c.value, "{}", c.name);
        EXPECT_EQ(answer->status, 401);
        EXPECT_EQ(answer->body, refusal) << "the answers do not differ";
    }
    EXPECT_EQ(store->revision(), before) << "nothing is written";
    EXPECT_EQ(counted("accepted"), "0");
    EXPECT_EQ(counted("refused"), std::to_string(std::size(cases) + 1));
}

TEST_F(Webhook, TakesNoMoreThanItNeeds) {
    EXPECT_EQ(call("", "", "{}", "dev", "GET")->status, 405);
    EXPECT_EQ(call("", "", "{}", "dev", "DELETE")->status, 405);
    const std::string large(most_webhook_bytes + 1, 'x');
    EXPECT_EQ(call("x-hub-signature-256", "sha256=" + sum(large), large)->status, 413);
    EXPECT_EQ(call("", "", large, "none")->status, 413);
    const std::string fits(most_webhook_bytes, 'x');
    EXPECT_EQ(call_well(fits)->status, 202);
    Request deeper = test::request_of("POST", "/webhooks/default/dev/more");
    auto answer = std::make_shared<Answer>();
    api->handle(std::move(deeper), answer);
    EXPECT_EQ(answer->status, 401) << "is no webhook, and wants a token";
}

TEST_F(Webhook, APingIsAnsweredAndDoesNothing) {
    const Revision before = store->revision();
    const auto answer =
        call("x-hub-signature-256", "sha256=" + sum("{}"), "{}", "dev", "POST", "ping");
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(store->revision(), before);
    EXPECT_EQ(counted("ping"), "1");
    EXPECT_EQ(call("", "", "{}", "dev", "POST", "ping")->status, 401);
}

std::optional<Push> pushed(const std::string& ref, const std::string& default_branch = "") {
    return push_of(R"({"ref":")" + ref + R"(","repository":{"default_branch":")" + default_branch +
                   R"("}})");
}

TEST(WebhookPush, IsReadAsTheServersSendIt) {
    const auto github = push_of(
        R"({"ref":"refs/heads/main","before":"00","repository":{"id":1,"default_branch":"trunk"}})");
    ASSERT_TRUE(github);
    EXPECT_EQ(github->ref, "refs/heads/main");
    EXPECT_EQ(github->default_branch, "trunk");
    const auto gitlab = push_of(
        R"({"object_kind":"tag_push","ref":"refs/tags/v1","project":{"default_branch":"main"}})");
    ASSERT_TRUE(gitlab);
    EXPECT_EQ(gitlab->ref, "refs/tags/v1");
    EXPECT_EQ(gitlab->default_branch, "main");
    // https://docs.github.com/en/webhooks: application/x-www-form-urlencoded
    const auto form = push_of("payload=%7B%22ref%22%3A+%22refs%2Fheads%2Fa%22%7D&more=1");
    ASSERT_TRUE(form);
    EXPECT_EQ(form->ref, "refs/heads/a");
    for (const char* nothing :
         {"", "{}", "[]", "x", "payload=", "payload=%7B", "payload=%zz", R"({"ref":7})",
          R"({"ref":"main","ref_type":"branch"})", R"({"ref":"refs/notes/x"})",
          R"({"ref":"refs/heads/a","ref":"refs/heads/b"})"}) {
        EXPECT_FALSE(push_of(nothing)) << nothing;
    }
}

TEST(WebhookPush, ConcernsATemplateThatMayMeanIt) {
    const std::string commit(40, 'a');
    struct Case {
        const char* follows;
        std::optional<Push> push;
        bool expected;
    };
    const Case cases[] = {
        {"main", pushed("refs/heads/main"), true},
        {"main", pushed("refs/tags/main"), true},
        {"main", pushed("refs/heads/main2"), false},
        {"main", pushed("refs/heads/feature/main"), false},
        {"main", pushed("refs/tags/v1"), false},
        {"v1", pushed("refs/tags/v1"), true},
        {"heads/main", pushed("refs/heads/main"), true},
        {"refs/heads/main", pushed("refs/heads/main"), true},
        {"refs/heads/main", pushed("refs/tags/main"), false},
        {"tags/v1", pushed("refs/tags/v1"), true},
        {"", pushed("refs/heads/main", "main"), true},
        {"", pushed("refs/heads/next", "main"), false},
        {"", pushed("refs/heads/next"), true},
        {"HEAD", pushed("refs/heads/next", "main"), false},
        {"", pushed("refs/tags/v1"), false},
        {commit.c_str(), pushed("refs/heads/main"), false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(std::string(c.follows) + " " + c.push->ref);
        crds::OrgTemplate source;
        source.meta.generation = 3;
        source.spec.source.git.emplace();
        source.spec.source.git->ref = c.follows;
        EXPECT_TRUE(may_concern(*c.push, source)) << "it is not known what it includes";
        source.status.observed_generation = 3;
        source.status.set({.type = "Ready",
                           .status = crds::ConditionStatus::yes,
                           .reason = "Compiled",
                           .message = ""},
                          Instant{});
        EXPECT_EQ(may_concern(*c.push, source), c.expected);
        source.status.externals.push_back({.url = "https://g/a/b", .ref = "main2", .commit = ""});
        const bool of_external = c.push->ref == "refs/heads/main2";
        EXPECT_EQ(may_concern(*c.push, source), c.expected || of_external);
        source.status.observed_generation = 2;
        EXPECT_TRUE(may_concern(*c.push, source)) << "it was changed since";
        source.spec.source.git.reset();
        EXPECT_TRUE(may_concern(*c.push, source)) << "it is from nowhere in particular";
    }
}

TEST_F(Webhook, APushToAnotherBranchIsAnsweredAndDoesNothing) {
    const std::string spec = R"({"metadata":{"name":"git"},"spec":{"source":{"git":)"
                             R"({"url":"https://g.example/a/b","ref":"main"}},)"
                             R"("webhook":{"secretRef":{"name":"hook"}}}})";
    ASSERT_EQ(post(templates, spec)->status, 201);
    const auto tell = [&](const std::string& ref, const std::string& key = "s3cret") {
        const std::string body = R"({"ref":")" + ref + R"("})";
        return call("x-hub-signature-256", "sha256=" + sum(body, key), body, "git");
    };
    EXPECT_EQ(tell("refs/heads/other")->status, 202) << "it is not compiled yet";
    const std::string status = R"({"status":{"observedGeneration":1,"conditions":[{"type":"Ready",)"
                               R"("status":"True","reason":"Compiled","message":"",)"
                               R"("observedGeneration":1,)"
                               R"("lastTransitionTime":"2026-01-01T00:00:00Z"}]}})";
    Request request = test::request_of("PATCH", test::at(templates, "git") + "/status");
    request.headers.emplace_back("content-type", "application/merge-patch+json");
    request.body = status;
    ASSERT_EQ(send(std::move(request))->status, 200);
    clock.advance(seconds(10));
    const Revision before = store->revision();
    const auto ignored = tell("refs/heads/other");
    EXPECT_EQ(ignored->status, 200);
    EXPECT_EQ(ignored->body,
              "nothing is done: the template follows main, and the push was to another branch or "
              "tag\n");
    EXPECT_EQ(store->revision(), before);
    EXPECT_EQ(counted("ignored"), "1");
    EXPECT_EQ(tell("refs/heads/other", "guess")->status, 401) << "only who is let in is told";
    EXPECT_EQ(tell("refs/heads/main")->status, 202);
    EXPECT_EQ(store->revision(), before + 1);
}

TEST_F(Webhook, ASuspendedTemplateIsLeftAlone) {
    ASSERT_EQ(make("still", R"(,"suspend":true,"webhook":{"secretRef":{"name":"hook"}})")->status,
              201);
    const Revision before = store->revision();
    const auto answer = call("x-hub-signature-256", "sha256=" + sum("{}"), "{}", "still");
    EXPECT_EQ(answer->status, 200);
    EXPECT_NE(answer->body.find("suspended"), std::string::npos);
    EXPECT_EQ(store->revision(), before);
}

// A flood, replayed or not, is one look at once and one more for what came after it.
TEST_F(Webhook, AFloodIsTwoRequests) {
    const Revision before = store->revision();
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(call_well()->status, 202);
        clock.advance(milliseconds(10));
    }
    EXPECT_EQ(store->revision(), before + 1);
    clock.advance(seconds(5));
    api->pump();
    EXPECT_EQ(store->revision(), before + 2) << "the last one is not lost";
    clock.advance(seconds(60));
    api->pump();
    EXPECT_EQ(store->revision(), before + 2);
    EXPECT_EQ(call_well()->status, 202);
    EXPECT_EQ(store->revision(), before + 3) << "at once again";
}

TEST_F(Webhook, GoesWithItsTemplate) {
    EXPECT_EQ(call_well()->status, 202);
    EXPECT_EQ(call_well()->status, 202);
    EXPECT_EQ(send("DELETE", test::at(templates, "dev"), "")->status, 200);
    clock.advance(seconds(10));
    const Revision before = store->revision();
    api->pump();
    EXPECT_EQ(store->revision(), before);
    EXPECT_EQ(call_well()->status, 401);
}

TEST(RateLimiter, TellsAtOnceThenOncePerPauseAndForgets) {
    RateLimiter pace(seconds(5));
    const Instant start{};
    const Key a{"r", "n", "a"};
    const Key b{"r", "n", "b"};
    using testing::ElementsAre;
    using testing::IsEmpty;
    EXPECT_FALSE(pace.next());
    pace.ask(a, start);
    pace.ask(a, start);
    EXPECT_EQ(pace.next(), start);
    EXPECT_THAT(pace.take_due(start), ElementsAre(a));
    EXPECT_THAT(pace.take_due(start), IsEmpty());
    pace.ask(a, start + seconds(1));
    pace.ask(b, start + seconds(1));
    EXPECT_THAT(pace.take_due(start + seconds(1)), ElementsAre(b)) << "each has its own pace";
    pace.ask(a, start + seconds(4));
    EXPECT_EQ(pace.next(), start + seconds(5));
    EXPECT_THAT(pace.take_due(start + seconds(5)), ElementsAre(a));
    EXPECT_THAT(pace.take_due(start + seconds(20)), IsEmpty());
    EXPECT_FALSE(pace.next()) << "nothing is remembered";
}

TEST(RateLimiter, AClockThatGoesBackHoldsNothingUp) {
    RateLimiter pace(seconds(5));
    const Instant start = Instant{} + std::chrono::hours(10);
    const Key a{"r", "n", "a"};
    pace.ask(a, start);
    EXPECT_EQ(pace.take_due(start).size(), 1u);
    const Instant then = start - std::chrono::hours(1);
    pace.ask(a, then);
    EXPECT_EQ(pace.take_due(then).size(), 1u);
}

TEST_F(Webhook, TheDiffOfAnOrgIsAskedForWithAToken) {
    Request request = test::request_of("GET",
                                       "/apis/atelier.dev/v1alpha1/namespaces/default/orgs/"
                                       "acme/diff?since=r1");
    auto answer = std::make_shared<Answer>();
    api->handle(std::move(request), answer);
    EXPECT_EQ(answer->status, 401);
}

// The answer of a server that has such a function.
TEST(RevisionDiffEndpoint, PassesTheQuestionOnAndTellsErrors) {
    test::HandClock clock;
    SeededRandom random{1};
    Metrics metrics;
    store::Options options;
    options.url = "memory:";
    options.commit_inline = true;
    auto store = *store::open(options, clock, random, metrics, Log());
    ApiOptions api_options;
    api_options.credentials = {{"right", "admin", {"system:masters"}}};
    api_options.own_thread = false;
    api_options.revision_diff = [](const RevisionQuestion& q) -> Result<std::string> {
        if (q.org == "none") return Error{Code::not_found, "there is no Org none"};
        return "\"" + q.ns + "/" + q.org + " " + q.since + ".." + q.to + "\"";
    };
    Api api(*store, test::shared_kinds(), clock, random, metrics, Log(), api_options);
    const auto ask = [&](std::string method, const std::string& target) {
        Request request = test::request_of(
            std::move(method), "/apis/atelier.dev/v1alpha1/namespaces/default/" + target);
        request.headers.emplace_back("authorization", "Bearer right");
        auto answer = std::make_shared<Answer>();
        api.handle(std::move(request), answer);
        return answer;
    };
    EXPECT_EQ(ask("GET", "orgs/acme/diff?since=r1&to=r2")->body, "\"default/acme r1..r2\"");
    EXPECT_EQ(ask("GET", "orgs/acme/diff")->body, "\"default/acme ..\"");
    EXPECT_EQ(ask("GET", "orgs/none/diff")->status, 404);
    EXPECT_EQ(ask("GET", "orgs/none/diff")->at({"message"}), "there is no Org none");
    EXPECT_EQ(ask("PUT", "orgs/acme/diff")->status, 405);
    EXPECT_EQ(ask("DELETE", "orgs/acme/diff")->status, 405);
    EXPECT_EQ(ask("GET", "workspaces/acme/diff")->status, 404);
}

}  // namespace
}  // namespace atelier::apiserver
