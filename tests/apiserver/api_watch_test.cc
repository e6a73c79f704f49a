// Watches: what is told, in which order, to whom, and when they end.
#include <gmock/gmock.h>

#include <thread>

#include "tests/apiserver/api_world.h"

namespace atelier::apiserver::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Watches = ApiWorld;

std::string revision_of(const std::shared_ptr<Answer>& answer) {
    return answer->at({"metadata", "resourceVersion"});
}

TEST_F(Watches, BeginWithWhatIsThereThenGoOn) {
    const std::string b = revision_of(make_workspace("b"));
    const std::string a = revision_of(make_workspace("a"));
    for (const char* query : {"", "&resourceVersion=0"}) {
        const auto stream = watch(query);
        EXPECT_EQ(stream->status, 200);
        EXPECT_TRUE(stream->streaming);
        EXPECT_THAT(stream->events(), ElementsAre("ADDED b " + b, "ADDED a " + a)) << query;
    }
    const auto stream = watch("");
    stream->events();
    const std::string changed =
        revision_of(merge(at(workspaces, "a"), R"({"spec":{"runtime":"openclaw"}})"));
    send("DELETE", at(workspaces, "b"), "");
    const std::string deleted = std::to_string(store->revision());
    api->pump();
    EXPECT_THAT(stream->events(), ElementsAre("MODIFIED a " + changed, "DELETED b " + deleted));
}

TEST_F(Watches, GoOnFromARevision) {
    const std::string first = revision_of(make_workspace("a"));
    const std::string second = revision_of(make_workspace("b"));
    EXPECT_THAT(watch("&resourceVersion=" + first)->events(), ElementsAre("ADDED b " + second));
    EXPECT_THAT(watch("&resourceVersion=" + second)->events(), IsEmpty());
}

TEST_F(Watches, OneObjectIsWatchedBySelectorOrPath) {
    const std::string a = revision_of(make_workspace("a"));
    make_workspace("b");
    EXPECT_THAT(watch("&fieldSelector=metadata.name%3Da")->events(), ElementsAre("ADDED a " + a));
    const auto by_path = get(at(workspaces, "a?watch=True"));
    api->pump();
    EXPECT_THAT(by_path->events(), ElementsAre("ADDED a " + a));
}

TEST_F(Watches, LeavingASelectionIsADeletionWithTheNewRevision) {
    make_workspace("a", R"(,"labels":{"x":"1"})");
    const auto stream = watch("&labelSelector=x%3D1");
    stream->events();
    const std::string left =
        revision_of(merge(at(workspaces, "a"), R"({"metadata":{"labels":{"x":"2"}}})"));
    api->pump();
    EXPECT_NE(stream->frames.back()->find(R"("labels":{"x":"1"})"), std::string::npos);
    EXPECT_THAT(stream->events(), ElementsAre("DELETED a " + left));
    merge(at(workspaces, "a"), R"({"spec":{"runtime":"openclaw"}})");
    api->pump();
    EXPECT_THAT(stream->events(), IsEmpty());
    const std::string back =
        revision_of(merge(at(workspaces, "a"), R"({"metadata":{"labels":{"x":"1"}}})"));
    api->pump();
    EXPECT_THAT(stream->events(), ElementsAre("ADDED a " + back));
}

TEST_F(Watches, BookmarksComeOnlyWhenAskedForAndBeforeTheEnd) {
    make_workspace("a");
    const std::string now = std::to_string(store->revision());
    const auto silent = watch("&resourceVersion=" + now + "&timeoutSeconds=300");
    const auto marked =
        watch("&resourceVersion=" + now + "&allowWatchBookmarks=true&timeoutSeconds=300");
    ASSERT_EQ(post("/api/v1/namespaces/default/configmaps", R"({"metadata":{"name":"m"}})")->status,
              201);
    clock.advance(std::chrono::seconds(61));
    api->pump();
    EXPECT_THAT(silent->events(), IsEmpty());
    EXPECT_THAT(marked->events(), ElementsAre("BOOKMARK  " + std::to_string(store->revision())));
    clock.advance(std::chrono::seconds(238));
    api->pump();
    EXPECT_EQ(marked->events().size(), 1u);
    EXPECT_FALSE(marked->finished);
    clock.advance(std::chrono::seconds(2));
    api->pump();
    EXPECT_TRUE(marked->finished);
    EXPECT_TRUE(silent->finished);
    EXPECT_THAT(silent->events(), IsEmpty());
}

