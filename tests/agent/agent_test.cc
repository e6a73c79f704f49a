// The parts of the agent on a disk of their own, then the program itself as a process.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include "agent/files.h"
#include "agent/plugins.h"
#include "agent/skills.h"
#include "base/file.h"
#include "base/json.h"
#include "base/tree_digest.h"

namespace atelier::agent {
namespace {

namespace fs = std::filesystem;

class Folder {
  public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "atelier-agent-XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    ~Folder() { fs::remove_all(path_); }
    const fs::path& path() const { return path_; }
    fs::path operator/(const std::string& name) const { return path_ / name; }

  private:
    fs::path path_;
};

void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

using Content = std::map<std::string, std::string>;

std::string digest(const Content& files) {
    TreeDigest sum;
    for (const auto& [path, text] : files) sum.add(path, sha256_hex(text), false);
    return sum.hex();
}

// As the server does it: beside, then by one rename or exchange.
std::string install(const fs::path& plugins, const std::string& name, const Content& files) {
    const fs::path staged = plugins / ".staging" / (name + ".1");
    fs::remove_all(staged);
    for (const auto& [path, text] : files) write(staged / path, text);
    write(staged / ".complete", digest(files) + "\n");
    const fs::path live = plugins / name;
    if (fs::exists(live)) {
        EXPECT_EQ(renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, live.c_str(), RENAME_EXCHANGE), 0);
        fs::remove_all(staged);
    } else {
        fs::rename(staged, live);
    }
    return digest(files);
}

const Content reviewer = {{"plugin.yaml", "name: reviewer"}, {"skills/review/SKILL.md", "look"}};

// --- plugins

TEST(AgentPlugins, LoadsCompleteOnesAndTellsWhatIsWrongWithOthers) {
    Folder folder;
    const std::string good = install(folder.path(), "reviewer", reviewer);
    write(folder / "unmarked/plugin.yaml", "x");
    write(folder / "changed/plugin.yaml", "x");
    write(folder / "changed/.complete", std::string(64, '0'));
    install(folder.path(), "linked", reviewer);
    fs::create_symlink("/etc/passwd", folder / "linked/leak");
    install(folder.path(), "piped", reviewer);
    ASSERT_EQ(mkfifo((folder / "piped/pipe").c_str(), 0644), 0);
    write(folder / "file", "not a folder");
    fs::create_directory_symlink(folder / "reviewer", folder / "alias");
    write(folder / ".previous/old.1/.complete", digest({}));

    const Loaded loaded = load_plugins(folder.path());
    ASSERT_EQ(loaded.plugins.size(), 1u);
    EXPECT_EQ(loaded.plugins[0].name, "reviewer");
    EXPECT_EQ(loaded.plugins[0].digest, good);
    EXPECT_EQ(loaded.plugins[0].skills.at("review").at("SKILL.md").bytes, "look");
    std::vector<std::string> wrong;
    for (const Problem& problem : loaded.problems) wrong.push_back(problem.name);
    EXPECT_EQ(wrong, (std::vector<std::string>{"alias", "changed", "file", "linked", "piped",
                                               "unmarked"}));
}

TEST(AgentPlugins, AFolderThatIsNotThereIsEmptyAndOneThatIsALinkIsRead) {
    Folder folder;
    EXPECT_TRUE(load_plugins(folder / "none").plugins.empty());
    EXPECT_TRUE(load_plugins(folder / "none").problems.empty());
    install(folder / "real", "reviewer", reviewer);
    fs::create_directory_symlink(folder / "real", folder / "mounted");
    EXPECT_EQ(load_plugins(folder / "mounted").plugins.size(), 1u);
}

TEST(AgentPlugins, TheFingerprintChangesWithEachInstall) {
    Folder folder;
    const std::string none = fingerprint(folder.path());
    install(folder.path(), "reviewer", reviewer);
    const std::string one = fingerprint(folder.path());
    EXPECT_NE(one, none);
    EXPECT_EQ(fingerprint(folder.path()), one);
    install(folder.path(), "reviewer", reviewer);
    EXPECT_NE(fingerprint(folder.path()), one);
}

// --- skills

TEST(AgentSkills, Scenario26TheActiveCopyFollowsThePlugin) {
    Folder folder;
    const fs::path skills = folder / "skills";
    install(folder / "plugins", "reviewer", reviewer);
    EXPECT_TRUE(refresh_skills(skills, load_plugins(folder / "plugins")).empty());
    EXPECT_EQ(*read_file(skills / "review/SKILL.md"), "look");

    install(folder / "plugins", "reviewer",
            {{"skills/review/SKILL.md", "look closer"}, {"skills/review/more/a.md", "a"}});
    EXPECT_TRUE(refresh_skills(skills, load_plugins(folder / "plugins")).empty());
    EXPECT_EQ(*read_file(skills / "review/SKILL.md"), "look closer");
    EXPECT_EQ(*read_file(skills / "review/more/a.md"), "a");

    fs::remove_all(folder / "plugins/reviewer");
    EXPECT_TRUE(refresh_skills(skills, load_plugins(folder / "plugins")).empty());
    EXPECT_FALSE(fs::exists(skills / "review"));
}

TEST(AgentSkills, AFolderThatIsNotOursIsNeverTouched) {
    Folder folder;
    const fs::path skills = folder / "skills";
    write(skills / "review/SKILL.md", "my own");
    write(skills / "other/SKILL.md", "mine too");
    install(folder / "plugins", "reviewer", reviewer);
    EXPECT_EQ(refresh_skills(skills, load_plugins(folder / "plugins")).size(), 1u);
    EXPECT_EQ(*read_file(skills / "review/SKILL.md"), "my own");
    fs::remove_all(folder / "plugins/reviewer");
    (void)refresh_skills(skills, load_plugins(folder / "plugins"));
    EXPECT_EQ(*read_file(skills / "review/SKILL.md"), "my own");
    EXPECT_EQ(*read_file(skills / "other/SKILL.md"), "mine too");
}

TEST(AgentSkills, OfTwoPluginsWithOneSkillTheFirstHasIt) {
    Folder folder;
    install(folder / "plugins", "a", {{"skills/s/SKILL.md", "of a"}});
    install(folder / "plugins", "b", {{"skills/s/SKILL.md", "of b"}});
    EXPECT_EQ(refresh_skills(folder / "skills", load_plugins(folder / "plugins")).size(), 1u);
    EXPECT_EQ(*read_file(folder / "skills/s/SKILL.md"), "of a");
}

TEST(AgentSkills, NothingIsTakenAwayWhileAPluginCannotBeRead) {
    Folder folder;
    install(folder / "plugins", "reviewer", reviewer);
    (void)refresh_skills(folder / "skills", load_plugins(folder / "plugins"));
    write(folder / "plugins/reviewer/added", "half of an edit");
    (void)refresh_skills(folder / "skills", load_plugins(folder / "plugins"));
    EXPECT_EQ(*read_file(folder / "skills/review/SKILL.md"), "look");
}

// --- files that are no longer declared

TEST(AgentFiles, RemovesWhatIsNoLongerDeclaredAndNothingElse) {
    Folder folder;
    write(folder / "a.md", "a");
    write(folder / "deep/down/b.md", "b");
    write(folder / "own.md", "the program's");
    write(folder / ".atelier-files", "a.md\ndeep/down/b.md\n");
    ASSERT_TRUE(remove_stale_files(folder.path()));
    EXPECT_TRUE(fs::exists(folder / "deep/down/b.md"));
    write(folder / ".atelier-files", "a.md\n");
    ASSERT_TRUE(remove_stale_files(folder.path()));
    EXPECT_TRUE(fs::exists(folder / "a.md"));
    EXPECT_FALSE(fs::exists(folder / "deep"));
    EXPECT_TRUE(fs::exists(folder / "own.md"));
}

TEST(AgentFiles, APlantedListOrLinkLeadsNowhere) {
    Folder folder;
    write(folder / "outside/precious", "keep");
    write(folder / "configs/.atelier-files", "");
    write(folder / "configs/.atelier-files.applied",
          "../outside/precious\n/etc/passwd\nlink/precious\n");
    fs::create_directory_symlink(folder / "outside", folder / "configs/link");
    ASSERT_TRUE(remove_stale_files(folder / "configs"));
    EXPECT_TRUE(fs::exists(folder / "outside/precious"));
}

// --- the program

class Process {
  public:
    Process(const Folder& folder, std::vector<std::string> arguments, const std::string& port = "0",
            const std::string& address = "127.0.0.1") {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        pid_ = fork();
        if (pid_ == 0) {
            dup2(ends[1], 2);
            setenv("ATELIER_CONFIGS", (folder / "configs").c_str(), 1);
            setenv("ATELIER_RUN", (folder / "run").c_str(), 1);
            setenv("ATELIER_AGENT_PORT", port.c_str(), 1);
            setenv("ATELIER_AGENT_ADDRESS", address.c_str(), 1);
            setenv("ATELIER_AGENT_GRACE", "200ms", 1);
            setenv("ATELIER_AGENT_RESCAN", "100ms", 1);
            arguments.insert(arguments.begin(), ATELIER_AGENT);
            std::vector<char*> words;
            for (std::string& a : arguments) words.push_back(a.data());
            words.push_back(nullptr);
            execv(words[0], words.data());
            _exit(99);
        }
        close(ends[1]);
        error_ = ends[0];
    }
    ~Process() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
        close(error_);
    }
    // The number after "listening on port".
    int port() {
        std::string text;
        char c = 0;
        while (read(error_, &c, 1) == 1) {
            text += c;
            const auto at = text.find("port ");
            if (c == '\n' && at != std::string::npos) return std::atoi(text.c_str() + at + 5);
        }
        return 0;
    }
    void signal(int number) { kill(pid_, number); }
    int wait() {
        int status = 0;
        waitpid(pid_, &status, 0);
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    }

