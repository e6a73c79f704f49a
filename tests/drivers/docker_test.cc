// What is particular to the Docker driver: how containers are made, and how it takes an engine that
// is away, slow, broken or not one at all. Those are played by a server with a script.
#include "drivers/docker/docker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <mutex>

#include "base/descriptor.h"
#include "drivers/docker/images.h"
#include "drivers/docker/stream.h"
#include "tests/drivers/runtime_contract.h"
#include "tests/fakes/test_docker.h"

namespace atelier::drivers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Answers each request on a socket by what the script gives for its first line and body. An empty
// answer closes the connection; "silence" keeps it open and says nothing.
class ScriptedEngine {
  public:
    using Script = std::function<std::string(const std::string& request)>;

    ScriptedEngine(const std::filesystem::path& path, Script script) : script_(std::move(script)) {
        listener_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.string().copy(address.sun_path, sizeof address.sun_path - 1);
        unlink(path.c_str());
        EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        serve();
    }

    // The same on a free port of the loopback.
    explicit ScriptedEngine(Script script) : script_(std::move(script)) {
        listener_.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
        serve();
    }
    int port() const { return port_; }

    void serve() {
        EXPECT_EQ(listen(listener_.get(), 16), 0);
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }

    std::vector<std::string> requests() {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

    static std::string reply(int status, const std::string& body,
                             const std::string& type = "application/json") {
        return "HTTP/1.1 " + std::to_string(status) + " Said\r\nApi-Version: 1.41\r\n" +
               "Date: Fri, 20 Nov 2026 12:00:00 GMT\r\nContent-Type: " + type +
               "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }

  private:
    void run(const std::stop_token& stop) {
        std::vector<Descriptor> silent;
        while (!stop.stop_requested()) {
            pollfd ready{listener_.get(), POLLIN, 0};
            if (poll(&ready, 1, 20) <= 0) continue;
            Descriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!client) continue;
            std::string request;
            char buffer[65536];
            while (request.find("\r\n\r\n") == std::string::npos) {
                const ssize_t size = read(client.get(), buffer, sizeof buffer);
                if (size <= 0) break;
                request.append(buffer, static_cast<std::size_t>(size));
            }
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(request.substr(0, request.find("\r\n")));
            }
            const bool ping = request.find("/_ping") != std::string::npos;
            const std::string answer = ping && !script_pings ? reply(200, "") : script_(request);
            if (answer == "silence") {
                silent.push_back(std::move(client));
                continue;
            }
            std::string_view left = answer;
            if (ping) left = left.substr(0, left.find("\r\n\r\n") + 4);
            while (!left.empty()) {
                const ssize_t size = send(client.get(), left.data(), left.size(), MSG_NOSIGNAL);
                if (size <= 0) break;
                left.remove_prefix(static_cast<std::size_t>(size));
            }
        }
    }

  public:
    std::atomic<bool> script_pings = false;  // the script answers HEAD /_ping too

  private:
    Script script_;
    int port_ = 0;
    Descriptor listener_;
    std::mutex mutex_;
    std::vector<std::string> requests_;
    std::jthread thread_;
};

UnitSpec named(const std::string& name) {
    UnitSpec spec;
    spec.name = name;
    spec.image = "b";
    return spec;
}

// A text that two threads use.
class Said {
  public:
    explicit Said(std::string text = "") : text_(std::move(text)) {}
    void operator=(const std::string& text) {
        const std::lock_guard lock(mutex_);
        text_ = text;
    }
    std::string get() {
        const std::lock_guard lock(mutex_);
        return text_;
    }

  private:
    std::mutex mutex_;
    std::string text_;
};

class DockerDriver : public testing::Test {
  protected:
    std::unique_ptr<Runtime> connect(const std::string& host,
                                     Duration deadline = std::chrono::minutes(10)) {
        DockerOptions options;
        options.host = host;
        options.deadline = deadline;
        auto runtime = connect_docker(options, clock_, random_);
        EXPECT_TRUE(runtime);
        return std::move(*runtime);
    }
    std::unique_ptr<Runtime> connect_here(Duration deadline = std::chrono::minutes(10)) {
        return connect("unix://" + socket_.string(), deadline);
    }

    SystemClock clock_;
    SystemRandom random_;
    Folder folder_{random_};
    std::filesystem::path socket_ = folder_.path() / "s";
};

TEST_F(DockerDriver, HostsOfAWrongFormAreRefused) {
    for (const char* host : {"", "unix://", "unix://relative", "ssh://x", "tcp://", "tcp://a/b",
                             "tcp://user@host:1", "/var/run/docker.sock"}) {
        DockerOptions options;
        options.host = host;
        const auto runtime = connect_docker(options, clock_, random_);
        ASSERT_FALSE(runtime) << host;
        EXPECT_EQ(runtime.error().code, Code::invalid) << host;
    }
}