TEST_F(Watches, WithoutATimeoutLastHalfAnHour) {
    const auto stream = watch("");
    clock.advance(std::chrono::minutes(29));
    api->pump();
    EXPECT_FALSE(stream->finished);
    clock.advance(std::chrono::minutes(32));
    api->pump();
    EXPECT_TRUE(stream->finished);
}

TEST_F(Watches, InitialEventsEndWithABookmarkThatSaysSo) {
    const std::string a = revision_of(make_workspace("a"));
    const auto stream = watch(
        "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        "&allowWatchBookmarks=true");
    EXPECT_NE(stream->body.find(R"("k8s.io/initial-events-end":"true")"), std::string::npos);
    EXPECT_THAT(stream->events(), ElementsAre("ADDED a " + a, "BOOKMARK  " + a));
    const auto refused = watch("&sendInitialEvents=true");
    EXPECT_EQ(refused->status, 422);
}

TEST_F(Watches, TooOldARevisionIsToldAsAnEvent) {
    make_workspace("w");
    for (int i = 0; i < 80; ++i) {
        merge(at(workspaces, "w"),
              R"({"metadata":{"labels":{"i":")" + std::to_string(i) + R"("}}})");
    }
    const auto stream = watch("&resourceVersion=1");
    EXPECT_EQ(stream->status, 200);
    EXPECT_TRUE(stream->finished);
    const auto line = json::parse(stream->body);
    ASSERT_TRUE(line) << stream->body;
    EXPECT_EQ(json::string_at(*line, {"type"}), "ERROR");
    EXPECT_EQ(json::string_at(*line, {"object", "reason"}), "Expired");
    EXPECT_EQ(json::find(*line, {"object", "code"})->GetInt(), 410);
}

TEST_F(Watches, TablesNameTheirColumnsOnce) {
    make_workspace("a");
    const auto stream = watch("", table);
    make_workspace("b");
    api->pump();
    const std::vector<std::string> lines = split(stream->body, '\n');
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[0].find("\"columnDefinitions\":[]"), std::string::npos);
    EXPECT_NE(lines[1].find("\"columnDefinitions\":[]"), std::string::npos);
    EXPECT_NE(lines[1].find("\"rows\":[{\"cells\":[\"b\""), std::string::npos);
}

TEST_F(Watches, ManyWatchersShareOneFrame) {
    const auto first = watch("");
    const auto second = watch("");
    const auto other = watch("&labelSelector=a%3Db");
    make_workspace("a");
    api->pump();
    ASSERT_EQ(first->frames.size(), 1u);
    EXPECT_EQ(first->frames[0].get(), second->frames[0].get());
    EXPECT_THAT(other->frames, IsEmpty());
}

TEST_F(Watches, ASlowReaderCatchesUpByItself) {
    const auto slow = watch("");
    const auto quick = watch("");
    slow->pretend_queued = 1u << 20;
    std::vector<std::string> all;
    for (int i = 0; i < 5; ++i) {
        const std::string name = "w" + std::to_string(i);
        all.push_back("ADDED " + name + " " + revision_of(make_workspace(name)));
        api->pump();
    }
    EXPECT_THAT(slow->events(), IsEmpty());
    EXPECT_EQ(quick->events(), all);
    slow->pretend_queued = 0;
    api->pump();
    EXPECT_EQ(slow->events(), all);
    make_workspace("last");
    api->pump();
    EXPECT_EQ(slow->events().size(), 1u);
}

