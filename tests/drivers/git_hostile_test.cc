// The git driver against servers that mean no good, each a script over a plain socket.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/sha.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "drivers/git/git.h"
#include "runtime_contract.h"
#include "tests/support/process.h"

namespace atelier::drivers {
namespace {

using namespace std::chrono_literals;

// Listens on loopback; calls the script with each connection and its request's head, one at a time.
class RawServer {
  public:
    using Script = std::function<void(int fd, const std::string& head)>;
    explicit RawServer(Script script) : script_(std::move(script)) {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        CHECK(listen(listener_, 16) == 0);
        socklen_t size = sizeof address;
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~RawServer() {
        stopping_ = true;
        thread_.join();
        close(listener_);
    }
    std::string url() const { return fmt::format("http://127.0.0.1:{}/repo.git", port_); }
    std::vector<std::string> heads() {
        const std::lock_guard lock(mutex_);
        return heads_;
    }
    // Until the client hangs up or the test ends.
    void wait_for_hangup(int fd) const {
        while (!stopping_) {
            pollfd p{fd, POLLIN | POLLHUP, 0};
            char buffer[4096];
            if (poll(&p, 1, 20) > 0 && recv(fd, buffer, sizeof buffer, 0) <= 0) return;
        }
    }
    // False when the client has gone.
    bool say(int fd, std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return !stopping_;
    }

  private:
    void serve() {
        while (!stopping_) {
            pollfd p{listener_, POLLIN, 0};
            if (poll(&p, 1, 20) <= 0) continue;
            const int fd = accept(listener_, nullptr, nullptr);
            if (fd < 0) continue;
            std::string head;
            char c = 0;
            while (!head.ends_with("\r\n\r\n") && recv(fd, &c, 1, 0) == 1) head += c;
            // A body that is left unread would reset the connection under the answer.
            if (const std::size_t at = head.find("Content-Length: "); at != std::string::npos) {
                for (int left = std::stoi(head.substr(at + 16)); left > 0; --left) {
                    if (recv(fd, &c, 1, 0) != 1) break;
                }
            }
            {
                const std::lock_guard lock(mutex_);
                heads_.push_back(head);
            }
            script_(fd, head);
            close(fd);
        }
    }

    Script script_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;
    std::vector<std::string> heads_;
    std::thread thread_;
};

std::string packet(std::string_view line) {
    return fmt::format("{:04x}{}", line.size() + 4, line);
}

std::string answer(std::string_view body,
                   std::string_view type = "application/x-git-upload-pack-advertisement") {
    return fmt::format(
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        type, body.size(), body);
}

const std::string some_commit(40, 'a');
const std::string service = packet("# service=git-upload-pack\n") + "0000";
const std::string version_2 = service + packet("version 2\n") + packet("fetch=shallow\n") + "0000";

class HostileGit : public testing::Test {
  protected:
    HostileGit() { be_patient_for(std::chrono::minutes(2)); }
    void be_patient_for(Duration deadline) {
        GitOptions options;
        options.limits.deadline = deadline;
        options.limits.bytes = 1 << 20;
        auto git = open_git(directory_.path() / "cache", options, clock_, Log());
        CHECK(git);
        git_ = *std::move(git);
    }
    std::string refs(const RawServer& server) {
        const auto refs = git_->refs({server.url(), GitCredential{"", "t0p-secret", ""}, {}});
        return outcome(refs ? std::nullopt : std::optional(refs.error()));
    }
    std::string fetch(const RawServer& server) {
        const auto tree = git_->fetch({server.url(), {}, {}}, some_commit, "");
        return outcome(tree ? std::nullopt : std::optional(tree.error()));
    }
    std::string outcome(const std::optional<Error>& error) {
        if (!error) return "ok";
        said_ = error->message + " / " + error->detail;
        EXPECT_EQ((error->message + error->detail).find("t0p-secret"), std::string::npos);
        return std::string(name_of(error->code));
    }