  private:
    pid_t pid_ = 0;
    int error_ = -1;
};

bool eventually(const std::function<bool()>& claim) {
    for (int i = 0; i < 2000; ++i) {
        if (claim()) return true;
        usleep(5000);
    }
    return false;
}

std::string status(const Folder& folder) {
    const auto text = read_file(folder / "run/status.json");
    return text ? *text : "";
}

std::string loaded(const Folder& folder) {
    const auto document = json::parse(status(folder));
    if (!document) return "";
    std::string out;
    for (const json::Value& plugin : (*document)["plugins"].GetArray()) {
        out += json::string_at(plugin, {"name"}) + "=" + json::string_at(plugin, {"digest"}) + " ";
    }
    return out;
}

// One request on one connection; everything that comes back.
std::string ask(int fd, const sockaddr* address, socklen_t size, const std::string& request) {
    std::string answer;
    if (connect(fd, address, size) == 0 &&
        send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
        char buffer[4096];
        ssize_t n = 0;
        while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0) {
            answer.append(buffer, static_cast<std::size_t>(n));
        }
    }
    close(fd);
    return answer;
}

std::string ask(int port, const std::string& request) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ask(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
               reinterpret_cast<const sockaddr*>(&address), sizeof address, request);
}

std::string ask(const fs::path& path, const std::string& request) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    return ask(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
               reinterpret_cast<const sockaddr*>(&address), sizeof address, request);
}