TEST_F(DockerDriver, AnEngineThatIsAwayIsUnavailableAndMayComeLater) {
    const auto runtime = connect_here();
    const auto before = runtime->list({});
    ASSERT_FALSE(before);
    EXPECT_EQ(before.error().code, Code::unavailable);
    EXPECT_EQ(before.error().message.find(socket_.string()), std::string::npos)
        << "a path of the host is told";
    EXPECT_EQ(runtime->start("abc").error().code, Code::unavailable);
    EXPECT_EQ(runtime->remove("abc").error().code, Code::unavailable);
    EXPECT_EQ(runtime->image("a:1").error().code, Code::unavailable);
    EXPECT_EQ(runtime->events({}, {}, [](const Labels&) {}).error().code, Code::unavailable);
    EXPECT_FALSE(runtime->capabilities().shares_file_system);
    {
        ScriptedEngine engine(socket_,
                              [](const std::string&) { return ScriptedEngine::reply(200, "[]"); });
        EXPECT_TRUE(runtime->list({}));
    }
    EXPECT_EQ(runtime->list({}).error().code, Code::unavailable);
    ScriptedEngine engine(socket_,
                          [](const std::string&) { return ScriptedEngine::reply(200, "[]"); });
    EXPECT_TRUE(runtime->list({}));
}

TEST_F(DockerDriver, ASlowEngineIsATimeout) {
    ScriptedEngine engine(socket_, [](const std::string&) { return "silence"; });
    const auto runtime = connect_here(milliseconds(200));
    EXPECT_EQ(runtime->list({}).error().code, Code::timeout);
    EXPECT_EQ(runtime->create(named("a")).error().code, Code::timeout);
    EXPECT_EQ(runtime->stop("abc", Duration::zero()).error().code, Code::timeout);
    EXPECT_EQ(runtime->upload("abc", "/x", {}, 0, 0).error().code, Code::timeout);
}

