// What was broken in patches, deletions and admission: a test for each number of docs/faults.md.
#include <gmock/gmock.h>
#include <time.h>

#include <functional>
#include <future>
#include <limits>
#include <thread>

#include "apiserver/request/protobuf.h"
#include "apiserver/verbs/json_patch.h"
#include "apiserver/verbs/strategic_merge.h"
#include "tests/apiserver/api_world.h"

namespace atelier::apiserver::test {
namespace {

using testing::HasSubstr;

// The time of this thread alone, at its best of several runs: other programs do not count.
double cpu_seconds(const std::function<void()>& work) {
    double best = std::numeric_limits<double>::max();
    for (int i = 0; i < 3; ++i) {
        timespec begin{};
        timespec end{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
        work();
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
        best = std::min(best, static_cast<double>(end.tv_sec - begin.tv_sec) +
                                  static_cast<double>(end.tv_nsec - begin.tv_nsec) / 1e9);
    }
    return best;
}

// {"k0":0,"k1":1,…}
std::string object_of(int count) {
    std::string out = "{";
    for (int i = 0; i < count; ++i) {
        out += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(i);
    }
    return out + "}";
}

std::string list_of(int count, const std::function<std::string(int)>& element) {
    std::string out = "[";
    for (int i = 0; i < count; ++i) out += (i > 0 ? "," : "") + element(i);
    return out + "]";
}

struct Case {
    const char* name;
    std::function<std::string(int)> target;
    std::function<std::string(int)> patch;
    std::function<bool(json::Document&, const json::Value&)> apply;
};

bool by_merge(json::Document& target, const json::Value& patch) {
    json::merge_patch(target, patch, target.GetAllocator());
    return true;
}
bool by_strategic(json::Document& target, const json::Value& patch) {
    return bool(apply_strategic_merge(target, patch, target.GetAllocator()));
}
bool by_operations(json::Document& target, const json::Value& patch) {
    return bool(apply_json_patch(target, patch));
}

TEST(PatchFaults, Fault08_EveryPatchCostsWhatItsSizeIs) {
    const auto names = [](int i) { return "\"n" + std::to_string(i) + "\""; };
    const auto owners = [](int n) {
        return R"({"metadata":{"ownerReferences":)" +
               list_of(n, [](int i) { return "{\"uid\":\"u" + std::to_string(i) + "\"}"; }) + "}}";
    };
    const auto operations = [](const char* begin, const char* end) {
        return [=](int n) {
            return list_of(n, [&](int i) { return begin + std::to_string(i) + end; });
        };
    };
    const Case cases[] = {
        {"merge patch that changes", object_of, object_of, by_merge},
        {"merge patch that adds", [](int) { return std::string("{}"); }, object_of, by_merge},
        {"strategic patch", object_of, object_of, by_strategic},
        {"strategic list by key", owners, owners, by_strategic},
        {"strategic set",
         [&](int n) { return "{\"metadata\":{\"finalizers\":" + list_of(n, names) + "}}"; },
         [&](int n) {
             return "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":" + list_of(n, names) +
                    ",\"$setElementOrder/finalizers\":" + list_of(n, names) + "}}";
         },
         by_strategic},
        {"operations on members", object_of,
         operations(R"({"op":"replace","path":"/k)", R"(","value":"x"})"), by_operations},
        {"operations that remove", object_of, operations(R"({"op":"remove","path":"/k)", R"("})"),
         by_operations},
        {"operations at the front of a list",
         [&](int n) { return "{\"l\":" + list_of(n, names) + "}"; },
         operations(R"({"op":"add","path":"/l/0","value":")", R"("})"), by_operations},
        {"a test of a large object", object_of,
         [](int n) { return R"([{"op":"test","path":"","value":)" + object_of(n) + "}]"; },
         by_operations},
    };
    for (const Case& one : cases) {
        const auto cost = [&](int n) {
            const auto target = json::parse(one.target(n));
            const auto patch = json::parse(one.patch(n));
            EXPECT_TRUE(target && patch) << one.name;
            return cpu_seconds([&] {
                json::Document work = json::copy(*target);
                EXPECT_TRUE(one.apply(work, *patch)) << one.name;
            });
        };
        constexpr int size = 1000;
        // Four times the size costs four times as much, and a little for logarithms; the square
        // would be sixteen times as much.
        EXPECT_LT(cost(4 * size), 8 * cost(size)) << one.name;
    }
}

// A field of protobuf with its length.
std::string field(int number, const std::string& bytes) {
    std::string out(1, static_cast<char>(number << 3 | 2));
    std::size_t size = bytes.size();
    for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
    return out + static_cast<char>(size) + bytes;
}

TEST(DecodeFaults, Fault08_ProtobufCostsWhatItsSizeIs) {
    const auto cost = [](int n) {
        std::string secret;
        for (int i = 0; i < n; ++i) {
            secret += field(2, field(1, "k" + std::to_string(i)) + field(2, "v"));
        }
        const std::string body = std::string("k8s\0", 4) +
                                 field(1, field(1, "v1") + field(2, "Secret")) + field(2, secret);
        return cpu_seconds([&] {
            const auto decoded = decode_protobuf(body);
            ASSERT_TRUE(decoded);
            EXPECT_EQ((*decoded)["data"].MemberCount(), static_cast<unsigned>(n));
        });
    };
    EXPECT_LT(cost(4000), 8 * cost(1000));
}

using PatchFaults11 = ApiWorld;

std::string nested(int depth) {
    std::string out;
    for (int i = 0; i < depth; ++i) out += "{\"a\":";
    return out + "1" + std::string(static_cast<std::size_t>(depth), '}');
}

TEST_F(PatchFaults11, Fault11_WhatIsStoredCanBeReadPatchedAndDeleted) {
    const std::string maps = "/api/v1/namespaces/default/configmaps";
    ASSERT_EQ(post(maps, R"({"metadata":{"name":"m"},"data":{"x":"1"}})")->status, 201);
    // Step by step deeper than the parser reads. Whatever is answered, the object stays usable.
    std::string path = "/metadata/annotations";
    for (int i = 0; i < 60; ++i) {
        const std::string target = path + "/a";
        const auto answer =
            send("PATCH", at(maps, "m"),
                 R"([{"op":"add","path":")" + path + R"(","value":)" + nested(90) +
                     R"(},{"op":"add","path":")" + target + R"(","value":)" + nested(90) + "}]",
                 "application/json-patch+json");
        EXPECT_GE(answer->status, 400);
        path = target;
    }
    std::string bottom = "/z";
    for (int i = 0; i < 40; ++i) bottom += "/a";
    const auto moved =
        send("PATCH", at(maps, "m"),
             R"([{"op":"add","path":"/x","value":)" + nested(95) +
                 R"(},{"op":"move","from":"/x","path":"/data/y"},)"
                 R"({"op":"add","path":"/z","value":)" +
                 nested(50) + R"(},{"op":"move","from":"/data","path":")" + bottom + "\"}]",
             "application/json-patch+json");
    EXPECT_TRUE(moved->status == 400 || moved->status == 422) << moved->body;
    const auto itself =
        send("PATCH", at(maps, "m"), R"([{"op":"move","from":"/data","path":"/data/x"}])",
             "application/json-patch+json");
    EXPECT_EQ(itself->status, 422);
    EXPECT_EQ(merge(at(maps, "m"), R"({"data":{"x":"2"}})")->status, 200);
    EXPECT_EQ(send("DELETE", at(maps, "m"), "")->status, 200);
    EXPECT_EQ(get(at(maps, "m"))->status, 404);
}

// As an older server stored it.
TEST_F(PatchFaults11, Fault11_WhatCannotBeReadCanBeDeleted) {
    store::Write write;
    write.key = {"configmaps", "default", "deep"};
    const auto begin = json::parse(
        R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"deep","namespace":"default",)"
        R"("uid":"u","creationTimestamp":"2026-01-01T00:00:00Z","finalizers":["a.b/c"]}})");
    write.body = crds::encode_body(*begin);
    write.body.text.pop_back();
    write.body.text += ",\"data\":" + nested(300) + "}";
    ASSERT_TRUE(store::write_and_wait(*store, std::move(write)));
    const std::string deep = "/api/v1/namespaces/default/configmaps/deep";
    EXPECT_EQ(get(deep)->status, 200);
    EXPECT_EQ(send("DELETE", deep, "")->status, 200);
    const auto marked = get(deep);
    EXPECT_THAT(marked->body, HasSubstr("deletionTimestamp"));
    EXPECT_THAT(marked->body, HasSubstr(nested(300))) << "the rest is as it was";
}

TEST_F(PatchFaults11, Fault11_FinalizersOfANamespaceAreNamesOnly) {
    ASSERT_EQ(post("/api/v1/namespaces", R"({"metadata":{"name":"n"}})")->status, 201);
    const std::string finalize = "/api/v1/namespaces/n/finalize";
    for (const char* bad : {R"("kubernetes")", R"([1])", R"([{"a":1}])", R"(["no domain"])",
                            R"([""])", R"(["/x"])", R"(["a.b/"])"}) {
        const auto answer =
            send("PUT", finalize,
                 std::string(R"({"metadata":{"name":"n"},"spec":{"finalizers":)") + bad + "}}");
        EXPECT_EQ(answer->status, 422) << bad << answer->body;
        EXPECT_THAT(answer->body, HasSubstr("spec.finalizers"));
    }
    EXPECT_EQ(send("PUT", finalize,
                   R"({"metadata":{"name":"n"},"spec":{"finalizers":["kubernetes","a.b/c"]}})")
                  ->status,
              200);
}

// A store whose writes lose the first races, answered by a thread of its own as the real one does.
class RacingStore final : public store::Store {
  public:
    explicit RacingStore(store::Store& inner) : inner_(inner) {}

