// Answers from other threads, streams, slow readers, and stopping.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/apiserver/http_fixture.h"

namespace atelier::apiserver::test {
namespace {

using HttpServerTest = HttpTest;

double value_of(Metrics& metrics, const std::string& name) {
    const std::string text = metrics.text();
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
}

// Polls with a bound: metrics move on the server's threads.
bool becomes(Metrics& metrics, const std::string& name, double wanted) {
    for (int i = 0; i < 2000; ++i) {
        if (value_of(metrics, name) == wanted) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

TEST_F(HttpServerTest, takes_answers_from_another_thread) {
    std::vector<std::thread> threads;
    std::mutex mutex;
    serve_with([&](Request request, std::shared_ptr<ResponseSink> sink) {
        const std::lock_guard lock(mutex);
        threads.emplace_back([path = request.path, sink] { sink->reply(200, {}, frame(path)); });
    });
    RawClient client(server->port());
    for (int i = 0; i < 50; ++i) {
        client.send(get("/" + std::to_string(i)));
        EXPECT_EQ(client.response().body, "/" + std::to_string(i));
    }
    for (auto& thread : threads) thread.join();
}

TEST_F(HttpServerTest, answers_500_for_a_handler_that_forgets_or_throws) {
    serve_with([](Request request, std::shared_ptr<ResponseSink>) {
        if (request.path == "/throw") throw std::runtime_error("secret of the inside");
    });
    for (const char* path : {"/forget", "/throw"}) {
        const RawResponse response = ask(get(path));
        EXPECT_EQ(response.status, 500);
        EXPECT_NE(response.body.find("InternalError"), std::string::npos);
        EXPECT_EQ(response.body.find("secret"), std::string::npos);
    }
}

TEST_F(HttpServerTest, takes_one_answer_only) {
    serve_with([](Request, std::shared_ptr<ResponseSink> sink) {
        sink->reply(200, {}, frame("first"));
        sink->reply(200, {}, frame("second"));
        sink->start(200, {});
        EXPECT_FALSE(sink->write(frame("third")));
        sink->finish();
    });
    RawClient client(server->port());
    for (int i = 0; i < 3; ++i) {
        client.send(get("/"));
        EXPECT_EQ(client.response().body, "first");
    }
}

TEST_F(HttpServerTest, never_lets_a_header_value_begin_a_new_header) {
    serve_with([](Request, std::shared_ptr<ResponseSink> sink) {
        sink->reply(200, {{"Warning", "a\r\nSet-Cookie: b"}, {"Content-Length", "9"}}, frame("x"));
    });
    const RawResponse response = ask(get("/"));
    EXPECT_EQ(response.headers.at("warning"), "a  Set-Cookie: b");
    EXPECT_EQ(response.headers.at("content-length"), "1");
    EXPECT_EQ(response.headers.count("set-cookie"), 0U);
    EXPECT_EQ(response.headers.count("date"), 1U);
}

TEST_F(HttpServerTest, sends_304_without_length_or_body) {
    serve_with([](Request, std::shared_ptr<ResponseSink> sink) {
        sink->reply(304, {{"ETag", "\"x\""}}, frame("dropped"));
    });
    RawClient client(server->port());
    for (int i = 0; i < 2; ++i) {
        client.send(get("/"));
        EXPECT_EQ(client.response().headers.count("content-length"), 0U);
    }
}

TEST_F(HttpServerTest, sends_large_answers_whole) {
    const std::string large(20'000'000, 'z');
    serve_with([body = frame(large)](Request, std::shared_ptr<ResponseSink> sink) {
        sink->reply(200, {}, body);
    });
    EXPECT_EQ(ask(get("/")).body, large);
}

TEST_F(HttpServerTest, streams_frames_and_goes_on_with_the_connection) {
    serve_with([](Request request, std::shared_ptr<ResponseSink> sink) {
        if (request.path == "/after") return sink->reply(200, {}, frame("after"));
        sink->start(200, {{"Content-Type", "application/json"}});
        for (int i = 0; i < 500; ++i) EXPECT_TRUE(sink->write(frame(std::to_string(i) + "\n")));
        EXPECT_TRUE(sink->write(frame("")));  // nothing, and not the end
        sink->write(frame("end\n"));
        sink->finish();
        EXPECT_FALSE(sink->write(frame("late")));
    });
    RawClient client(server->port());
    client.send(get("/stream") + get("/after"));
    const RawResponse response = client.response();
    EXPECT_TRUE(response.complete);
    EXPECT_EQ(response.headers.at("transfer-encoding"), "chunked");
    EXPECT_EQ(response.body.substr(0, 6), "0\n1\n2\n");
    EXPECT_EQ(response.body.substr(response.body.size() - 8), "499\nend\n");
    EXPECT_EQ(client.response().body, "after");
}

TEST_F(HttpServerTest, streams_to_http_1_0_until_the_end_of_the_connection) {
    serve_with([](Request, std::shared_ptr<ResponseSink> sink) {
        sink->start(200, {});
        sink->write(frame("a"));
        sink->write(frame("b"));
        sink->finish();
    });
    const RawResponse response = ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(response.headers.count("transfer-encoding"), 0U);
    EXPECT_EQ(response.body, "ab");
}

TEST_F(HttpServerTest, sends_the_head_of_a_stream_at_once) {
    std::shared_ptr<ResponseSink> kept;
    serve_with([&](Request, std::shared_ptr<ResponseSink> sink) {
        sink->start(200, {});
        kept = std::move(sink);
    });
    RawClient client(server->port());
    client.send(get("/"));
    EXPECT_NE(client.read_until("\r\n\r\n").find("200 OK"), std::string::npos);
    kept->write(frame("x"));
    EXPECT_EQ(client.read_until("x\r\n"), "1\r\nx\r\n");
    kept->finish();
    EXPECT_EQ(client.read_until("0\r\n\r\n"), "0\r\n\r\n");
}

TEST_F(HttpServerTest, notices_the_client_of_an_idle_stream_leave) {
    Latch started;
    Latch closed;
    std::shared_ptr<ResponseSink> kept;
    serve_with([&](Request, std::shared_ptr<ResponseSink> sink) {
        sink->start(200, {});
        sink->on_closed([&] { closed.set(); });
        kept = std::move(sink);
        started.set();
    });
    {
        RawClient client(server->port());
        client.send(get("/"));
        ASSERT_TRUE(started.wait());
    }
    EXPECT_TRUE(closed.wait());
    EXPECT_FALSE(kept->write(frame("x")));
    EXPECT_TRUE(becomes(metrics, "atelier_http_streams", 0));
    EXPECT_TRUE(becomes(metrics, "atelier_http_requests_in_flight", 0));
    Latch late;
    kept->on_closed([&] { late.set(); });
    EXPECT_TRUE(late.wait());
}

TEST_F(HttpServerTest, calls_on_closed_not_after_finish) {
    std::atomic<int> calls = 0;
    serve_with([&](Request, std::shared_ptr<ResponseSink> sink) {
        sink->start(200, {});
        sink->on_closed([&] { ++calls; });
        sink->finish();
    });
    EXPECT_TRUE(ask(get("/")).complete);
    server.reset();
    EXPECT_EQ(calls, 0);
}

TEST_F(HttpServerTest, cuts_a_slow_reader_at_its_cap) {
    options.stream_cap_bytes = 256 << 10;
    Latch closed;
    Latch refused;
    std::thread writer;
    serve_with([&](Request, std::shared_ptr<ResponseSink> sink) {
        sink->start(200, {});
        sink->on_closed([&] { closed.set(); });
        writer = std::thread([&, sink] {
            const Frame payload = frame(std::string(4096, 'x'));
            // Far more than any socket buffer holds.
            for (int i = 0; i < 100'000; ++i) {
                if (!sink->write(payload)) return refused.set();
            }
        });
    });
    RawClient client(server->port());
    client.shrink_receive_buffer();
    client.send(get("/"));
    EXPECT_TRUE(refused.wait());
    EXPECT_TRUE(closed.wait());
    writer.join();
    EXPECT_FALSE(client.response().complete);
    EXPECT_EQ(value_of(metrics, "atelier_http_streams_cut_total"), 1);
}

TEST_F(HttpServerTest, cuts_a_reader_that_makes_no_progress) {
    options.write_deadline = std::chrono::milliseconds(200);
    const Frame large = frame(std::string(64 << 20, 'x'));
    serve_with([&](Request, std::shared_ptr<ResponseSink> sink) { sink->reply(200, {}, large); });
    RawClient client(server->port());
    client.shrink_receive_buffer();
    client.send(get("/"));
    EXPECT_TRUE(becomes(metrics, "atelier_http_connections", 0) ||
                value_of(metrics, "atelier_http_requests_total") == 0);
    EXPECT_FALSE(client.response().complete);
}

TEST_F(HttpServerTest, carries_a_thousand_watchers) {
    constexpr int watchers = 1000;
    constexpr int events = 100;
    // Two descriptors each, over the usual soft limit of 1024.
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4096);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
    ASSERT_GE(files.rlim_cur, 2200U) << "this test needs more descriptors";
    std::mutex mutex;
    std::vector<std::shared_ptr<ResponseSink>> sinks;
    serve_with([&](Request, std::shared_ptr<ResponseSink> sink) {
        sink->start(200, {});
        const std::lock_guard lock(mutex);
        sinks.push_back(std::move(sink));
    });
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < watchers; ++i) {
        clients.push_back(std::make_unique<RawClient>(server->port()));
        clients.back()->send(get("/"));
        ASSERT_NE(clients.back()->read_until("\r\n\r\n"), "");
    }
    const Frame event = frame(std::string(299, 'z') + "\n");
    std::thread producer([&] {
        const std::lock_guard lock(mutex);
        for (int e = 0; e < events; ++e) {
            for (const auto& sink : sinks) EXPECT_TRUE(sink->write(event));
        }
        for (const auto& sink : sinks) sink->finish();
    });
    for (auto& client : clients) {
        std::string all;
        while (all.find("0\r\n\r\n") == std::string::npos) {
            const std::string some = client->read_some();
            ASSERT_NE(some, "");
            all += some;
        }
        EXPECT_EQ(std::count(all.begin(), all.end(), 'z'), events * 299);
    }
    producer.join();
}

TEST_F(HttpServerTest, stops_while_streaming) {
    Latch started;
    Latch closed;
    std::shared_ptr<ResponseSink> kept;
    serve_with([&](Request, std::shared_ptr<ResponseSink> sink) {
        sink->start(200, {});
        sink->on_closed([&] { closed.set(); });
        kept = std::move(sink);
        started.set();
    });
    RawClient client(server->port());
    client.send(get("/"));
    ASSERT_TRUE(started.wait());
    server->stop(std::chrono::milliseconds(10));
    EXPECT_TRUE(closed.wait());
    EXPECT_FALSE(kept->write(frame("x")));
    EXPECT_FALSE(client.response().complete);
    server.reset();
    // The sink may outlive the server.
    EXPECT_FALSE(kept->write(frame("x")));
    kept->finish();
    kept.reset();
}

TEST_F(HttpServerTest, lets_a_running_answer_end_when_it_stops) {
    Latch asked;
    std::shared_ptr<ResponseSink> kept;
    serve_with([&](Request, std::shared_ptr<ResponseSink> sink) {
        kept = std::move(sink);
        asked.set();
    });
    RawClient idle(server->port());
    RawClient partial(server->port());
    partial.send("GET / HTTP/1.1\r\nHos");
    RawClient client(server->port());
    client.send(get("/"));
    ASSERT_TRUE(asked.wait());
    ASSERT_TRUE(becomes(metrics, "atelier_http_connections", 3));
    std::thread stopper([&] { server->stop(std::chrono::seconds(30)); });
    EXPECT_TRUE(idle.at_end());
    kept->reply(200, {}, frame("done"));
    const RawResponse response = client.response();
    EXPECT_EQ(response.body, "done");
    EXPECT_EQ(response.headers.at("connection"), "close");
    // Refused with 503 if its first bytes had been read by then.
    const int status = partial.response().status;
    EXPECT_TRUE(status == 503 || status == 0) << status;
    partial.end_sending();
    stopper.join();
    EXPECT_FALSE(RawClient(server->port()).connected());
}

TEST_F(HttpServerTest, stops_under_load) {
    serve_echo();
    std::atomic<bool> over = false;
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&, port = server->port()] {
            while (!over) {
                RawClient client(port);
                if (!client.connected()) return;
                for (int n = 0; n < 20 && !over; ++n) {
                    client.send(get("/"));
                    if (client.response().status != 200) return;
                }
            }
        });
    }
    ASSERT_TRUE([&] {
        for (int i = 0; i < 2000; ++i) {
            if (value_of(metrics, "atelier_http_requests_total") > 200) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return false;
    }());
    server->stop(Duration::zero());
    over = true;
    for (auto& client : clients) client.join();
    EXPECT_EQ(value_of(metrics, "atelier_http_connections"), 0);
    EXPECT_EQ(value_of(metrics, "atelier_http_requests_in_flight"), 0);
}

TEST_F(HttpServerTest, says_when_the_port_is_taken_or_the_address_is_none) {
    serve_echo();
    HttpOptions other;
    other.port = server->port();
    auto taken = serve(other, {}, metrics, Log());
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, Code::unavailable);
    EXPECT_NE(taken.error().message.find("in use"), std::string::npos);
    other.address = "nowhere";
    auto none = serve(other, {}, metrics, Log());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::invalid);
}

TEST_F(HttpServerTest, counts_what_it_does) {
    serve_echo();
    {
        RawClient client(server->port());
        client.send(get("/"));
        EXPECT_EQ(client.response().status, 200);
        EXPECT_EQ(value_of(metrics, "atelier_http_connections"), 1);
        EXPECT_EQ(value_of(metrics, "atelier_http_requests_total"), 1);
        EXPECT_EQ(value_of(metrics, "atelier_http_received_bytes_total"), get("/").size());
    }
    EXPECT_TRUE(becomes(metrics, "atelier_http_connections", 0));
}

}  // namespace
}  // namespace atelier::apiserver::test