std::string get(int port, const std::string& path, const std::string& method = "GET") {
    return ask(port, method + " " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
}

TEST(Agent, ReportsAndReloadsHot) {
    Folder folder;
    const std::string first = install(folder / "configs/plugins", "reviewer", reviewer);
    Process agent(folder, {});
    ASSERT_TRUE(eventually([&] { return loaded(folder) == "reviewer=" + first + " "; }));
    EXPECT_EQ(*read_file(folder / "configs/skills/review/SKILL.md"), "look");
    const std::string second = install(folder / "configs/plugins", "reviewer",
                                       {{"skills/review/SKILL.md", "look closer"}});
    ASSERT_TRUE(eventually([&] { return loaded(folder) == "reviewer=" + second + " "; }));
    EXPECT_EQ(*read_file(folder / "configs/skills/review/SKILL.md"), "look closer");
    const std::string other = install(folder / "configs/plugins", "aaa", {{"plugin.yaml", "n"}});
    ASSERT_TRUE(
        eventually([&] { return loaded(folder) == "aaa=" + other + " reviewer=" + second + " "; }));
    agent.signal(SIGTERM);
    EXPECT_EQ(agent.wait(), 0);
}

TEST(Agent, FindsAPluginsFolderThatComesLater) {
    Folder folder;
    Process agent(folder, {});
    ASSERT_TRUE(eventually([&] { return !status(folder).empty(); }));
    EXPECT_EQ(loaded(folder), "");
    const std::string digest_then = install(folder / "configs/plugins", "reviewer", reviewer);
    EXPECT_TRUE(eventually([&] { return loaded(folder) == "reviewer=" + digest_then + " "; }));
}

TEST(Agent, Scenario56HealthAnswersGetAndHead) {
    Folder folder;
    install(folder / "configs/plugins", "reviewer", reviewer);
    Process agent(folder, {});
    const int port = agent.port();
    ASSERT_GT(port, 0);
    EXPECT_TRUE(get(port, "/health").starts_with("HTTP/1.1 200"));
    const std::string head = get(port, "/health", "HEAD");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200"));
    EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
    EXPECT_NE(get(port, "/plugins").find("\"reviewer\""), std::string::npos);
    EXPECT_TRUE(get(port, "/other").starts_with("HTTP/1.1 404"));
    EXPECT_TRUE(get(port, "/health", "DELETE").starts_with("HTTP/1.1 405"));
}

// Agents that are processes were reached from every network of their machine.
TEST(Agent, Fault14_ListensAtASocketOfItsRunFolder) {
    Folder folder;
    fs::create_directories(folder / "run");
    // As the process runtime mounts it.
    fs::create_directory_symlink(folder / "run", folder / "mounted");
    const fs::path place = folder / "run/agent.sock";
    const std::string request = "GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    for (const char* what : {"new", "over the socket of the last one"}) {
        SCOPED_TRACE(what);
        Process agent(folder, {}, "0", (folder / "mounted/agent.sock").string());
        EXPECT_TRUE(eventually([&] { return ask(place, request).starts_with("HTTP/1.1 200"); }));
        struct stat status {};
        ASSERT_EQ(lstat(place.c_str(), &status), 0);
        EXPECT_TRUE(S_ISSOCK(status.st_mode));
        EXPECT_EQ(status.st_mode & 0777u, 0600u);
        agent.signal(SIGKILL);
        agent.wait();
    }
    // A file of the workspace's own is not removed for it; the agent works without a server.
    fs::remove(place);
    std::ofstream(place) << "precious";
    Process agent(folder, {}, "0", place.string());
    EXPECT_TRUE(eventually([&] { return !status(folder).empty(); }));
    EXPECT_EQ(*read_file(place), "precious");
}

