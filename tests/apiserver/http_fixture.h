// A server of the tests, and handlers that say what they were asked.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "apiserver/http/server.h"
#include "tests/apiserver/raw_client.h"

namespace atelier::apiserver::test {

inline Frame frame(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
}

// Opens with set(); wait() has a bound, so that a failing test ends.
class Latch {
  public:
    void set() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        condition_.notify_all();
    }
    bool wait() {
        std::unique_lock lock(mutex_);
        return condition_.wait_for(lock, std::chrono::seconds(20), [this] { return open_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable condition_;
    bool open_ = false;
};

class HttpTest : public testing::Test {
  protected:
    void serve_with(Handler handler) {
        auto served = serve(options, std::move(handler), metrics, Log());
        ASSERT_TRUE(served) << served.error().message;
        server = *std::move(served);
    }
    // Answers with "<method> <path> <body size>" and a line for each segment, query and header.
    void serve_echo() {
        serve_with([](Request request, std::shared_ptr<ResponseSink> sink) {
            std::string text = request.method + " " + request.path + " " +
                               std::to_string(request.body.size()) + "\n";
            for (const auto& segment : request.segments) text += "segment " + segment + "\n";
            for (const auto& [name, value] : request.query) text += name + "=" + value + "\n";
            for (const auto& [name, value] : request.headers) text += name + ": " + value + "\n";
            sink->reply(200, {{"Content-Type", "text/plain"}}, frame(std::move(text)));
        });
    }
    RawResponse ask(std::string_view bytes) {
        RawClient client(server->port());
        client.send(bytes);
        return client.response();
    }

    HttpOptions options;
    Metrics metrics;
    std::unique_ptr<HttpServer> server;
};

}  // namespace atelier::apiserver::test
