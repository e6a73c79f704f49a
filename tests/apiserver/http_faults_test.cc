// What was broken between the socket and the verbs: a test for each number of docs/faults.md.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/apiserver/api_server.h"

namespace atelier::apiserver::test {
namespace {

using testing::HasSubstr;
using HttpFaults = ApiServer;

// Reads a watch until so many lines that begin as an event does have come; how many came.
std::size_t read_events(RawClient& client, std::size_t wanted, std::chrono::milliseconds pause) {
    constexpr std::string_view begin = R"({"type":"ADDED")";
    std::size_t seen = 0;
    std::string rest;
    while (seen < wanted) {
        const std::string some = client.read_some(256 << 10);
        if (some.empty()) return seen;
        rest += some;
        std::size_t at = 0;
        while ((at = rest.find(begin)) != std::string::npos) {
            ++seen;
            rest.erase(0, at + begin.size());
        }
        if (rest.size() > begin.size()) rest.erase(0, rest.size() - begin.size());
        if (pause.count() > 0) std::this_thread::sleep_for(pause);
    }
    return seen;
}

TEST_F(HttpFaults, Fault01_AHundredMegabytesOfInitialStateReachFastAndSlowReaders) {
    options.write_deadline = std::chrono::seconds(5);
    start();
    constexpr int objects = 72;
    fill(objects, 1'400'000);
    const std::string watch = head("GET", std::string(maps) + "?watch=1");
    RawClient stalled(server->port());
    stalled.shrink_receive_buffer();
    ASSERT_TRUE(stalled.send(watch));
    RawClient slow(server->port());
    ASSERT_TRUE(slow.send(watch));
    std::size_t slow_seen = 0;
    std::thread reading(
        [&] { slow_seen = read_events(slow, objects, std::chrono::milliseconds(3)); });
    RawClient fast(server->port());
    ASSERT_TRUE(fast.send(watch));
    EXPECT_EQ(read_events(fast, objects, {}), objects);
    reading.join();
    EXPECT_EQ(slow_seen, objects);
    // Only the one that takes nothing for the whole deadline is cut.
    EXPECT_TRUE(becomes([&] { return value_of("atelier_http_streams_cut_total") == 1; }));
    // And then they are sent what happens.
    RawClient writer(server->port());
    const std::string body = R"({"metadata":{"name":"late"}})";
    writer.send(head("POST", maps, "Content-Length: " + std::to_string(body.size()) + "\r\n") +
                body);
    EXPECT_EQ(writer.response().status, 201);
    EXPECT_THAT(slow.read_until("\"late\""), HasSubstr("\"late\""));
    EXPECT_THAT(fast.read_until("\"late\""), HasSubstr("\"late\""));
}

TEST_F(HttpFaults, Fault01_AThousandSlowReadersCostBoundedMemory) {
    allow_descriptors(4096);
    options.write_deadline = std::chrono::minutes(10);
    start();
    constexpr int objects = 4000;
    constexpr int readers = 1000;
    fill(objects, 4000);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < readers; ++i) {
        clients.push_back(std::make_unique<RawClient>(server->port()));
        // Those that read in the end keep a window to do it by.
        if (i % 499 != 0) clients.back()->shrink_receive_buffer();
        ASSERT_TRUE(clients.back()->send(head("GET", std::string(maps) + "?watch=1")));
    }
    ASSERT_TRUE(becomes([&] { return value_of("atelier_http_streams") == readers; }));
    // 16 MB for each would be 16 GB; the hub's budget is 64 MiB, and one batch more for each.
    double most = 0;
    for (int i = 0; i < 200; ++i) {
        most = std::max(most, value_of("atelier_http_stream_queued_bytes"));
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_GT(most, 0);
    EXPECT_LT(most, 160e6);
    EXPECT_EQ(value_of("atelier_http_streams_cut_total"), 0);
    for (const int reader : {0, 499, 998}) {
        EXPECT_EQ(read_events(*clients[static_cast<std::size_t>(reader)], objects, {}), objects);
    }
}

TEST_F(HttpFaults, Fault02_BodiesOfUnknownClientsAreNotRead) {
    start();
    RawClient unknown(server->port());
    unknown.send("POST " + std::string(maps) +
                 " HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n"
                 "Expect: 100-continue\r\n\r\n");
    const RawResponse refused = unknown.response();
    EXPECT_EQ(refused.status, 401) << "before the body, and instead of 100";
    EXPECT_EQ(refused.headers.at("connection"), "close");
    RawClient wrong(server->port());
    wrong.send("PUT " + std::string(maps) +
               "/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n"
               "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    EXPECT_EQ(wrong.response().status, 401);
    // Nobody has a token for a webhook: its bodies are small.
    RawClient large(server->port());
    large.send("POST /webhooks/default/t HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" +
               std::string(1'100'000, ' '));
    EXPECT_EQ(large.response().status, 413);
    // Known clients send as before.
    RawClient known(server->port());
    const std::string body = R"({"metadata":{"name":"a"}})";
    known.send(
        head("POST", maps,
             "Expect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) + "\r\n"));
    EXPECT_EQ(known.response().status, 100);
    known.send(body);
    EXPECT_EQ(known.response().status, 201);
}

TEST_F(HttpFaults, Fault02_UnfinishedRequestsShareABudget) {
    options.anonymous_request_bytes = 1 << 20;
    options.request_bytes = 4 << 20;
    start();
    const auto flood = [&](const std::string& begin, std::size_t bytes) {
        std::vector<std::unique_ptr<RawClient>> clients;
        std::size_t refused = 0;
        for (int i = 0; i < 20; ++i) {
            clients.push_back(std::make_unique<RawClient>(server->port()));
            clients.back()->send(begin);
            clients.back()->send(std::string(bytes, ' '));
        }
        for (auto& client : clients) {
            if (client->read_until_or("HTTP/1.1 429", std::chrono::milliseconds(200))) ++refused;
        }
        return refused;
    };
    const std::string hook = "POST /webhooks/default/t HTTP/1.1\r\nHost: x\r\n";
    EXPECT_GE(flood(hook + "Content-Length: 500000\r\n\r\n", 400'000), 15u) << "webhooks";
    EXPECT_GE(flood(head("POST", maps, "Content-Length: 3000000\r\n"), 1'500'000), 15u);
    // What was given up is given back.
    RawClient client(server->port());
    const std::string body = R"({"metadata":{"name":"a"}})";
    EXPECT_TRUE(becomes([&] {
        RawClient again(server->port());
        again.send(head("POST", maps, "Content-Length: " + std::to_string(body.size()) + "\r\n") +
                   body);
        const int status = again.response().status;
        return status == 201 || status == 409;
    }));
}

TEST_F(HttpFaults, Fault03_ReadersThatListAndDoNotReadShareOneBodyOrAreToldToWait) {
    start();
    fill(24, 1'000'000);
    std::vector<std::unique_ptr<RawClient>> clients;
    const auto list = [&](const std::string& query) {
        clients.push_back(std::make_unique<RawClient>(server->port()));
        clients.back()->shrink_receive_buffer();
        clients.back()->send(head("GET", std::string(maps) + query));
    };
    for (int i = 0; i < 21; ++i) list("");
    for (auto& client : clients) {
        EXPECT_THAT(client->read_some(512), HasSubstr("200 OK")) << "one body is shared by all";
    }
    // Other bodies each: four of them fit into the budget beside the first.
    for (int i = 0; i < 8; ++i) list("?labelSelector=a!%3D" + std::to_string(i));
    int refused = 0;
    for (std::size_t i = 21; i < clients.size(); ++i) {
        const std::string begin = clients[i]->read_some(512);
        if (begin.find("HTTP/1.1 429") == std::string::npos) continue;
        ++refused;
        EXPECT_THAT(begin, HasSubstr("Retry-After: 1"));
    }
    EXPECT_GE(refused, 4);
    clients.clear();
    EXPECT_TRUE(becomes([&] {
        RawClient again(server->port());
        again.send(head("GET", std::string(maps) + "?labelSelector=b!%3D1"));
        return again.response().status == 200;
    }));
}

TEST_F(HttpFaults, Fault04_OnlyWhatIsImplementedIsAccepted) {
    start();
    const auto status = [&](const std::string& fields, const std::string& body = "") {
        RawClient client(server->port());
        client.send("POST " + std::string(maps) +
                    " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right\r\n" + fields + "\r\n" +
                    body);
        return client.response().status;
    };
    const std::string chunk = "2\r\n{}\r\n0\r\n\r\n";
    for (const char* coding : {"foo, chunked", "gzip, chunked", "chunked, chunked", "identity",
                               "chunked;q=1", ", chunked"}) {
        EXPECT_EQ(status("Transfer-Encoding: " + std::string(coding) + "\r\n", chunk), 400)
            << coding;
    }
    EXPECT_EQ(status("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunk), 400);
    EXPECT_EQ(status("X-A: one\r\n two\r\nContent-Length: 2\r\n", "{}"), 400) << "obs-fold";
    EXPECT_EQ(status("X-A: one\r\n\ttwo\r\nContent-Length: 2\r\n", "{}"), 400) << "obs-fold";
    EXPECT_EQ(status("Transfer-Encoding: Chunked\r\n", chunk), 422) << "an object without a name";
    RawClient client(server->port());
    client.send(head("HEAD", std::string(maps) + "?watch=1"));
    EXPECT_EQ(client.response(true).status, 405);
    client.send(head("HEAD", maps));
    EXPECT_EQ(client.response(true).status, 200);
}

}  // namespace
}  // namespace atelier::apiserver::test