// What the program plants in its folders must not lead the agent's writing elsewhere.
TEST(Agent, Fault12_TheReportReplacesALink) {
    Folder folder;
    fs::create_directories(folder / "run");
    std::ofstream(folder / "outside") << "precious";
    fs::create_symlink(folder / "outside", folder / "run/status.json");
    Process agent(folder, {});
    EXPECT_TRUE(eventually(
        [&] { return fs::is_regular_file(fs::symlink_status(folder / "run/status.json")); }));
    EXPECT_EQ(*read_file(folder / "outside"), "precious");
}

TEST(Agent, SurvivesBadRequests) {
    Folder folder;
    Process agent(folder, {});
    const int port = agent.port();
    ASSERT_GT(port, 0);
    (void)ask(port, "\r\n\r\n\x01\x02");
    (void)ask(port, "GET /health HTTP/9.9\r\n\r\n");
    (void)ask(port, "GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n");
    (void)ask(port, "GET /health HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n");
    (void)ask(port, "POST /health HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_TRUE(get(port, "/health").starts_with("HTTP/1.1 200"));
}

TEST(Agent, TakesOverTheExitCodeOfItsChild) {
    Folder folder;
    EXPECT_EQ(Process(folder, {"--", "sh", "-c", "exit 7"}).wait(), 7);
    EXPECT_EQ(Process(folder, {"sh", "-c", "exit 0"}).wait(), 0);
    EXPECT_EQ(Process(folder, {"--", "sh", "-c", "kill -9 $$"}).wait(), 137);
    EXPECT_EQ(Process(folder, {"--", "/no/such/program"}).wait(), 127);
    EXPECT_EQ(Process(folder, {"--", "/etc/passwd"}).wait(), 126);
    EXPECT_EQ(Process(folder, {"--bogus"}).wait(), 2);
    EXPECT_EQ(Process(folder, {"sh"}, "notaport").wait(), 2);
    EXPECT_NE(status(folder).find("\"child\":\"exited\""), std::string::npos);
}

TEST(Agent, HandsSignalsOnAndKillsAfterTheGrace) {
    Folder folder;
    Process kind(folder, {"--", "sh", "-c",
                          "trap 'exit 5' TERM; : > $ATELIER_RUN/up; "
                          "while :; do sleep 0.01; done"});
    ASSERT_TRUE(eventually([&] { return fs::exists(folder / "run/up"); }));
    kind.signal(SIGTERM);
    EXPECT_EQ(kind.wait(), 5);
    fs::remove(folder / "run/up");
    Process stubborn(folder, {"--", "sh", "-c",
                              "trap '' TERM; : > $ATELIER_RUN/up; "
                              "while :; do sleep 0.01; done"});
    ASSERT_TRUE(eventually([&] { return fs::exists(folder / "run/up"); }));
    stubborn.signal(SIGTERM);
    EXPECT_EQ(stubborn.wait(), 137);
}

TEST(Agent, BuriesOrphans) {
    Folder folder;
    // The shell leaves a grandchild behind, which becomes the agent's and ends.
    Process agent(folder,
                  {"--", "sh", "-c", "(sh -c 'echo $$ > $ATELIER_RUN/pid; exit 0' &) ; sleep 30"});
    ASSERT_TRUE(eventually([&] {
        const auto pid = read_file(folder / "run/pid");
        return pid && !pid->empty() && kill(std::atoi(pid->c_str()), 0) != 0;
    }));
    agent.signal(SIGTERM);
    EXPECT_EQ(agent.wait(), 143);
}

TEST(Agent, LivesWithoutAFolderItCanWrite) {
    Folder folder;
    write(folder / "run", "a file where a folder should be");
    Process agent(folder, {"--", "sh", "-c", "exit 3"});
    EXPECT_EQ(agent.wait(), 3);
}

TEST(Agent, PrintsItsStatus) {
    Folder folder;
    {
        Process agent(folder, {"--", "true"});
        EXPECT_EQ(agent.wait(), 0);
    }
    Process print(folder, {"status"});
    EXPECT_EQ(print.wait(), 0);
    Folder empty;
    Process nothing(empty, {"status"});
    EXPECT_EQ(nothing.wait(), 1);
}

}  // namespace
}  // namespace atelier::agent
