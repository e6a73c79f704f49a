// An Api with threads of its own behind a real server: what a client sees over a socket.
#pragma once

#include <sys/resource.h>

#include <memory>
#include <string>
#include <thread>

#include "apiserver/http/server.h"
#include "tests/apiserver/api_world.h"
#include "tests/apiserver/raw_client.h"

namespace atelier::apiserver::test {

class ApiServer : public testing::Test {
  protected:
    void start() {
        store::Options kept;
        kept.url = "memory:";
        auto opened = store::open(kept, clock, random, metrics, Log());
        ASSERT_TRUE(opened);
        store = *std::move(opened);
        api_options.credentials = {{"right", "admin", {"system:masters"}}};
        api = std::make_unique<Api>(*store, shared_kinds(), clock, random, metrics, Log(),
                                    api_options);
        ASSERT_TRUE(api->seed());
        auto served = serve(options, api->handler(), metrics, Log(), api->head_check());
        ASSERT_TRUE(served) << served.error().message;
        server = *std::move(served);
    }
    ~ApiServer() override {
        if (api) api->stop();
        server.reset();
        api.reset();
    }

    // ConfigMaps of about so many bytes each, named m-0, m-1, …
    void fill(int count, std::size_t bytes) {
        const std::string data(bytes, 'x');
        for (int i = 0; i < count; ++i) {
            const std::string name = "m-" + std::to_string(i);
            store::Write write;
            write.key = {"configmaps", "default", name};
            const auto object = json::parse(
                R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
                R"(","namespace":"default","uid":"u)" + std::to_string(i) +
                R"(","creationTimestamp":"2026-01-01T00:00:00Z"},"data":{"x":")" + data + "\"}}");
            ASSERT_TRUE(object);
            write.body = crds::encode_body(*object);
            const bool last = i + 1 == count;
            if (last) {
                ASSERT_TRUE(store::write_and_wait(*store, std::move(write)));
            } else {
                store->write(std::move(write),
                             [](const Result<store::ObjectPtr>& stored) { EXPECT_TRUE(stored); });
            }
        }
    }

    double value_of(const std::string& name) {
        const std::string text = metrics.text();
        const std::size_t at = text.find("\n" + name + " ");
        return at == std::string::npos ? 0 : std::stod(text.substr(at + name.size() + 2));
    }
    // Polls for at most a minute: the server has threads of its own.
    template <class Holds>
    static bool becomes(Holds holds) {
        for (int i = 0; i < 6000; ++i) {
            if (holds()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        return false;
    }
    // Two descriptors for each connection, over the usual soft limit of 1024.
    static void allow_descriptors(rlim_t count) {
        rlimit files{};
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = std::min(files.rlim_max, count);
        ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
        ASSERT_EQ(files.rlim_cur, count) << "this test needs more descriptors";
    }
    static std::string head(std::string_view method, std::string_view path,
                            std::string_view more = "") {
        return std::string(method) + " " + std::string(path) +
               " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right\r\n" + std::string(more) +
               "\r\n";
    }

    static constexpr std::string_view maps = "/api/v1/namespaces/default/configmaps";

    HttpOptions options;
    ApiOptions api_options;
    SystemClock clock;
    SystemRandom random;
    Metrics metrics;
    std::unique_ptr<store::Store> store;
    std::unique_ptr<Api> api;
    std::unique_ptr<HttpServer> server;
};

}  // namespace atelier::apiserver::test