    store::ObjectPtr get(const Key& key) const override {
        if (std::this_thread::get_id() == writer_) ++computed;
        return inner_.get(key);
    }
    store::SnapshotPtr list(std::string_view resource) const override {
        return inner_.list(resource);
    }
    std::vector<store::ObjectPtr> by_index(const store::FieldIndex& index,
                                           std::string_view value) const override {
        return inner_.by_index(index, value);
    }
    Result<store::SnapshotPtr> list_at(std::string_view resource, Revision at) const override {
        return inner_.list_at(resource, at);
    }
    Result<std::vector<store::EventPtr>> events(std::string_view resource, Revision after,
                                                std::size_t most) const override {
        return inner_.events(resource, after, most);
    }
    Revision revision() const override { return inner_.revision(); }
    void write(store::Write write, store::Done done) override {
        if (races.fetch_sub(1) <= 0) return inner_.write(std::move(write), std::move(done));
        std::thread writer([this, done = std::move(done)] {
            writer_ = std::this_thread::get_id();
            done(loss);
            writer_ = std::thread::id();
        });
        writer.join();
    }
    void write_all(std::vector<store::Write> writes, store::AllDone done) override {
        inner_.write_all(std::move(writes), std::move(done));
    }
    std::unique_ptr<store::Subscription> on_commit(std::function<void(Revision)> wake) override {
        return inner_.on_commit(std::move(wake));
    }
    Result<void> healthy() const override { return inner_.healthy(); }