    std::string said_;  // by the last error
    SystemClock clock_;
    support::TemporaryDirectory directory_;
    std::unique_ptr<Git> git_;
};

TEST_F(HostileGit, Hangs) {
    be_patient_for(300ms);
    RawServer* self = nullptr;
    RawServer server([&](int fd, const std::string&) { self->wait_for_hangup(fd); });
    self = &server;
    EXPECT_EQ(refs(server), "timeout");
    EXPECT_EQ(fetch(server), "timeout");
}

TEST_F(HostileGit, HangsWhileWeAreToldToStop) {
    std::stop_source stop;
    GitOptions options;
    options.stop = stop.get_token();
    git_ = *open_git(directory_.path() / "cache", options, clock_, Log());
    RawServer* self = nullptr;
    RawServer server([&](int fd, const std::string&) {
        stop.request_stop();
        self->wait_for_hangup(fd);
    });
    self = &server;
    EXPECT_EQ(refs(server), "cancelled");
    EXPECT_EQ(fetch(server), "cancelled");
}

// The first is waited for; another one is given up while the first still hangs, is then not asked
// at all, and the first was not disturbed by any of it.
TEST_F(HostileGit, SeveralThatHangAreNotAllWaitedFor) {
    std::stop_source stop;
    GitOptions options;
    options.stop = stop.get_token();
    options.gate = {.most_slow = 1, .slow_after = 500ms};
    git_ = *open_git(directory_.path() / "cache", options, clock_, Log());
    std::array<RawServer*, 2> selves{};
    const auto hangs = [&](std::size_t i) {
        return [&selves, i](int fd, const std::string&) { selves[i]->wait_for_hangup(fd); };
    };
    RawServer first(hangs(0));
    RawServer second(hangs(1));
    selves = {&first, &second};
    std::atomic<bool> ended = false;
    std::string outcome;
    std::jthread waiting([&] {
        outcome = refs(first);
        ended = true;
    });
    struct Ending {  // also of a test that fails
        std::stop_source& stop;
        ~Ending() { stop.request_stop(); }
    } const ending{stop};
    ASSERT_TRUE(eventually([&] { return !first.heads().empty(); }));
    const auto given_up = git_->refs({second.url(), std::nullopt, ""});
    ASSERT_FALSE(given_up);
    EXPECT_EQ(given_up.error().code, Code::timeout);
    EXPECT_NE(given_up.error().message.find("while other servers do not answer"), std::string::npos)
        << given_up.error().message;
    const auto not_asked = git_->refs({second.url(), std::nullopt, ""});
    ASSERT_FALSE(not_asked);
    EXPECT_NE(not_asked.error().message.find("not asked now"), std::string::npos)
        << not_asked.error().message;
    EXPECT_NE(not_asked.error().message.find("no answer within the deadline"), std::string::npos)
        << not_asked.error().message;
    EXPECT_EQ(second.heads().size(), 1u);
    EXPECT_FALSE(ended);
    stop.request_stop();
    waiting.join();
    EXPECT_EQ(outcome, "cancelled");
}

TEST_F(HostileGit, HangsInTheMiddleOfThePack) {
    be_patient_for(2s);
    RawServer* self = nullptr;
    RawServer server([&](int fd, const std::string& head) {
        if (head.starts_with("GET")) {
            self->say(fd, answer(version_2));
            return;
        }
        self->say(fd,
                  "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\n"
                  "Content-Length: 100000\r\n\r\n" +
                      packet("packfile\n") + packet("\x01PACK"));
        self->wait_for_hangup(fd);
    });
    self = &server;
    EXPECT_EQ(fetch(server), "timeout");
}

TEST_F(HostileGit, RedirectsAndTheCredentialStaysHome) {
    RawServer* other_self = nullptr;
    RawServer other([&](int fd, const std::string&) { other_self->say(fd, answer(version_2)); });
    other_self = &other;
    RawServer* self = nullptr;
    RawServer server([&](int fd, const std::string&) {
        self->say(fd, fmt::format("HTTP/1.1 302 Found\r\nLocation: {}/info/refs\r\n"
                                  "Content-Length: 0\r\nConnection: close\r\n\r\n",
                                  other.url()));
    });
    self = &server;
    EXPECT_EQ(refs(server), "unsupported");
    ASSERT_EQ(server.heads().size(), 1u);
    EXPECT_NE(server.heads()[0].find("Authorization: Bearer t0p-secret"), std::string::npos);
    EXPECT_TRUE(other.heads().empty());
}

TEST_F(HostileGit, ServesWithoutEnd) {
    RawServer* self = nullptr;
    RawServer server([&](int fd, const std::string& head) {
        const bool pack = head.starts_with("POST");
        if (!pack) {
            self->say(fd, answer(version_2));
            return;
        }
        self->say(fd,
                  "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\n\r\n" +
                      packet("packfile\n"));
        // A progress band without end: it never becomes a pack.
        while (self->say(fd, packet("\x02" + std::string(60000, '.')))) {
        }
    });
    self = &server;
    EXPECT_EQ(fetch(server), "too large");
}

TEST_F(HostileGit, AnswersWithoutMeaning) {
    struct Case {
        const char* name;
        std::string answer;
        const char* expected;
    };
    const std::string ref = some_commit + " refs/heads/main\n";
    const Case cases[] = {
        {"a web page", answer("<html>", "text/html"), "unsupported"},
        {"a dumb server", answer(ref, "text/plain"), "unsupported"},
        {"server error", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "unavailable"},
        {"busy", "HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n", "unavailable"},
        {"not there", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "not found"},
        {"not for you", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "unauthenticated"},
        {"nothing", "", "unavailable"},
        {"not HTTP", "SSH-2.0-OpenSSH\r\n", "unavailable"},
        {"empty", answer(""), "unavailable"},
        {"wrong length", answer("zzzz"), "unavailable"},
        {"length 3", answer("0003"), "unavailable"},
        {"too long a packet", answer("fff9"), "unavailable"},
        {"ends inside a packet", answer("0010abc"), "unavailable"},
        {"no end", answer(service + packet(ref)), "unavailable"},
        {"an id of a wrong form", answer(service + packet("abc refs/heads/main\n") + "0000"),
         "unavailable"},
        {"no space", answer(service + packet("abc") + "0000"), "unavailable"},
        {"more after the end", answer(service + packet(ref) + "0000" + packet(ref)), "unavailable"},
        {"another hash",
         answer(service + packet("version 2\n") + packet("object-format=sha256\n") + "0000"),
         "unsupported"},
        {"an error in words", answer(packet("ERR upload-pack: not our ref\n") + "0000"),
         "not found"},
        {"right", answer(service + packet(ref) + "0000"), "ok"},
        {"right and empty",
         answer(service + packet(std::string(40, '0') + " capabilities^{}" + '\0' + "shallow\n") +
                "0000"),
         "ok"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        RawServer* self = nullptr;
        RawServer server([&](int fd, const std::string&) { self->say(fd, c.answer); });
        self = &server;
        EXPECT_EQ(refs(server), c.expected);
    }
}

TEST_F(HostileGit, SendsPacksThatAreNone) {
    struct Case {
        const char* name;
        std::string answer;
        const char* expected;
    };
    const std::string header = packet("packfile\n");
    const Case cases[] = {
        {"nothing", "", "unavailable"},
        {"no pack", "0000", "unavailable"},
        {"garbage", header + packet("\x01garbage that is no pack at all") + "0000", "unavailable"},
        {"cut", header + packet(std::string("\x01PACK\0\0\0\2\0\0\0\5", 13)) + "0000",
         "unavailable"},
        {"empty pack", header + packet(std::string("\x01PACK\0\0\0\2\0\0\0\0", 13)) + "0000",
         "unavailable"},
        {"too many objects",
         header + packet(std::string("\x01PACK\0\0\0\2\xff\xff\xff\xff", 13)) + "0000",
         "too large"},
        {"an unknown band", header + packet("\x07x") + "0000", "unavailable"},
        {"refused", packet("ERR upload-pack: access denied\n"), "unavailable"},
        {"fatal",
         header +
             packet("\x03"
                    "fatal: out of disk") +
             "0000",
         "unavailable"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        RawServer* self = nullptr;
        RawServer server([&](int fd, const std::string& head) {
            self->say(fd, head.starts_with("GET")
                              ? answer(version_2)
                              : answer(c.answer, "application/x-git-upload-pack-result"));
        });
        self = &server;
        EXPECT_EQ(fetch(server), c.expected);
    }
    // Nothing of them stays.
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(directory_.path() / "cache")) {
        EXPECT_NE(entry.path().parent_path().filename(), "pack") << entry.path();
        EXPECT_NE(entry.path().parent_path().filename(), "complete") << entry.path();
    }
}

std::string deflated(const std::string& bytes) {
    uLongf size = compressBound(bytes.size());
    std::string out(size, '\0');
    CHECK(compress(reinterpret_cast<Bytef*>(out.data()), &size,
                   reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) == Z_OK);
    out.resize(size);
    return out;
}

// The header of an object in a pack: its type and size.
std::string object_header(int type, std::size_t size) {
    std::string out;
    auto byte = static_cast<unsigned>((type << 4) | static_cast<int>(size & 15));
    for (size >>= 4; size; size >>= 7) {
        out += static_cast<char>(byte | 0x80);
        byte = static_cast<unsigned>(size & 0x7f);
    }
    return out + static_cast<char>(byte);
}

std::string varint(std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
    return out + static_cast<char>(value);
}

// A pack of two objects: a blob, and a delta on it that a few kilobytes make into `size` bytes.
std::string delta_bomb(std::uint64_t size) {
    const std::string base(0x10000, 'x');
    std::string delta = varint(base.size()) + varint(size);
    for (std::uint64_t made = 0; made < size; made += base.size()) delta += '\x80';  // all of it
    const std::string first = object_header(3, base.size()) + deflated(base);
    // OFS_DELTA: how far back its base begins.
    std::uint64_t back = first.size();
    std::string offset(1, static_cast<char>(back & 0x7f));
    while (back >>= 7) offset.insert(offset.begin(), static_cast<char>(0x80 | (--back & 0x7f)));
    return std::string("PACK\0\0\0\2\0\0\0\2", 12) + first + object_header(6, delta.size()) +
           offset + deflated(delta);
}

TEST_F(HostileGit, SendsADeltaThatBecomesHuge) {
    std::string pack = delta_bomb(std::uint64_t{10} << 30);
    std::array<unsigned char, SHA_DIGEST_LENGTH> sum{};
    SHA1(reinterpret_cast<const unsigned char*>(pack.data()), pack.size(), sum.data());
    pack.append(reinterpret_cast<const char*>(sum.data()), sum.size());
    std::string body = packet("packfile\n");
    for (std::size_t at = 0; at < pack.size(); at += 60000) {
        body += packet("\x01" + pack.substr(at, 60000));
    }
    body += "0000";
    RawServer* self = nullptr;
    RawServer server([&](int fd, const std::string& head) {
        self->say(fd, head.starts_with("GET")
                          ? answer(version_2)
                          : answer(body, "application/x-git-upload-pack-result"));
    });
    self = &server;
    EXPECT_EQ(fetch(server), "too large") << said_;
}

TEST_F(HostileGit, IsNotThere) {
    std::string url;
    {
        url = RawServer([](int, const std::string&) {}).url();
    }
    const auto refs = git_->refs({url, {}, {}});
    ASSERT_FALSE(refs);
    EXPECT_EQ(refs.error().code, Code::unavailable);
}

}  // namespace
}  // namespace atelier::drivers