TEST_F(Watches, AReaderThatIsTooSlowIsTold) {
    make_workspace("w");
    const auto slow = watch("");
    slow->events();
    slow->pretend_queued = 1u << 20;
    for (int i = 0; i < 80; ++i) {
        merge(at(workspaces, "w"),
              R"({"metadata":{"labels":{"i":")" + std::to_string(i) + R"("}}})");
        api->pump();
    }
    slow->pretend_queued = 0;
    api->pump();
    EXPECT_TRUE(slow->finished);
    EXPECT_NE(slow->body.find("\"code\":410"), std::string::npos);
}

TEST_F(Watches, AClientThatLeavesIsForgotten) {
    const auto gone = watch("");
    const auto cut = watch("");
    gone->closed();
    cut->cut = true;
    make_workspace("a");
    api->pump();
    EXPECT_THAT(gone->frames, IsEmpty());
    EXPECT_NE(metrics.text().find("apiserver_watchers 0"), std::string::npos);
    EXPECT_FALSE(gone->finished);
}

TEST_F(Watches, EndInGoodOrderWithTheServer) {
    const auto stream = watch("");
    api->stop();
    EXPECT_TRUE(stream->finished);
    const auto late = watch("");
    EXPECT_TRUE(late->finished);
    EXPECT_EQ(get(workspaces)->status, 200);
}

TEST(Writes, AreAnsweredEvenWhenTheApiIsGone) {
    HandClock clock;
    SeededRandom random(3);
    Metrics metrics;
    store::Options options;
    options.url = "memory:";
    auto store = store::open(options, clock, random, metrics, Log());
    ASSERT_TRUE(store);
    ApiOptions api_options;
    api_options.credentials = {{"right", "admin", {}}};
    auto api =
        std::make_unique<Api>(**store, shared_kinds(), clock, random, metrics, Log(), api_options);
    ASSERT_TRUE(api->seed());
    std::vector<std::shared_ptr<Answer>> answers;
    for (int i = 0; i < 50; ++i) {
        Request request = request_of("POST", "/api/v1/namespaces/default/configmaps");
        request.headers.emplace_back("authorization", "Bearer right");
        request.body = R"({"metadata":{"generateName":"m-"}})";
        answers.push_back(std::make_shared<Answer>());
        api->handle(std::move(request), answers.back());
    }
    api.reset();
    store->reset();  // finishes what it has taken
    for (const auto& answer : answers) EXPECT_TRUE(answer->answered);
}

TEST_F(Watches, Fault05_ASelectorWithALineEndGetsNobodyElsesEvents) {
    make_workspace("x", R"(,"labels":{"a":"1"})");
    // Joined by line ends, the texts of these two are the same.
    const auto first = watch("&labelSelector=a%3D1&fieldSelector=,metadata.name%3Dx%0A");
    const auto second = watch("&labelSelector=a%3D1%0A,metadata.name%3Dx");
    EXPECT_EQ(first->events().size(), 1u);
    EXPECT_THAT(second->events(), IsEmpty());
    merge(at(workspaces, "x"), R"({"spec":{"runtime":"openclaw"}})");
    api->pump();
    EXPECT_EQ(first->events().size(), 1u);
    EXPECT_THAT(second->events(), IsEmpty()) << "x has no label metadata.name";
}

TEST_F(Watches, Fault06_ABookmarkComesBeforeEveryTimeout) {
    const std::string revision = revision_of(make_workspace("x"));
    for (const int seconds : {1, 3, 5, 10, 59, 61, 200}) {
        const auto stream = watch("&allowWatchBookmarks=1&resourceVersion=" + revision +
                                  "&timeoutSeconds=" + std::to_string(seconds));
        for (int i = 0; i < seconds * 10 + 1 && !stream->finished; ++i) {
            clock.advance(std::chrono::milliseconds(100));
            api->pump();
        }
        EXPECT_TRUE(stream->finished) << seconds;
        const std::size_t last = stream->body.rfind("{\"type\":");
        ASSERT_NE(last, std::string::npos) << seconds;
        EXPECT_EQ(stream->body.substr(last, 18), R"({"type":"BOOKMARK")") << seconds;
    }
}