    std::atomic<int> races{0};
    Error loss{Code::conflict, "somebody else was faster"};  // what a race is lost by
    mutable std::atomic<int> computed{0};                    // reads on the writer's thread

  private:
    store::Store& inner_;
    std::atomic<std::thread::id> writer_{};
};

// Answered by another thread.
class Later final : public ResponseSink {
  public:
    void reply(int code, Headers, Frame b) override {
        body = *b;
        status.set_value(code);
    }
    void start(int, Headers) override {}
    bool write(Frame) override { return false; }
    std::size_t queued() const override { return 0; }
    void finish() override {}
    void on_closed(std::function<void()>) override {}
    std::promise<int> status;
    std::string body;
};

// A client of an Api with threads of its own over a store that loses races.
class RacingApi {
  public:
    RacingApi() {
        store::Options options;
        options.url = "memory:";
        auto opened = store::open(options, clock_, random_, metrics_, Log());
        EXPECT_TRUE(opened);
        inner_ = *std::move(opened);
        store = std::make_unique<RacingStore>(*inner_);
        ApiOptions api_options;
        api_options.credentials = {{"right", "admin", {}}};
        api_ = std::make_unique<Api>(*store, shared_kinds(), clock_, random_, metrics_, Log(),
                                     api_options);
        EXPECT_TRUE(api_->seed());
    }

    int send(std::string method, const std::string& name, std::string body, const char* type) {
        Request request =
            request_of(std::move(method), "/api/v1/namespaces/default/configmaps" + name);
        request.headers.emplace_back("authorization", "Bearer right");
        request.headers.emplace_back("content-type", type);
        request.body = std::move(body);
        const auto answer = std::make_shared<Later>();
        std::future<int> status = answer->status.get_future();
        api_->handle(std::move(request), answer);
        if (status.wait_for(std::chrono::seconds(20)) != std::future_status::ready) return 0;
        body_ = answer->body;
        return status.get();
    }
    const std::string& body() const { return body_; }

    std::unique_ptr<RacingStore> store;

  private:
    SystemClock clock_;
    SystemRandom random_;
    Metrics metrics_;
    std::unique_ptr<store::Store> inner_;
    std::unique_ptr<Api> api_;
    std::string body_;
};

TEST(AdmissionFaults, Fault09_LostRacesAreRepeatedOutsideTheStoresWriter) {
    RacingApi api;
    ASSERT_EQ(api.send("POST", "", R"({"metadata":{"name":"m"}})", "application/json"), 201);
    api.store->races = 8;
    EXPECT_EQ(api.send("PATCH", "/m", R"({"data":{"a":"1"}})", "application/merge-patch+json"),
              200);
    api.store->races = 8;
    EXPECT_EQ(api.send("DELETE", "/m", "", "application/json"), 200);
    EXPECT_EQ(api.store->computed, 0) << "admission ran on the store's thread";
}

TEST(WriteFaults, Fault06_A503SaysThatTheWriteMayHaveBeenStored) {
    RacingApi api;
    ASSERT_EQ(api.send("POST", "", R"({"metadata":{"name":"m"}})", "application/json"), 201);
    api.store->loss = {Code::unavailable, "the connection to the database was lost"};
    for (const auto& [method, name] :
         {std::pair("POST", ""), std::pair("PATCH", "/m"), std::pair("DELETE", "/m")}) {
        api.store->races = 1;
        EXPECT_EQ(api.send(method, name, R"({"metadata":{"generateName":"n"}})",
                           std::string_view(method) == "PATCH" ? "application/merge-patch+json"
                                                               : "application/json"),
                  503)
            << method;
        EXPECT_THAT(api.body(), HasSubstr("may have been stored all the same")) << method;
    }
}

}  // namespace
}  // namespace atelier::apiserver::test
