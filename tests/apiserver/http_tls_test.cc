// TLS with the server's own certificate authority, and the files that keep it.
#include <sys/stat.h>
#include <unistd.h>

#include "apiserver/identity/pki.h"
#include "apiserver/identity/x509.h"
#include "base/digest.h"
#include "base/file.h"
#include "tests/apiserver/http_fixture.h"

namespace atelier::apiserver::test {
namespace {

namespace fs = std::filesystem;
constexpr Duration day = std::chrono::hours(24);

class HttpTlsTest : public HttpTest {
  protected:
    HttpTlsTest() {
        home = fs::temp_directory_path() / ("atelier-pki-" + uuid4(chance));
        fs::create_directories(home);
    }
    ~HttpTlsTest() override { fs::remove_all(home); }
    Pki make(const std::vector<std::string>& names = {}) {
        auto made = ensure_pki(home, names, now, random);
        EXPECT_TRUE(made) << made.error().message << made.error().detail;
        return made ? *std::move(made) : Pki{};
    }
    static unsigned mode_of(const fs::path& file) {
        struct stat facts {};
        ::stat(file.c_str(), &facts);
        return facts.st_mode & 0777;
    }

    SystemRandom chance;
    SeededRandom random{7};
    Instant now = SystemClock().now();
    fs::path home;
};

TEST_F(HttpTlsTest, serves_with_its_own_certificate) {
    const Pki pki = make({"atelier.example"});
    options.tls = pki.tls;
    serve_echo();
    for (const char* host : {"localhost", "127.0.0.1", "atelier.example"}) {
        RawClient client(server->port(), pki.ca_pem, host, "h2,http/1.1");
        ASSERT_TRUE(client.connected()) << host;
        EXPECT_EQ(client.alpn(), "http/1.1");
        for (int i = 0; i < 3; ++i) {
            client.send(get("/" + std::to_string(i)));
            EXPECT_NE(client.response().body.find("GET /" + std::to_string(i)), std::string::npos);
        }
    }
    EXPECT_FALSE(RawClient(server->port(), pki.ca_pem, "other.example").connected());
    SeededRandom other(9);
    auto stranger = make_ca("stranger", now, day, other);
    ASSERT_TRUE(stranger);
    EXPECT_FALSE(RawClient(server->port(), stranger->certificate_pem).connected());
}

TEST_F(HttpTlsTest, takes_another_certificate_while_it_runs) {
    const Pki before = make();
    options.tls = before.tls;
    serve_echo();
    RawClient old(server->port(), before.ca_pem);
    ASSERT_TRUE(old.connected());
    EXPECT_FALSE(RawClient(server->port(), before.ca_pem, "later.example").connected());

    const Pki after = make({"later.example"});
    EXPECT_EQ(server->use_tls({"no certificate", after.tls.key_pem, {}}).error().code,
              Code::invalid);
    EXPECT_EQ(server->use_tls({before.tls.certificate_pem, after.tls.key_pem, {}}).error().code,
              Code::invalid);
    EXPECT_FALSE(RawClient(server->port(), before.ca_pem, "later.example").connected());
    ASSERT_TRUE(server->use_tls(after.tls));
    EXPECT_TRUE(RawClient(server->port(), before.ca_pem, "later.example").connected());
    old.send(get("/still"));
    EXPECT_NE(old.response().body.find("GET /still"), std::string::npos)
        << "a connection that is open goes on";
}

TEST_F(HttpTlsTest, streams_and_sends_large_answers) {
    const Pki pki = make();
    options.tls = pki.tls;
    const std::string large(5'000'000, 'z');
    serve_with([&](Request request, std::shared_ptr<ResponseSink> sink) {
        if (request.path == "/large") return sink->reply(200, {}, frame(large));
        sink->start(200, {});
        for (int i = 0; i < 1000; ++i) sink->write(frame(std::string(100, 'e')));
        sink->write(frame(std::string(100'000, 'f')));
        sink->finish();
    });
    RawClient client(server->port(), pki.ca_pem);
    client.send(get("/stream") + get("/large"));
    const RawResponse stream = client.response();
    EXPECT_TRUE(stream.complete);
    EXPECT_EQ(stream.body, std::string(100'000, 'e') + std::string(100'000, 'f'));
    EXPECT_EQ(client.response().body, large);
}

TEST_F(HttpTlsTest, takes_large_bodies_and_refuses_larger_ones) {
    const Pki pki = make();
    options.tls = pki.tls;
    serve_echo();
    RawClient client(server->port(), pki.ca_pem);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" +
                std::string(3'000'000, 'b'));
    EXPECT_NE(client.response().body.find("POST / 3000000\n"), std::string::npos);
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n");
    EXPECT_EQ(client.response().status, 413);
}

TEST_F(HttpTlsTest, notices_a_stream_end_and_stops_with_tls) {
    const Pki pki = make();
    options.tls = pki.tls;
    Latch closed;
    std::shared_ptr<ResponseSink> kept;
    serve_with([&](Request, std::shared_ptr<ResponseSink> sink) {
        sink->start(200, {});
        sink->on_closed([&] { closed.set(); });
        kept = std::move(sink);
    });
    {
        RawClient client(server->port(), pki.ca_pem);
        client.send(get("/"));
        EXPECT_NE(client.read_until("\r\n\r\n"), "");
    }
    EXPECT_TRUE(closed.wait());
    RawClient again(server->port(), pki.ca_pem);
    again.send(get("/"));
    EXPECT_NE(again.read_until("\r\n\r\n"), "");
    server->stop(Duration::zero());
    EXPECT_TRUE(again.at_end());
}

TEST_F(HttpTlsTest, cuts_handshakes_that_do_not_end) {
    options.tls = make().tls;
    options.header_deadline = std::chrono::milliseconds(200);
    serve_echo();
    RawClient silent(server->port());
    EXPECT_TRUE(silent.at_end());
    RawClient plain(server->port());
    plain.send(get("/"));
    EXPECT_TRUE(plain.at_end());
}

TEST_F(HttpTlsTest, refuses_files_that_do_not_fit) {
    options.tls = make().tls;
    SeededRandom other(3);
    options.tls.key_pem = make_ca("other", now, day, other)->key_pem;
    auto mixed = serve(options, {}, metrics, Log());
    ASSERT_FALSE(mixed);
    EXPECT_EQ(mixed.error().code, Code::invalid);
    options.tls = {"no certificate", "no key", ""};
    EXPECT_FALSE(serve(options, {}, metrics, Log()));
}

TEST_F(HttpTlsTest, keeps_its_files_and_their_modes) {
    const Pki first = make();
    const Pki second = make();
    EXPECT_EQ(first.ca_pem, second.ca_pem);
    EXPECT_EQ(first.tls.certificate_pem, second.tls.certificate_pem);
    EXPECT_EQ(first.tls.key_pem, second.tls.key_pem);
    EXPECT_EQ(mode_of(home / "pki/ca.key"), 0600U);
    EXPECT_EQ(mode_of(home / "pki/server.key"), 0600U);
    EXPECT_EQ(mode_of(home / "pki"), 0700U);
}

TEST_F(HttpTlsTest, renews_the_certificate_near_its_end_and_for_new_names) {
    const Pki first = make();
    now += 334 * day;
    EXPECT_EQ(make().tls.certificate_pem, first.tls.certificate_pem);
    EXPECT_LE(first.renew_after, now + 2 * day);
    now += 3 * day;
    const Pki renewed = make();
    EXPECT_NE(renewed.tls.certificate_pem, first.tls.certificate_pem);
    EXPECT_EQ(renewed.ca_pem, first.ca_pem);
    const Pki named = make({"Other.Example", "10.0.0.7", "0:0::1"});
    const auto facts = read_key_pair({named.tls.certificate_pem, named.tls.key_pem});
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->names, (std::vector<std::string>{"localhost", "127.0.0.1", "::1",
                                                      "other.example", "10.0.0.7"}));
    EXPECT_EQ(make({"10.0.0.7"}).tls.certificate_pem, named.tls.certificate_pem);
    EXPECT_FALSE(ensure_pki(home, {"a b"}, now, random));
}

TEST_F(HttpTlsTest, renews_the_authority_before_its_certificates_would_outlive_it) {
    const Pki first = make();
    now += 3300 * day;
    const Pki second = make();
    EXPECT_NE(second.ca_pem, first.ca_pem);
    EXPECT_TRUE(is_signed_by(second.tls.certificate_pem, second.ca_pem));
}

TEST_F(HttpTlsTest, heals_a_half_written_pair_but_never_replaces_an_authority) {
    const Pki first = make();
    SeededRandom other(3);
    ASSERT_TRUE(write_file_atomically(home / "pki/server.key",
                                      make_ca("other", now, day, other)->key_pem, 0600));
    const Pki healed = make();
    EXPECT_NE(healed.tls.certificate_pem, first.tls.certificate_pem);
    EXPECT_EQ(healed.ca_pem, first.ca_pem);
    // Fault 16: nothing is made anew where something was.
    fs::rename(home / "pki/ca.crt", home / "kept");
    const auto without_ca = ensure_pki(home, {}, now, random);
    ASSERT_FALSE(without_ca);
    EXPECT_NE(without_ca.error().message.find("pki/ca.crt is missing"), std::string::npos);
    fs::rename(home / "kept", home / "pki/ca.crt");
    fs::remove(home / "pki/ca.key");
    auto without_key = ensure_pki(home, {}, now, random);
    ASSERT_FALSE(without_key);
    EXPECT_EQ(*read_file(home / "pki/ca.crt"), first.ca_pem);
    ASSERT_TRUE(write_file_atomically(home / "pki/ca.crt", "garbage"));
    ASSERT_TRUE(write_file_atomically(home / "pki/ca.key", "garbage"));
    EXPECT_FALSE(ensure_pki(home, {}, now, random));
}

TEST_F(HttpTest, without_tls_takes_no_certificate) {
    serve_echo();
    EXPECT_EQ(server->use_tls({}).error().code, Code::invalid);
}

TEST_F(HttpTlsTest, keeps_one_token) {
    const auto token = ensure_token(home / "token", random);
    ASSERT_TRUE(token);
    EXPECT_EQ(token->size(), 43U);
    EXPECT_EQ(*ensure_token(home / "token", random), *token);
    EXPECT_EQ(mode_of(home / "token"), 0600U);
    ASSERT_TRUE(write_file_atomically(home / "token", "short\n"));
    EXPECT_FALSE(ensure_token(home / "token", random));
}

TEST_F(HttpTlsTest, writes_a_kubeconfig) {
    ASSERT_TRUE(ensure_kubeconfig(home / "kubeconfig", "https://127.0.0.1:7443", "PEM", "secret"));
    EXPECT_EQ(mode_of(home / "kubeconfig"), 0600U);
    const std::string text = *read_file(home / "kubeconfig");
    EXPECT_NE(text.find("current-context: atelier\n"), std::string::npos);
    EXPECT_NE(text.find("server: \"https://127.0.0.1:7443\"\n"), std::string::npos);
    EXPECT_NE(text.find("certificate-authority-data: " + base64("PEM") + "\n"), std::string::npos);
    EXPECT_NE(text.find("token: \"secret\"\n"), std::string::npos);
}

}  // namespace
}  // namespace atelier::apiserver::test