TEST_F(Watches, Fault06_APageIsOfTheRevisionOfItsToken) {
    make_workspace("a");
    make_workspace("b");
    const auto first = get(std::string(workspaces) + "?limit=1");
    const std::string page =
        std::string(workspaces) + "?limit=1&continue=" + first->at({"metadata", "continue"});
    EXPECT_EQ(get(page)->status, 200);
    EXPECT_EQ(get(page + "&resourceVersion=0")->status, 200);
    const auto both = get(page + "&resourceVersion=1");
    EXPECT_EQ(both->status, 400);
    EXPECT_EQ(both->at({"message"}),
              "specifying resource version is not allowed when using continue");
}

// Many writers and watchers at once, with the API's own thread: every watcher sees the one history.
TEST(WatchesUnderLoad, LoseAndRepeatNothing) {
    class Collector final : public ResponseSink {
      public:
        void reply(int, Headers, Frame) override {}
        void start(int, Headers) override {}
        bool write(Frame frame) override {
            const std::lock_guard lock(mutex_);
            text_ += *frame;
            return true;
        }
        std::size_t queued() const override { return 0; }
        void finish() override {}
        void on_closed(std::function<void()>) override {}
        std::vector<Revision> revisions() {
            const std::lock_guard lock(mutex_);
            std::vector<Revision> out;
            for (const std::string& line : split(text_, '\n')) {
                if (line.empty()) continue;
                const auto event = json::parse(line);
                out.push_back(
                    std::stoll(json::string_at(*event, {"object", "metadata", "resourceVersion"})));
            }
            return out;
        }

      private:
        std::mutex mutex_;
        std::string text_;
    };

    HandClock clock;
    SeededRandom random(7);
    Metrics metrics;
    store::Options options;
    options.url = "memory:";
    auto store = store::open(options, clock, random, metrics, Log());
    ASSERT_TRUE(store);
    ApiOptions api_options;
    api_options.credentials = {{"right", "admin", {}}};
    Api api(**store, shared_kinds(), clock, random, metrics, Log(), api_options);
    ASSERT_TRUE(api.seed());
    const Revision begin = (*store)->revision();

    constexpr int writers = 4;
    constexpr int each = 50;
    const auto ask = [&](std::string method, const std::string& target, std::string body,
                         std::shared_ptr<ResponseSink> sink) {
        Request request = request_of(std::move(method), target);
        request.headers.emplace_back("authorization", "Bearer right");
        request.body = std::move(body);
        api.handle(std::move(request), std::move(sink));
    };
    const std::string maps = "/api/v1/namespaces/default/configmaps";
    std::vector<std::shared_ptr<Collector>> watchers;
    std::vector<std::jthread> threads;
    for (int w = 0; w < writers; ++w) {
        threads.emplace_back([&, w] {
            for (int i = 0; i < each; ++i) {
                ask("POST", maps,
                    R"({"metadata":{"name":"m-)" + std::to_string(w) + "-" + std::to_string(i) +
                        "\"}}",
                    std::make_shared<Collector>());
            }
        });
    }
    for (int i = 0; i < 20; ++i) {
        watchers.push_back(std::make_shared<Collector>());
        ask("GET", maps + "?watch=1&resourceVersion=" + std::to_string(begin), "", watchers.back());
    }
    threads.clear();
    std::vector<Revision> expected;
    for (Revision r = begin + 1; r <= begin + writers * each; ++r) expected.push_back(r);
    for (const auto& watcher : watchers) {
        for (int tries = 0; tries < 1000 && watcher->revisions().size() < expected.size();
             ++tries) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        EXPECT_EQ(watcher->revisions(), expected);
    }
}

}  // namespace
}  // namespace atelier::apiserver::test
