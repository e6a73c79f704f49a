// What a hostile or merely odd client may send, and what it gets.
#include <sys/resource.h>

#include "base/json.h"
#include "tests/apiserver/http_fixture.h"

namespace atelier::apiserver::test {
namespace {

class HttpConformance : public HttpTest {
  protected:
    // Refused with a Kubernetes Status, and the server goes on.
    void expect_refused(std::string_view bytes, int status) {
        RawClient client(server->port());
        client.send(bytes);
        const RawResponse response = client.response();
        EXPECT_EQ(response.status, status) << bytes.substr(0, 200);
        auto body = json::parse(response.body);
        ASSERT_TRUE(body) << response.body;
        EXPECT_EQ(json::string_at(*body, {"kind"}), "Status");
        EXPECT_EQ(json::find(*body, {"code"})->GetInt(), status);
        EXPECT_NE(json::string_at(*body, {"message"}), "");
        EXPECT_NE(json::string_at(*body, {"reason"}), "");
        EXPECT_EQ(response.headers.at("connection"), "close");
        client.end_sending();
        EXPECT_TRUE(client.at_end());
        EXPECT_EQ(ask(get("/alive")).status, 200);
    }
    static std::string chunked(std::string_view body) {
        return "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
               std::string(body);
    }
    static std::string with_header(std::string_view header) {
        return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string(header) + "\r\n\r\n";
    }
};

TEST_F(HttpConformance, refuses_chunk_sizes_that_lie) {
    serve_echo();
    expect_refused(chunked("-1\r\nabc\r\n"), 400);
    expect_refused(chunked("ffffffff\r\n"), 413);
    expect_refused(chunked("7fffffff\r\n"), 413);
    expect_refused(chunked("ffffffffffffffffff\r\n"), 400);
    expect_refused(chunked("zz\r\n"), 400);
    expect_refused(chunked("3\r\nabcdef\r\n0\r\n\r\n"), 400);
    expect_refused(chunked("1;" + std::string(40'000, 'x')), 431);
}

TEST_F(HttpConformance, counts_chunks_against_the_limit_of_the_body) {
    options.body_bytes = 10;
    serve_echo();
    EXPECT_EQ(ask(chunked("5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n")).status, 200);
    expect_refused(chunked("5\r\n12345\r\n6\r\n123456\r\n0\r\n\r\n"), 413);
}

TEST_F(HttpConformance, reads_chunks_with_extensions_and_drops_trailers) {
    serve_echo();
    RawClient client(server->port());
    client.send(chunked("3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nAuthorization: Bearer x\r\n\r\n"));
    const RawResponse response = client.response();
    EXPECT_EQ(response.status, 200);
    EXPECT_NE(response.body.find("POST / 5\n"), std::string::npos);
    EXPECT_EQ(response.body.find("authorization"), std::string::npos);
}

TEST_F(HttpConformance, refuses_a_large_body_before_it_is_sent) {
    serve_echo();
    expect_refused(with_header("Content-Length: 1073741824"), 413);
}

TEST_F(HttpConformance, shows_the_refusal_to_a_client_that_is_still_sending) {
    serve_echo();
    RawClient client(server->port());
    client.send(with_header("Content-Length: 4000000"));
    client.send(std::string(4'000'000, 'x'));
    EXPECT_EQ(client.response().status, 413);
}

TEST_F(HttpConformance, limits_the_header) {
    serve_echo();
    expect_refused(with_header("X: " + std::string(20'000, 'x')), 431);
    std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
    for (int i = 0; i < 3000; ++i) many += "X" + std::to_string(i) + ": y\r\n";
    expect_refused(many, 431);
    // Never a line end.
    expect_refused("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(30'000, 'x'), 431);
    EXPECT_EQ(ask(with_header("Content-Length: 0\r\nX: " + std::string(10'000, 'x'))).status, 200);
}

TEST_F(HttpConformance, limits_the_target) {
    serve_echo();
    expect_refused(get("/" + std::string(9000, 'x')), 414);
    expect_refused("GET /" + std::string(30'000, 'x'), 414);
    EXPECT_EQ(ask(get("/" + std::string(8000, 'x'))).status, 200);
}

TEST_F(HttpConformance, refuses_ambiguous_framing) {
    serve_echo();
    expect_refused(with_header("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400);
    expect_refused(with_header("Transfer-Encoding: chunked\r\nContent-Length: 5"), 400);
    expect_refused(with_header("Content-Length: 5\r\nContent-Length: 6"), 400);
    expect_refused(with_header("Content-Length: 0\r\nContent-Length: 0"), 400);
    for (const char* length : {"5x", "abc", "+5", "-1", "0x5", "", "99999999999999999999999"}) {
        expect_refused(with_header("Content-Length: " + std::string(length)), 400);
    }
    expect_refused(with_header("Transfer-Encoding: gzip"), 400);
    expect_refused(with_header("Transfer-Encoding: chunked, gzip"), 400);
    expect_refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400);
    expect_refused("GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400);
}

TEST_F(HttpConformance, refuses_what_is_not_http_1) {
    serve_echo();
    expect_refused("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505);
    expect_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    expect_refused("GET / HTTX/9.9\r\nHost: x\r\n\r\n", 505);
    expect_refused("\x16\x03\x01\x02\x01\x01\xfc\x03\x03 hello", 400);
    expect_refused("GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400);
    expect_refused("GET / HTTP/1.1\nHost: x\n\n", 505);
}

TEST_F(HttpConformance, requires_one_host) {
    serve_echo();
    expect_refused("GET / HTTP/1.1\r\n\r\n", 400);
    expect_refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400);
    EXPECT_EQ(ask("GET / HTTP/1.0\r\n\r\n").status, 200);
}

TEST_F(HttpConformance, refuses_paths_that_climb_or_hide) {
    serve_echo();
    for (const char* path :
         {"/a/../b", "/a/%2e%2e/b", "/./a", "/%2E/a", "/a%00b", "/a%2fb", "/a//b", "/a%", "/a%zz",
          "/a%2", "/%ff", "/a?x=%zz", "/a?x=%00", "/a?x=%ff"}) {
        expect_refused(get(path), 400);
    }
    expect_refused("GET apis HTTP/1.1\r\nHost: x\r\n\r\n", 400);
    expect_refused("GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400);
}

TEST_F(HttpConformance, decodes_path_and_query) {
    serve_echo();
    const auto body = ask(get("/apis/a%20b/c%C3%A9/?x=1&x=2%2C3&y&z=a+b&&w=")).body;
    EXPECT_NE(body.find("GET /apis/a%20b/c%C3%A9 0\nsegment apis\nsegment a b\nsegment cé\n"
                        "x=1\nx=2,3\ny=\nz=a b\nw=\n"),
              std::string::npos)
        << body;
    EXPECT_NE(ask(get("http://host:1/a?b=c")).body.find("GET /a 0\nsegment a\nb=c\n"),
              std::string::npos);
    EXPECT_NE(ask(get("/")).body.find("GET / 0\n"), std::string::npos);
}

TEST_F(HttpConformance, keeps_a_tab_in_a_header_and_what_follows) {
    serve_echo();
    RawClient client(server->port());
    client.send("GET / HTTP/1.1\r\nHost: x\r\nX-A: a\t");
    client.send("b\r\nAuthorization: Bearer t\r\n\r\n");
    const auto body = client.response().body;
    EXPECT_NE(body.find("x-a: a\tb\n"), std::string::npos) << body;
    EXPECT_NE(body.find("authorization: Bearer t\n"), std::string::npos);
}

TEST_F(HttpConformance, answers_pipelined_requests_in_order) {
    serve_echo();
    RawClient client(server->port());
    std::string bytes;
    for (int i = 0; i < 200; ++i)
        bytes += get("/" + std::to_string(i)) + (i % 7 == 0 ? "\r\n" : "");
    client.send(bytes);
    for (int i = 0; i < 200; ++i) {
        EXPECT_NE(client.response().body.find("GET /" + std::to_string(i) + " 0\n"),
                  std::string::npos);
    }
}

TEST_F(HttpConformance, reads_a_request_that_comes_byte_by_byte) {
    serve_echo();
    RawClient client(server->port());
    for (const char c : chunked("3\r\nabc\r\n0\r\n\r\n")) client.send({&c, 1});
    EXPECT_NE(client.response().body.find("POST / 3\n"), std::string::npos);
}

TEST_F(HttpConformance, answers_head_without_a_body) {
    serve_echo();
    RawClient client(server->port());
    client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const RawResponse head = client.response(true);
    EXPECT_GT(std::stoi(head.headers.at("content-length")), 0);
    client.send(get("/b"));
    EXPECT_NE(client.response().body.find("GET /b 0\n"), std::string::npos);
}

TEST_F(HttpConformance, answers_expect_100_continue) {
    serve_echo();
    RawClient client(server->port());
    client.send(with_header("Content-Length: 3\r\nExpect: 100-continue"));
    EXPECT_EQ(client.response().status, 100);
    client.send("abc");
    EXPECT_NE(client.response().body.find("POST / 3\n"), std::string::npos);
    expect_refused(with_header("Content-Length: 3\r\nExpect: miracles"), 417);
    // Not before a refusal.
    expect_refused(with_header("Content-Length: 99999999\r\nExpect: 100-continue"), 413);
}

TEST_F(HttpConformance, keeps_connections_alive_as_asked) {
    serve_echo();
    RawClient closing(server->port());
    closing.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(closing.response().headers.at("connection"), "close");
    EXPECT_TRUE(closing.at_end());
    RawClient old(server->port());
    old.send("GET / HTTP/1.0\r\n\r\n");
    EXPECT_EQ(old.response().status, 200);
    EXPECT_TRUE(old.at_end());
    RawClient old_kept(server->port());
    for (int i = 0; i < 2; ++i) {
        old_kept.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_EQ(old_kept.response().headers.at("connection"), "keep-alive");
    }
}

TEST_F(HttpConformance, answers_a_client_that_has_ended_its_side) {
    serve_echo();
    RawClient client(server->port());
    client.send(get("/a") + get("/b"));
    client.end_sending();
    EXPECT_EQ(client.response().status, 200);
    EXPECT_EQ(client.response().status, 200);
    EXPECT_TRUE(client.at_end());
}

TEST_F(HttpConformance, cuts_slow_headers_and_bodies) {
    options.header_deadline = std::chrono::milliseconds(200);
    options.body_deadline = std::chrono::milliseconds(200);
    serve_echo();
    expect_refused("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", 408);
    expect_refused(with_header("Content-Length: 5") + "ab", 408);
    RawClient silent(server->port());
    EXPECT_TRUE(silent.at_end());
    // A whole set of slow ones ends.
    std::vector<std::unique_ptr<RawClient>> slow;
    for (int i = 0; i < 200; ++i) {
        slow.push_back(std::make_unique<RawClient>(server->port()));
        slow.back()->send("GET / HTTP/1.1\r\nHos");
    }
    for (auto& client : slow) EXPECT_EQ(client->response().status, 408);
}

TEST_F(HttpConformance, ends_connections_that_idle_too_long) {
    options.idle_deadline = std::chrono::milliseconds(200);
    serve_echo();
    RawClient client(server->port());
    client.send(get("/"));
    EXPECT_EQ(client.response().status, 200);
    EXPECT_TRUE(client.at_end());
}

TEST_F(HttpConformance, recovers_from_running_out_of_descriptors) {
    serve_echo();
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<RawClient>(server->port()));
    // One answer proves that all of them were accepted, since they are accepted in order.
    clients.back()->send(get("/"));
    EXPECT_EQ(clients.back()->response().status, 200);
    RawClient late_a(server->port());
    rlimit tight = before;
    tight.rlim_cur = 3;  // under what is in use: no new descriptor at all
    {
        // The socket of this client exists already; what fails is the server's accept.
        const int spare = dup(0);
        ASSERT_GE(spare, 0);
        close(spare);
        setrlimit(RLIMIT_NOFILE, &tight);
    }
    late_a.send(get("/"));
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_EQ(late_a.response().status, 200);
    EXPECT_EQ(ask(get("/")).status, 200);
}

TEST_F(HttpConformance, refuses_connections_over_the_limit) {
    options.connections = 2;
    serve_echo();
    RawClient a(server->port());
    RawClient b(server->port());
    for (RawClient* client : {&a, &b}) {
        client->send(get("/"));
        EXPECT_EQ(client->response().status, 200);
    }
    RawClient c(server->port());
    const RawResponse refused = c.response();
    EXPECT_EQ(refused.status, 503);
    EXPECT_NE(refused.body.find("ServiceUnavailable"), std::string::npos);
}

}  // namespace
}  // namespace atelier::apiserver::test