TEST_F(DockerDriver, ABrokenAnswerIsNotTakenForAbsence) {
    Said answer;
    ScriptedEngine engine(socket_, [&](const std::string&) { return answer.get(); });
    const auto runtime = connect_here();
    answer = "";  // the answer is lost
    EXPECT_EQ(runtime->list({}).error().code, Code::unavailable);
    EXPECT_EQ(runtime->start("abc").error().code, Code::unavailable);
    answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{";
    EXPECT_EQ(runtime->list({}).error().code, Code::unavailable);
    answer = ScriptedEngine::reply(200, "<html>");
    EXPECT_EQ(runtime->list({}).error().code, Code::internal);
    answer = ScriptedEngine::reply(200, R"({"an":"object"})");
    EXPECT_EQ(runtime->list({}).error().code, Code::internal);
    answer = ScriptedEngine::reply(500, "plain words", "text/plain");
    const auto failed = runtime->start("abc");
    EXPECT_EQ(failed.error().code, Code::internal);
    EXPECT_THAT(failed.error().detail, testing::HasSubstr("plain words"));
    EXPECT_THAT(failed.error().message, testing::HasSubstr("plain words"));
    answer = ScriptedEngine::reply(503, R"({"message":"starting"})");
    EXPECT_EQ(runtime->list({}).error().code, Code::unavailable);
    answer = ScriptedEngine::reply(500, R"({"message":"write /x: no space left on device"})");
    EXPECT_EQ(runtime->create(named("a")).error().code, Code::exhausted);
}

// An engine that was restarted has closed what the pool holds.
TEST_F(DockerDriver, AConnectionThatDiedInBetweenIsMadeAnew) {
    ScriptedEngine engine(socket_, [](const std::string& request) {
        const std::string body = request.starts_with("GET") ? "[]" : R"({"Id":"abc"})";
        return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
               body;
    });
    const auto runtime = connect_here();
    for (int i = 0; i < 10; ++i) {
        const auto listed = runtime->list({});
        EXPECT_TRUE(listed) << listed.error().detail;
        const auto made = runtime->create(named("a"));
        EXPECT_TRUE(made) << made.error().detail;
    }
    EXPECT_EQ(engine.requests().size(), 21U) << "a call was made more than once";
}

TEST_F(DockerDriver, AnEngineMayBeFarAway) {
    ScriptedEngine engine([](const std::string&) { return ScriptedEngine::reply(200, "[]"); });
    const auto runtime = connect("tcp://127.0.0.1:" + std::to_string(engine.port()));
    const auto listed = runtime->list({});
    EXPECT_TRUE(listed) << listed.error().detail;
    // With TLS, what does not speak it is not talked to in the clear.
    DockerOptions options;
    options.host = "tcp://127.0.0.1:" + std::to_string(engine.port());
    options.tls = DockerTls{"/dev/null", "/dev/null", "/dev/null"};
    const auto safe = connect_docker(options, clock_, random_);
    ASSERT_TRUE(safe);
    EXPECT_EQ((*safe)->list({}).error().code, Code::unavailable);
}

TEST_F(DockerDriver, WhatIsNotAnEngineOrTooOldIsSaid) {
    Said version("0.9");
    ScriptedEngine engine(socket_, [&](const std::string&) {
        return "HTTP/1.1 200 OK\r\nApi-Version: " + version.get() +
               "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    });
    engine.script_pings = true;
    const auto runtime = connect_here();
    EXPECT_EQ(runtime->list({}).error().code, Code::unavailable);
    version = "1.12";
    EXPECT_EQ(runtime->list({}).error().code, Code::unsupported);
}

TEST_F(DockerDriver, TheOlderOfTheTwoVersionsIsSpoken) {
    Said version("1.40");
    ScriptedEngine engine(socket_, [&](const std::string&) {
        return "HTTP/1.1 200 OK\r\nApi-Version: " + version.get() +
               "\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]";
    });
    engine.script_pings = true;
    EXPECT_TRUE(connect_here()->list({}));
    EXPECT_THAT(engine.requests().back(), testing::HasSubstr("GET /v1.40/"));
    version = "1.99";
    EXPECT_TRUE(connect_here()->list({}));
    EXPECT_THAT(engine.requests().back(), testing::HasSubstr("GET /v1.41/"));
}

TEST_F(DockerDriver, NamesCannotReachOtherCalls) {
    ScriptedEngine engine(socket_,
                          [](const std::string&) { return ScriptedEngine::reply(200, "{}"); });
    const auto runtime = connect_here();
    for (const char* name :
         {"", "..", "../x", "a/b", "a?force=1", "a b", "a%2f", ".hidden", "-f"}) {
        EXPECT_EQ(runtime->remove(name).error().code, Code::invalid) << name;
        EXPECT_EQ(runtime->start(name).error().code, Code::invalid) << name;
        EXPECT_EQ(runtime->remove_volume(name).error().code, Code::invalid) << name;
        EXPECT_EQ(runtime->remove_network(name).error().code, Code::invalid) << name;
        EXPECT_EQ(runtime->create(named(name)).error().code, Code::invalid) << name;
    }
    EXPECT_EQ(runtime->image("a/../../x").error().code, Code::invalid);
    EXPECT_EQ(runtime->image("a?b").error().code, Code::invalid);
    EXPECT_TRUE(engine.requests().empty());
}

TEST_F(DockerDriver, APullThatFailsNamesTheImage) {
    ScriptedEngine engine(socket_, [](const std::string& request) {
        if (request.starts_with("POST")) {
            return ScriptedEngine::reply(200,
                                         "{\"status\":\"Pulling\"}\n{\"error\":\"no route\"}\n");
        }
        return ScriptedEngine::reply(404, R"({"message":"No such image"})");
    });
    const auto runtime = connect_here();
    Result<Image> missing = Image{};
    ASSERT_TRUE(eventually([&] {
        missing = runtime->image("registry:5000/team/agent");
        return !missing;
    }));
    EXPECT_EQ(missing.error().code, Code::not_found);
    EXPECT_THAT(missing.error().message, testing::HasSubstr("registry:5000/team/agent"));
    EXPECT_THAT(missing.error().message, testing::HasSubstr("no route"));
    // Every workspace that waits for the image is told, without another pull.
    EXPECT_EQ(runtime->image("registry:5000/team/agent").error().code, Code::not_found);
    const auto requests = engine.requests();
    EXPECT_EQ(std::count_if(requests.begin(), requests.end(),
                            [](const std::string& line) { return line.starts_with("POST"); }),
              1);
    EXPECT_EQ(missing.error().detail, "no route");
    EXPECT_THAT(engine.requests(), testing::Contains(testing::HasSubstr(
                                       "fromImage=registry%3A5000%2Fteam%2Fagent&tag=latest")));
}

// A registry that stalls held the caller for fifteen minutes.
TEST_F(DockerDriver, Fault18_NobodyWaitsForAPull) {
    ScriptedEngine engine(socket_, [](const std::string& request) {
        if (request.starts_with("POST")) return std::string("silence");
        return ScriptedEngine::reply(404, R"({"message":"No such image"})");
    });
    const auto runtime = connect_here();
    for (int i = 0; i < 64; ++i) {
        const auto image = runtime->image("team/agent:" + std::to_string(i));
        ASSERT_TRUE(image) << image.error().message;
        EXPECT_TRUE(image->id.empty());
    }
    EXPECT_EQ(runtime->image("team/agent:64").error().code, Code::exhausted);
    EXPECT_TRUE(eventually([&] {
        const auto requests = engine.requests();
        return std::count_if(requests.begin(), requests.end(),
                             [](const std::string& line) { return line.starts_with("POST"); }) == 3;
    })) << "three pulls at a time";
}

TEST(DockerPullProgress, Fault18_SumsLayersAndKeepsTheEnginesFailure) {
    PullProgress progress;
    EXPECT_EQ(progress.text(), "");
    progress.take(R"({"status":"Pulling from team/agent","id":"latest"})");
    progress.take(
        R"({"status":"Downloading","progressDetail":{"current":1000000,"total":4000000},"id":"a"})");
    progress.take(
        R"({"status":"Downloading","progressDetail":{"current":2000000,"total":30000000},"id":"b"})");
    EXPECT_EQ(progress.text(), "3 of 34 MB");
    progress.take(R"({"status":"Download complete","id":"a"})");
    progress.take("not JSON");
    EXPECT_EQ(progress.text(), "6 of 34 MB");
    EXPECT_EQ(progress.failure(), "");
    progress.take(R"({"error":"toomanyrequests: rate limit"})");
    EXPECT_EQ(progress.failure(), "toomanyrequests: rate limit");
}

// Each caller waited for the deadlines of all callers before it, too.
TEST_F(DockerDriver, Fault12_AnEngineThatHangsHoldsEachCallerForItsOwnDeadline) {
    ScriptedEngine engine(socket_, [](const std::string&) { return "silence"; });
    DockerOptions options;
    options.host = "unix://" + socket_.string();
    options.deadline = milliseconds(500);
    options.probe_folder = folder_.path();
    const auto runtime = std::move(*connect_docker(options, clock_, random_));
    const auto begun = std::chrono::steady_clock::now();
    {
        std::vector<std::jthread> callers;
        for (int i = 0; i < 20; ++i) {
            callers.emplace_back(
                [&] { EXPECT_EQ(runtime->ensure_network("n", {}).error().code, Code::timeout); });
            callers.emplace_back([&] { EXPECT_FALSE(runtime->capabilities().file_system_known); });
        }
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(8))
        << "20 deadlines are 10 seconds";
}

// What the engine says was in the server's log alone.
TEST_F(DockerDriver, Fault18_TheEnginesOwnWordsArePassedOn) {
    Said answer(ScriptedEngine::reply(
        400,
        R"({"message":"invalid mount config for type \"bind\": bind source path does not exist"})"));
    ScriptedEngine engine(socket_, [&](const std::string&) { return answer.get(); });
    const auto runtime = connect_here();
    const auto made = runtime->create(named("a"));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::invalid);
    EXPECT_THAT(made.error().message, testing::HasSubstr("bind source path does not exist"));
    answer = ScriptedEngine::reply(
        500, R"({"message":"Get https://me:secret@registry/v2/:\nno such host"})");
    const auto listed = runtime->list({});
    EXPECT_THAT(listed.error().message,
                testing::HasSubstr("\"Get https://registry/v2/: no such host\""));
    answer = ScriptedEngine::reply(500, "{\"message\":\"" + std::string(5000, 'x') + "\"}");
    EXPECT_LT(runtime->list({}).error().message.size(), 400U);
}

// After a crash of the engine, containerd may still hold the unit's task: a start can never
// succeed.
TEST_F(DockerDriver, Fault18_AUnitThatCanNeverStartIsAConflict) {
    Said answer(ScriptedEngine::reply(
        409,
        R"({"message":"failed to create task for container: task 0123: already exists: unknown"})"));
    ScriptedEngine engine(socket_, [&](const std::string&) { return answer.get(); });
    const auto runtime = connect_here();
    EXPECT_EQ(runtime->start("abc").error().code, Code::conflict);
    answer = ScriptedEngine::reply(
        500, R"({"message":"AlreadyExists: task 0123: already exists: unknown"})");
    const auto start = runtime->start("abc");
    EXPECT_EQ(start.error().code, Code::conflict);
    EXPECT_THAT(start.error().message, testing::HasSubstr("must be replaced"));
    EXPECT_THAT(start.error().message, testing::HasSubstr("already exists: unknown"));
}

TEST_F(DockerDriver, Fault18_HealthAndTheReasonOfAnEndAreObserved) {
    Said state(R"({"Status":"exited","ExitCode":137,"OOMKilled":true})");
    ScriptedEngine engine(socket_, [&](const std::string& request) {
        if (request.find("/containers/json") != std::string::npos) {
            return ScriptedEngine::reply(200, R"([{"Id":"abc"}])");
        }
        return ScriptedEngine::reply(
            200, R"({"Id":"abc","Name":"/a","Config":{"Image":"b"},"State":)" + state.get() + "}");
    });
    const auto runtime = connect_here();
    const auto killed = runtime->list({});
    ASSERT_TRUE(killed) << killed.error().message;
    EXPECT_TRUE(killed->front().out_of_memory);
    EXPECT_EQ(killed->front().exit_code, 137);
    EXPECT_EQ(killed->front().health, Unit::Health::none);
    state =
        R"({"Status":"running","OOMKilled":true,"Health":{"Status":"unhealthy","FailingStreak":3,)"
        R"("Log":[{"ExitCode":1,"Output":"old"},{"ExitCode":1,"Output":"no answer\non port 8080\n"}]}})";
    const auto sick = runtime->list({});
    ASSERT_TRUE(sick);
    EXPECT_FALSE(sick->front().out_of_memory) << "its main program still runs";
    EXPECT_EQ(sick->front().health, Unit::Health::unhealthy);
    EXPECT_EQ(sick->front().health_output, "no answer on port 8080");
}

// The first 500 was kept as "not shared" until the server was restarted.
TEST_F(DockerDriver, Fault18_AProbeThatFailedProvesNothing) {
    std::atomic<int> status = 500;
    ScriptedEngine engine(socket_, [&](const std::string& request) {
        if (request.starts_with("POST") && request.find("/images/create") != std::string::npos) {
            return ScriptedEngine::reply(200, R"({"status":"sha256:0123"})");
        }
        if (request.starts_with("POST")) return ScriptedEngine::reply(201, R"({"Id":"abc"})");
        if (request.find("/archive?") != std::string::npos) {
            return ScriptedEngine::reply(status, R"({"message":"said"})");
        }
        return ScriptedEngine::reply(200, "{}");
    });
    struct Hands final : Clock {
        Instant now() const override { return time; }
        Instant time{};
    } clock;
    DockerOptions options;
    options.host = "unix://" + socket_.string();
    options.probe_folder = folder_.path();
    const auto runtime = std::move(*connect_docker(options, clock, random_));
    EXPECT_FALSE(runtime->capabilities().shares_file_system);
    EXPECT_FALSE(runtime->capabilities().file_system_known);
    status = 404;
    EXPECT_FALSE(runtime->capabilities().file_system_known) << "not asked at each call";
    clock.time += seconds(11);
    EXPECT_TRUE(runtime->capabilities().file_system_known);
    EXPECT_FALSE(runtime->capabilities().shares_file_system);
}

TEST_F(DockerDriver, EventsGoOnWhereTheyBroke) {
    ScriptedEngine engine(socket_, [](const std::string&) {
        return ScriptedEngine::reply(
            200,
            R"({"Actor":{"Attributes":{"ours":"1","image":"x","name":"y"}},"timeNano":1700000000000000042})"
            "\n");
    });
    const auto runtime = connect_here();
    std::vector<Labels> seen;
    const auto take = [&](const Labels& labels) { seen.push_back(labels); };
    EXPECT_EQ(runtime->events({}, {{"ours", "1"}}, take).error().code, Code::unavailable);
    EXPECT_EQ(runtime->events({}, {{"ours", "1"}}, take).error().code, Code::unavailable);
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0], (Labels{{"ours", "1"}}));
    EXPECT_THAT(engine.requests().back(), testing::HasSubstr("since=1700000000.000000042"));
}

TEST_F(DockerDriver, ASilentStreamOfEventsStopsAtOnce) {
    ScriptedEngine engine(socket_, [](const std::string&) { return "silence"; });
    const auto runtime = connect_here();
    std::optional<Result<void>> ended;
    std::jthread reader([&](const std::stop_token& stop) {
        ended = runtime->events(stop, {}, [](const Labels&) {});
    });
    ASSERT_TRUE(eventually([&] { return engine.requests().size() >= 2; }));
    reader.request_stop();
    reader.join();
    EXPECT_TRUE(*ended);
}

TEST(LineStream, LinesMayBeCutAnywhereAndAreBounded) {
    std::vector<std::string> lines;
    LineStream stream([&](std::string_view line) { lines.emplace_back(line); });
    for (const char c : std::string("one\n\ntwo\nthr")) stream.feed({&c, 1});
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two"}));
    stream.feed(std::string(std::size_t{2} << 20, 'x'));
    stream.feed("\nfour\n");
    EXPECT_EQ(lines.back(), "four");
    EXPECT_EQ(lines.size(), 3U);
}

TEST(DockerStream, FramesMayBeCutAnywhere) {
    const std::string frames(
        "\1\0\0\0\0\0\0\3one\2\0\0\0\0\0\0\5wrong\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\3two",
        8 + 3 + 8 + 5 + 8 + 8 + 3);
    for (std::size_t piece = 1; piece <= frames.size(); ++piece) {
        DockerStream stream(100);
        for (std::size_t at = 0; at < frames.size(); at += piece) {
            stream.feed(std::string_view(frames).substr(at, piece));
        }
        EXPECT_EQ(stream.out, "onetwo");
        EXPECT_EQ(stream.err, "wrong");
        EXPECT_FALSE(stream.truncated);
    }
    DockerStream small(4);
    small.feed(frames);
    EXPECT_EQ(small.out, "onet");
    EXPECT_EQ(small.err, "wron");
    EXPECT_TRUE(small.truncated);
}

TEST(DockerStream, Fault10_TheNewestPartIsKept) {
    const std::string frame("\1\0\0\0\0\0\0\3one\2\0\0\0\0\0\0\3two", 22);
    for (const int frames : {1, 2, 3, 1000}) {
        DockerStream stream(4, DockerStream::Keep::newest_merged);
        for (int i = 0; i < frames; ++i) stream.feed(frame);
        EXPECT_EQ(stream.take_out(), "etwo");
        EXPECT_TRUE(stream.truncated);
    }
    DockerStream large(100, DockerStream::Keep::newest_merged);
    large.feed(frame);
    EXPECT_EQ(large.take_out(), "onetwo");
    EXPECT_FALSE(large.truncated);
}

// --- with an engine ------------------------------------------------------------------------

class DockerContainers : public DockerDriver {
  protected:
    void SetUp() override {
        const auto host = fakes::test_docker_host();
        if (!host) {
            ASSERT_FALSE(fakes::services_are_required()) << "ATELIER_TEST_DOCKER is not set";
            GTEST_SKIP() << "ATELIER_TEST_DOCKER is not set";
        }
        const auto made = fakes::make_test_image(*host);
        ASSERT_TRUE(made) << made.error().message << made.error().detail;
        runtime_ = connect(*host);
        http_ = std::move(*DockerHttp::open(*host, std::nullopt));
    }

    void TearDown() override {
        if (!runtime_) return;
        const auto units = runtime_->list(ours_);
        ASSERT_TRUE(units);
        for (const Unit& unit : *units) EXPECT_TRUE(runtime_->remove(unit.id));
        const auto volumes = runtime_->volumes(ours_);
        ASSERT_TRUE(volumes);
        for (const Volume& volume : *volumes) EXPECT_TRUE(runtime_->remove_volume(volume.name));
    }

    UnitSpec spec() {
        UnitSpec spec;
        spec.name = "a-" + run_;
        spec.image = fakes::test_image;
        spec.command = {"sleep", "1000"};
        spec.labels = ours_;
        return spec;
    }

    std::string started(const UnitSpec& what) {
        const auto id = runtime_->create(what);
        EXPECT_TRUE(id) << id.error().message << id.error().detail;
        const auto done = runtime_->start(*id);
        EXPECT_TRUE(done) << done.error().message << done.error().detail;
        return *id;
    }

    ExecResult run(const std::string& id, const std::vector<std::string>& command) {
        const auto result = runtime_->exec(id, command, seconds(300));
        EXPECT_TRUE(result) << result.error().message << result.error().detail;
        return result ? *result : ExecResult{};
    }

    std::string run_ = random_text(random_, 10, name_suffix_alphabet);
    Labels ours_{{"atelier.dev/test-run", run_}};
    std::unique_ptr<Runtime> runtime_;
    std::unique_ptr<DockerHttp> http_;
};

TEST_F(DockerContainers, AreMadeWithoutPrivileges) {
    UnitSpec unit = spec();
    unit.memory_bytes = 64 << 20;
    unit.nano_cpus = 500'000'000;
    unit.pids = 50;
    unit.read_only_root = true;
    unit.env = {{"GREETING", "hello world"}};
    unit.mounts = {{Mount::Kind::tmpfs, "", "/tmp", false}};
    const std::string id = started(unit);
    const auto reply = http_->call({.method = "GET", .path = "/containers/" + id + "/json"});
    ASSERT_TRUE(reply);
    const json::Document container = std::move(*reply->json());
    const json::Value& host = *json::find(container, {"HostConfig"});
    EXPECT_EQ(json::text(host["CapDrop"]), R"(["ALL"])");
    EXPECT_EQ(json::text(host["CapAdd"]),
              R"(["CHOWN","DAC_OVERRIDE","FOWNER","KILL","SETGID","SETUID"])");
    EXPECT_EQ(json::text(host["SecurityOpt"]), R"(["no-new-privileges:true"])");
    EXPECT_EQ(json::string_at(host, {"RestartPolicy", "Name"}), "no");
    EXPECT_EQ(json::string_at(host, {"NetworkMode"}), "none");
    EXPECT_EQ(host["Memory"].GetInt64(), 64 << 20);
    EXPECT_EQ(host["MemorySwap"].GetInt64(), 64 << 20);
    EXPECT_EQ(host["NanoCpus"].GetInt64(), 500'000'000);
    EXPECT_EQ(host["PidsLimit"].GetInt64(), 50);
    EXPECT_TRUE(host["ReadonlyRootfs"].GetBool());
    EXPECT_FALSE(host["Privileged"].GetBool());
    EXPECT_FALSE(host["Init"].GetBool());
    const std::string status = run(id, {"cat", "/proc/1/status"}).out;
    EXPECT_THAT(status, testing::HasSubstr("CapBnd:\t00000000000000eb"));
    EXPECT_THAT(status, testing::HasSubstr("NoNewPrivs:\t1"));
    EXPECT_NE(run(id, {"touch", "/x"}).exit_code, 0);
    EXPECT_EQ(run(id, {"touch", "/tmp/x"}).exit_code, 0);
    EXPECT_EQ(run(id, {"sh", "-c", "echo $GREETING"}).out, "hello world\n");
}

TEST_F(DockerContainers, GetFilesWithOwnerModeAndTime) {
    UnitSpec unit = spec();
    unit.mounts = {{Mount::Kind::volume, "v-" + run_, "/configs", false}};
    unit.read_only_root = true;
    ASSERT_TRUE(runtime_->ensure_volume("v-" + run_, ours_));
    const auto id = runtime_->create(unit);
    ASSERT_TRUE(id);
    const Tree tree{{"d/run", {File::Kind::regular, true, "#!/bin/sh\necho ran\n"}},
                    {"d/read", {File::Kind::regular, false, "x"}},
                    {"d/link", {File::Kind::symlink, false, "read"}}};
    const auto uploaded = runtime_->upload(*id, "/configs/.staging/p", tree, 1000, 1001);
    ASSERT_TRUE(uploaded) << uploaded.error().message << uploaded.error().detail;
    EXPECT_EQ(runtime_->upload(*id, "/elsewhere", tree, 0, 0).error().code, Code::forbidden);
    ASSERT_TRUE(runtime_->start(*id));
    EXPECT_EQ(run(*id, {"/configs/.staging/p/d/run"}).out, "ran\n");
    const auto stat = [&](const std::string& path, const std::string& format) {
        return run(*id, {"stat", "-c", format, "/configs/.staging/p/" + path}).out;
    };
    EXPECT_EQ(stat("d/run", "%u %g %a"), "1000 1001 755\n");
    EXPECT_EQ(stat("d/read", "%u %g %a"), "1000 1001 644\n");
    EXPECT_EQ(stat("d", "%u %g %a"), "1000 1001 755\n");
    EXPECT_EQ(stat("d/link", "%N"), "'/configs/.staging/p/d/link' -> 'read'\n");
    EXPECT_GT(std::stoll(stat("d/read", "%Y")), 1'700'000'000);
}

TEST_F(DockerContainers, AnUploadIsStreamed) {
    const std::string id = started(spec());
    Tree tree;
    for (int i = 0; i < 40; ++i) {
        tree["f" + std::to_string(i)] = {File::Kind::regular, false, std::string(1 << 20, 'x')};
    }
    ASSERT_TRUE(runtime_->upload(id, "/data", tree, 0, 0));
    EXPECT_EQ(run(id, {"sh", "-c", "cat /data/* | wc -c"}).out, std::to_string(40 << 20) + "\n");
}

TEST_F(DockerContainers, OutputOfACommandIsCapped) {
    const std::string id = started(spec());
    const ExecResult result =
        run(id, {"sh", "-c", "head -c 6000000 /dev/zero; echo problem >&2; exit 4"});
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_EQ(result.out.size(), std::size_t{5} << 20);
    EXPECT_EQ(result.err, "problem\n");
    EXPECT_TRUE(result.truncated);
}

TEST_F(DockerContainers, ALateCommandIsKilledInside) {
    const std::string id = started(spec());
    EXPECT_EQ(runtime_->exec(id, {"sleep", "999"}, milliseconds(300)).error().code, Code::timeout);
    EXPECT_TRUE(eventually([&] {
        const std::string processes = run(id, {"ps"}).out;
        return processes.find("sleep 1000") != std::string::npos &&
               processes.find("sleep 999") == std::string::npos;
    }));
}

TEST_F(DockerContainers, AnImageWithoutTimeoutRunsCommandsToo) {
    const std::string id = started(spec());
    ASSERT_EQ(run(id, {"rm", "/bin/timeout"}).exit_code, 0);
    EXPECT_EQ(run(id, {"echo", "still"}).out, "still\n");
    const ExecResult missing = run(id, {"no-such-program"});
    EXPECT_TRUE(missing.exit_code == 126 || missing.exit_code == 127) << missing.exit_code;
}

TEST_F(DockerContainers, AMissingCommandIsSaid) {
    const std::string id = started(spec());
    const ExecResult missing = run(id, {"no-such-program"});
    EXPECT_TRUE(missing.exit_code == 126 || missing.exit_code == 127) << missing.exit_code;
    UnitSpec unit = spec();
    unit.name = "b-" + run_;
    unit.command = {"no-such-program"};
    const auto other = runtime_->create(unit);
    ASSERT_TRUE(other);
    const auto start = runtime_->start(*other);
    ASSERT_FALSE(start);
    EXPECT_EQ(start.error().code, Code::invalid) << start.error().detail;
    EXPECT_THAT(start.error().message, testing::HasSubstr("no such command"));
}

TEST_F(DockerContainers, AFolderThatTheEngineCannotSeeIsFoundOut) {
    DockerOptions options;
    options.host = *fakes::test_docker_host();
    options.probe_labels = ours_;
    EXPECT_FALSE((*connect_docker(options, clock_, random_))->capabilities().shares_file_system);
    // A file system of this process alone would do; a folder that is gone meanwhile does too.
    options.probe_folder = "/proc/self/task";
    EXPECT_FALSE((*connect_docker(options, clock_, random_))->capabilities().shares_file_system);
    std::filesystem::create_directories(folder_.path() / ".probe-of-a-life-before");
    options.probe_folder = folder_.path();
    EXPECT_TRUE((*connect_docker(options, clock_, random_))->capabilities().shares_file_system);
    EXPECT_TRUE(runtime_->list(ours_)->empty()) << "the probe was left behind";
    EXPECT_TRUE(eventually([&] {
        const auto images = http_->call(
            {.method = "GET",
             .path = "/images/json?filters=" + url_escape(R"({"label":["atelier.dev/probe"]})")});
        return images && images->body == "[]\n";
    })) << "the image of a probe was left behind";
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(DockerContainers, AHostFolderThatIsNotThereIsInvalid) {
    UnitSpec unit = spec();
    unit.mounts = {{Mount::Kind::host, folder_.path() / "absent", "/x", true}};
    const auto made = runtime_->create(unit);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::invalid);
    EXPECT_THAT(made.error().message, testing::HasSubstr("bind source path does not exist"));
}

// The list still says the old state for a moment after the event: who lists at the event must see
// the new one.
TEST_F(DockerContainers, Fault18_PauseAndUnpauseAreSeenAtTheirEvent) {
    const std::string id = started(spec());
    std::mutex mutex;
    std::vector<Unit::State> states;
    std::jthread reader([&](const std::stop_token& stop) {
        EXPECT_TRUE(runtime_->events(stop, ours_, [&](const Labels&) {
            const auto units = runtime_->list(ours_);
            const std::lock_guard lock(mutex);
            if (units && units->size() == 1) states.push_back(units->front().state);
        }));
    });
    const auto last_is = [&](Unit::State state, std::size_t at_least) {
        return eventually([&] {
            const std::lock_guard lock(mutex);
            return states.size() >= at_least && states.back() == state;
        });
    };
    ASSERT_TRUE(last_is(Unit::State::running, 1));
    for (int i = 0; i < 3; ++i) {
        const std::size_t before = states.size();
        ASSERT_TRUE(http_->call({.method = "POST", .path = "/containers/" + id + "/pause"}));
        EXPECT_TRUE(last_is(Unit::State::paused, before + 1));
        ASSERT_TRUE(http_->call({.method = "POST", .path = "/containers/" + id + "/unpause"}));
        EXPECT_TRUE(last_is(Unit::State::running, before + 2));
    }
}

TEST_F(DockerContainers, Fault18_ALostNetworkIsObservedAndAnEvent) {
    const std::string network = "n-" + run_;
    ASSERT_TRUE(runtime_->ensure_network(network, ours_));
    UnitSpec unit = spec();
    unit.network = network;
    const std::string id = started(unit);
    std::atomic<int> lost = 0;
    std::jthread reader([&](const std::stop_token& stop) {
        EXPECT_TRUE(runtime_->events(stop, ours_, [&](const Labels&) {
            const auto units = runtime_->list(ours_);
            if (units && units->size() == 1 && units->front().networks.empty()) ++lost;
        }));
    });
    EXPECT_EQ(runtime_->list(ours_)->front().networks, std::vector{network});
    const std::string body = R"({"Container":")" + id + R"(","Force":true})";
    ASSERT_TRUE(http_->call(
        {.method = "POST", .path = "/networks/" + network + "/disconnect", .body = body}));
    EXPECT_TRUE(eventually([&] { return lost > 0; }));
    // Gone altogether, made anew, and joined again.
    ASSERT_TRUE(runtime_->remove_network(network));
    EXPECT_EQ(runtime_->join_network(id, network, "a").error().code, Code::not_found);
    ASSERT_TRUE(runtime_->ensure_network(network, ours_));
    ASSERT_TRUE(runtime_->join_network(id, network, "a"));
    EXPECT_EQ(runtime_->list(ours_)->front().networks, std::vector{network});
    reader.request_stop();
    reader.join();
    ASSERT_TRUE(runtime_->remove(id));
    ASSERT_TRUE(runtime_->remove_network(network));
}

TEST_F(DockerContainers, Fault18_AFailingHealthCheckIsObservedAndAnEvent) {
    std::string body = R"({"Image":")" + std::string(fakes::test_image) +
                       R"(","Cmd":["sleep","1000"],"Labels":{"atelier.dev/test-run":")" + run_ +
                       R"("},"Healthcheck":{"Test":["CMD-SHELL","echo ill; exit 1"],)"
                       R"("Interval":1000000000,"Timeout":10000000000,"Retries":1}})";
    const auto made =
        http_->call({.method = "POST", .path = "/containers/create?name=h-" + run_, .body = body});
    ASSERT_TRUE(made && made->ok());
    const std::string id = json::string_at(*made->json(), {"Id"});
    std::atomic<bool> ill = false;
    std::jthread reader([&](const std::stop_token& stop) {
        EXPECT_TRUE(runtime_->events(stop, ours_, [&](const Labels&) {
            const auto units = runtime_->list(ours_);
            if (!units || units->size() != 1) return;
            const Unit& unit = units->front();
            if (unit.health != Unit::Health::unhealthy) return;
            EXPECT_EQ(unit.health_output, "ill");
            ill = true;
        }));
    });
    ASSERT_TRUE(runtime_->start(id));
    EXPECT_TRUE(eventually([&] { return ill.load(); }));
}

TEST_F(DockerContainers, ADeathFromOutsideIsAnEvent) {
    const std::string id = started(spec());
    std::atomic<bool> dead = false;
    std::jthread reader([&](const std::stop_token& stop) {
        EXPECT_TRUE(runtime_->events(stop, ours_, [&](const Labels&) {
            const auto units = runtime_->list(ours_);
            if (units && units->size() == 1 && units->front().state == Unit::State::exited) {
                EXPECT_EQ(units->front().exit_code, 137);
                dead = true;
            }
        }));
    });
    ASSERT_TRUE(http_->call({.method = "POST", .path = "/containers/" + id + "/kill"}));
    EXPECT_TRUE(eventually([&] { return dead.load(); }));
}

}  // namespace
}  // namespace atelier::drivers
