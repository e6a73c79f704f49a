#include "drivers/plugins/plugin_folder.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <set>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "base/folder.h"
#include "drivers/plugins/exec_plugin_folder.h"
#include "drivers/plugins/host_plugin_folder.h"
#include "drivers/plugins/plugin_folders.h"
#include "tests/fakes/fake_plugin_folder.h"
#include "tests/fakes/fake_runtime.h"

namespace atelier::drivers {
namespace {

namespace fs = std::filesystem;

class TemporaryFolder {
  public:
    explicit TemporaryFolder(const fs::path& parent = fs::temp_directory_path()) {
        std::string pattern = (parent / "atelier-plugins-XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    ~TemporaryFolder() { fs::remove_all(path_); }
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

void write(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

Tree version(const std::string& text) {
    return {{"plugin.yaml", {File::Kind::regular, false, "version: " + text + "\n"}},
            {"hooks/run.sh", {File::Kind::regular, true, "#!/bin/sh\necho " + text + "\n"}},
            {"skills/review/SKILL.md", {File::Kind::regular, false, "skill " + text + "\n"}},
            {"skills/review.md", {File::Kind::regular, false, ""}}};
}

std::string digest_of_tree(const Tree& tree) {
    return digest_of(manifest_of(tree));
}

// A runtime whose one unit is a folder of this machine: what is executed runs in a shell here, with
// the folder in the place of /. It lets the scripts of the exec way meet a real shell and disk.
class ShellRuntime final : public Runtime {
  public:
    explicit ShellRuntime(fs::path root) : root_(std::move(root)) {}
    Capabilities capabilities() override { return {"shell", false, false, false, false}; }
    Result<void> ping() override { return {}; }
    Result<std::vector<Unit>> list(const Labels&) override { return std::vector<Unit>(); }
    Result<Image> image(const std::string&) override { return refuse(); }
    Result<void> ensure_network(const std::string&, const Labels&) override { return refuse(); }
    Result<void> remove_network(const std::string&) override { return refuse(); }
    Result<void> join_network(const std::string&, const std::string&, const std::string&) override {
        return refuse();
    }
    Result<void> ensure_volume(const std::string&, const Labels&) override { return refuse(); }
    Result<std::vector<Volume>> volumes(const Labels&) override { return refuse(); }
    Result<void> remove_volume(const std::string&) override { return refuse(); }
    Result<std::string> create(const UnitSpec&) override { return refuse(); }
    Result<void> start(const std::string&) override { return refuse(); }
    Result<void> stop(const std::string&, Duration) override { return refuse(); }
    Result<void> remove(const std::string&) override { return refuse(); }
    Result<std::string> logs(const std::string&, std::size_t) override { return refuse(); }
    Result<void> events(std::stop_token, const Labels&,
                        const std::function<void(const Labels&)>&) override {
        return refuse();
    }

    Result<void> upload(const std::string&, const std::string& folder, const Tree& tree, int,
                        int) override {
        for (const auto& [path, file] : tree) {
            if (lose_path_with_ && path.find(*lose_path_with_) != std::string::npos) continue;
            const fs::path target = folder + "/" + path;
            write(target, file.bytes);
            chmod(target.c_str(), file.executable ? 0755 : 0644);
        }
        return {};
    }

    Result<ExecResult> exec(const std::string&, const std::vector<std::string>& command,
                            Duration) override {
        int out[2];
        EXPECT_EQ(pipe(out), 0);
        const pid_t pid = fork();
        if (pid == 0) {
            dup2(out[1], 1);
            if (!path_.empty()) setenv("PATH", path_.c_str(), 1);
            std::vector<char*> arguments;
            for (const std::string& a : command) arguments.push_back(const_cast<char*>(a.c_str()));
            arguments.push_back(nullptr);
            execvp(arguments[0], arguments.data());
            _exit(127);
        }
        close(out[1]);
        ExecResult result;
        char buffer[4096];
        ssize_t n = 0;
        while ((n = read(out[0], buffer, sizeof buffer)) > 0) {
            result.out.append(buffer, static_cast<std::size_t>(n));
        }
        close(out[0]);
        int status = 0;
        waitpid(pid, &status, 0);
        result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
        return result;
    }

    void lose(std::optional<std::string> path_with) { lose_path_with_ = std::move(path_with); }
    void set_path(std::string path) { path_ = std::move(path); }

  private:
    static Error refuse() { return {Code::unsupported, "not here"}; }
    const fs::path root_;
    std::string path_;
    std::optional<std::string> lose_path_with_;
};

// --- the contract, for every implementation

struct Subject {
    virtual ~Subject() = default;
    virtual PluginFolder& folder() = 0;
};

struct HostSubject : Subject {
    explicit HostSubject(bool exchange)
        : folder_(host_plugin_folder({.plugins = root.path() / "plugins",
                                      .run = root.path() / "run",
                                      .exchange = exchange})) {}
    PluginFolder& folder() override { return *folder_; }
    TemporaryFolder root;
    std::unique_ptr<PluginFolder> folder_;
};

struct ShellSubject : Subject {
    ShellSubject() {
        fs::create_directories(root.path() / "configs");
        folder_ = exec_plugin_folder(runtime, {.unit_id = "unit",
                                               .configs = (root.path() / "configs").string(),
                                               .run = (root.path() / "run").string()});
    }
    PluginFolder& folder() override { return *folder_; }
    TemporaryFolder root;
    ShellRuntime runtime{root.path()};
    std::unique_ptr<PluginFolder> folder_;
};

struct FakeSubject : Subject {
    FakeSubject() : folder_(folders.open(runtime, "uid", "")) {}
    PluginFolder& folder() override { return *folder_; }
    SystemClock clock;
    fakes::FakeRuntime runtime{clock};
    fakes::FakePluginFolders folders;
    std::unique_ptr<PluginFolder> folder_;
};

using Make = std::unique_ptr<Subject> (*)();
struct Named {
    const char* name;
    Make make;
};

class PluginFolderContract : public testing::TestWithParam<Named> {
  protected:
    void SetUp() override { subject_ = GetParam().make(); }
    PluginFolder& folder() { return subject_->folder(); }

    void install(const std::string& name, const std::string& stamp, const Tree& tree) {
        const auto staged = folder().stage(name, stamp, tree);
        ASSERT_TRUE(staged) << staged.error().message << staged.error().detail;
        const auto swapped = folder().swap(name, stamp);
        ASSERT_TRUE(swapped) << swapped.error().message << swapped.error().detail;
    }
    PluginState seen(const std::string& name) {
        auto state = folder().observe(name);
        EXPECT_TRUE(state) << state.error().message << state.error().detail;
        return state ? *state : PluginState();
    }

  private:
    std::unique_ptr<Subject> subject_;
};

TEST_P(PluginFolderContract, AnEmptyFolderHasNothing) {
    const PluginState state = seen("x");
    EXPECT_FALSE(state.live);
    EXPECT_EQ(state.delivered(), "");
    EXPECT_TRUE(state.staged.empty());
    EXPECT_TRUE(folder().names());
    EXPECT_TRUE(folder().names()->empty());
    EXPECT_TRUE(folder().remove("x", "1"));
    EXPECT_TRUE(folder().collect("x"));
    EXPECT_EQ(folder().agent_status().error().code, Code::not_found);
}

TEST_P(PluginFolderContract, AnInstalledTreeIsWholeAndMarked) {
    const Tree tree = version("1");
    ASSERT_TRUE(folder().stage("x", "20260508T141530Z-a", tree));
    EXPECT_FALSE(seen("x").live) << "a staged tree is not live";
    EXPECT_EQ(seen("x").staged, std::vector<std::string>{"20260508T141530Z-a"});
    ASSERT_TRUE(folder().swap("x", "20260508T141530Z-a"));
    const PluginState state = seen("x");
    EXPECT_TRUE(state.live);
    EXPECT_EQ(state.problem, "");
    EXPECT_EQ(state.marker, digest_of_tree(tree));
    EXPECT_EQ(digest_of(state.manifest), digest_of_tree(tree));
    EXPECT_EQ(state.delivered(), digest_of_tree(tree));
    EXPECT_TRUE(state.staged.empty());
    EXPECT_EQ(*folder().names(), std::vector<std::string>{"x"});
}

TEST_P(PluginFolderContract, Scenario22ASecondSwapReplacesAndNeverNests) {
    install("x", "1", version("1"));
    install("x", "2", version("2"));
    install("x", "3", version("3"));
    EXPECT_EQ(seen("x").delivered(), digest_of_tree(version("3")));
    EXPECT_EQ(seen("x").manifest.size(), version("3").size());
    EXPECT_EQ(seen("x").previous.size(), 2u);
    ASSERT_TRUE(folder().collect("x"));
    EXPECT_TRUE(seen("x").previous.empty());
    EXPECT_EQ(seen("x").delivered(), digest_of_tree(version("3")));
}

TEST_P(PluginFolderContract, Scenario24TheMarkerComesOnlyFromUsAndLinksAreRefused) {
    Tree tree = version("1");
    tree[".complete"].bytes = "planted";
    install("x", "1", tree);
    EXPECT_EQ(seen("x").marker, digest_of_tree(version("1")));

    Tree linked = version("2");
    linked["skills/leak"] = {File::Kind::symlink, false, "/etc/passwd"};
    EXPECT_EQ(folder().stage("x", "2", linked).error().code, Code::invalid);
    for (const char* path : {"../up", "/absolute", "a/../b", "a//b", "new\nline", "back\\slash"}) {
        Tree odd = version("2");
        odd[path].bytes = "odd";
        EXPECT_EQ(folder().stage("x", "2", odd).error().code, Code::invalid) << path;
    }
    EXPECT_TRUE(seen("x").staged.empty());
    EXPECT_EQ(seen("x").delivered(), digest_of_tree(version("1")));
}

TEST_P(PluginFolderContract, NamesThatArePathsAreRefused) {
    for (const char* name : {"", ".", "..", ".staging", ".previous", ".complete", "../x", "a/b",
                             "a\\b", "Upper", "-x", "a b", "a\nb"}) {
        EXPECT_EQ(folder().observe(name).error().code, Code::invalid) << name;
        EXPECT_EQ(folder().stage(name, "1", version("1")).error().code, Code::invalid) << name;
        EXPECT_EQ(folder().swap(name, "1").error().code, Code::invalid) << name;
        EXPECT_EQ(folder().restore(name).error().code, Code::invalid) << name;
        EXPECT_EQ(folder().remove(name, "1").error().code, Code::invalid) << name;
        EXPECT_EQ(folder().collect(name).error().code, Code::invalid) << name;
    }
    EXPECT_EQ(folder().stage("x", "a.b", version("1")).error().code, Code::invalid);
    EXPECT_EQ(folder().stage("x", "../1", version("1")).error().code, Code::invalid);
    EXPECT_EQ(folder().stage(std::string(129, 'x'), "1", version("1")).error().code, Code::invalid);
}

TEST_P(PluginFolderContract, ASwapWithoutAStagedTreeLeavesTheOldOne) {
    install("x", "1", version("1"));
    EXPECT_FALSE(folder().swap("x", "2"));
    EXPECT_EQ(seen("x").delivered(), digest_of_tree(version("1")));
}

TEST_P(PluginFolderContract, StagingAgainUnderOneStampStartsAfresh) {
    ASSERT_TRUE(folder().stage("x", "1", version("1")));
    Tree smaller = version("2");
    smaller.erase("hooks/run.sh");
    install("x", "1", smaller);
    EXPECT_EQ(seen("x").delivered(), digest_of_tree(smaller));
}

TEST_P(PluginFolderContract, OneNameIsNotAnothersBeginning) {
    install("x", "1", version("1"));
    install("x.y", "1", version("2"));
    install("x.y", "2", version("3"));
    EXPECT_TRUE(seen("x").previous.empty());
    ASSERT_TRUE(folder().collect("x"));
    EXPECT_EQ(seen("x.y").previous.size(), 1u);
    ASSERT_TRUE(folder().remove("x", "9"));
    EXPECT_FALSE(seen("x").live);
    EXPECT_EQ(seen("x.y").delivered(), digest_of_tree(version("3")));
}

TEST_P(PluginFolderContract, RemovedIsGoneAndCannotBeRestored) {
    install("x", "1", version("1"));
    ASSERT_TRUE(folder().remove("x", "2"));
    EXPECT_FALSE(seen("x").live);
    EXPECT_EQ(folder().restore("x").error().code, Code::not_found);
    EXPECT_TRUE(folder().remove("x", "3"));
}

TEST_P(PluginFolderContract, RestoreDoesNothingWhileATreeIsLive) {
    install("x", "1", version("1"));
    install("x", "2", version("2"));
    ASSERT_TRUE(folder().restore("x"));
    EXPECT_EQ(seen("x").delivered(), digest_of_tree(version("2")));
    EXPECT_EQ(seen("x").previous.size(), 1u);
}

TEST_P(PluginFolderContract, AnEmptyTreeCanBeDelivered) {
    install("x", "1", Tree());
    EXPECT_EQ(seen("x").delivered(), digest_of_tree(Tree()));
}

INSTANTIATE_TEST_SUITE_P(
    All, PluginFolderContract,
    testing::Values(
        Named{"Host",
              []() -> std::unique_ptr<Subject> { return std::make_unique<HostSubject>(true); }},
        Named{"HostWithoutExchange",
              []() -> std::unique_ptr<Subject> { return std::make_unique<HostSubject>(false); }},
        Named{"ExecInAShell",
              []() -> std::unique_ptr<Subject> { return std::make_unique<ShellSubject>(); }},
        Named{"Fake",
              []() -> std::unique_ptr<Subject> { return std::make_unique<FakeSubject>(); }}),
    [](const auto& named) { return named.param.name; });

// --- what only a disk can show

struct Disk {
    // In memory where that can be had: these tests are about renames, not about syncing.
    TemporaryFolder root{fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()};
    std::function<void(std::string_view)> before_step;
    bool exchange = true;

    fs::path plugins() const { return root.path() / "plugins"; }
    std::unique_ptr<PluginFolder> open() const {
        return host_plugin_folder({.plugins = plugins(),
                                   .run = root.path() / "run",
                                   .before_step = before_step,
                                   .exchange = exchange});
    }
};

// A pipe held the worker that read it for ever; a link showed it another file.
TEST(HostPluginFolder, Fault12_TheAgentsReportIsAFileOrNothing) {
    Disk disk;
    const fs::path run = disk.root.path() / "run";
    const fs::path report = run / "status.json";
    fs::create_directories(run);
    const auto folder = disk.open();
    EXPECT_EQ(folder->agent_status().error().code, Code::not_found);
    ASSERT_EQ(mkfifo(report.c_str(), 0666), 0);
    EXPECT_EQ(folder->agent_status().error().code, Code::invalid);
    fs::remove(report);
    write(disk.root.path() / "secret", "a token");
    fs::create_symlink(disk.root.path() / "secret", report);
    EXPECT_EQ(folder->agent_status().error().code, Code::invalid);
    fs::remove(report);
    write(report, "{}");
    fs::resize_file(report, std::size_t{64} << 20);
    EXPECT_EQ(folder->agent_status().error().code, Code::too_large);
    fs::remove(report);
    write(report, "{}");
    EXPECT_EQ(*folder->agent_status(), "{}");
    fs::remove_all(run);
    fs::create_directory_symlink(disk.root.path(), run);
    EXPECT_FALSE(folder->agent_status());
}

TEST(HostPluginFolder, GivesTheOwnerBeforeTheSwap) {
    if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
    Disk disk;
    ASSERT_TRUE(disk.open()->stage("x", "1", version("1")));
    for (const auto& entry : fs::recursive_directory_iterator(disk.plugins() / ".staging/x.1")) {
        struct stat status {};
        ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
        EXPECT_EQ(status.st_uid, 1000u) << entry.path();
        EXPECT_EQ(status.st_gid, 1000u) << entry.path();
    }
}

TEST(HostPluginFolder, Scenario24PlantedLinksAreNotFollowed) {
    Disk disk;
    const auto folder = disk.open();
    const fs::path outside = disk.root.path() / "outside";
    write(outside / "precious", "keep me");

    fs::create_directories(disk.plugins());
    fs::create_directory_symlink(outside, disk.plugins() / "x");
    EXPECT_TRUE(folder->observe("x")->live);
    EXPECT_NE(folder->observe("x")->problem, "");
    EXPECT_EQ(folder->observe("x")->delivered(), "");
    // The install replaces the link itself.
    ASSERT_TRUE(folder->stage("x", "1", version("1")));
    ASSERT_TRUE(folder->swap("x", "1"));
    EXPECT_EQ(folder->observe("x")->delivered(), digest_of_tree(version("1")));
    ASSERT_TRUE(folder->collect("x"));

    fs::create_directory_symlink(outside, disk.plugins() / "x/skills/planted");
    EXPECT_NE(folder->observe("x")->problem, "");
    ASSERT_TRUE(folder->remove("x", "2"));
    EXPECT_TRUE(fs::exists(outside / "precious"));

    fs::remove_all(disk.plugins() / ".staging");
    fs::create_directory_symlink(outside, disk.plugins() / ".staging");
    EXPECT_FALSE(folder->stage("x", "3", version("1")));
    EXPECT_EQ(std::distance(fs::directory_iterator(outside), {}), 1);
}

TEST(HostPluginFolder, ATamperedOrPipedTreeIsNotDelivered) {
    Disk disk;
    const auto folder = disk.open();
    ASSERT_TRUE(folder->stage("x", "1", version("1")));
    ASSERT_TRUE(folder->swap("x", "1"));
    write(disk.plugins() / "x/plugin.yaml", "version: evil\n");
    EXPECT_TRUE(folder->observe("x")->live);
    EXPECT_EQ(folder->observe("x")->delivered(), "");
    ASSERT_EQ(mkfifo((disk.plugins() / "x/pipe").c_str(), 0644), 0);
    EXPECT_NE(folder->observe("x")->problem, "");
}

TEST(HostPluginFolder, Scenario20AFailedStageLeavesTheLiveTree) {
    if (geteuid() == 0) {
        Disk disk;
        const auto folder = disk.open();
        ASSERT_TRUE(folder->stage("x", "1", version("1")));
        ASSERT_TRUE(folder->swap("x", "1"));
        Tree clash = version("2");
        clash["plugin.yaml/inside"].bytes = "a file cannot be a folder too";
        EXPECT_FALSE(folder->stage("x", "2", clash));
        EXPECT_EQ(folder->observe("x")->delivered(), digest_of_tree(version("1")));
        ASSERT_TRUE(folder->collect("x"));
        EXPECT_TRUE(folder->observe("x")->staged.empty());
    }
}

// Runs `work` in a process that dies at the nth step of it; false when it has fewer.
bool crash_at(Disk& disk, int nth, const std::function<void(PluginFolder&)>& work) {
    const pid_t pid = fork();
    if (pid == 0) {
        int step = 0;
        disk.before_step = [&](std::string_view) {
            if (++step == nth) _exit(42);
        };
        work(*disk.open());
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status) == 42;
}

// What a reconcile does with leftovers before anything else.
void recover(PluginFolder& folder) {
    const auto state = folder.observe("x");
    ASSERT_TRUE(state);
    if (!state->live && !state->previous.empty()) {
        const auto restored = folder.restore("x");
        ASSERT_TRUE(restored || restored.error().code == Code::not_found);
    }
    ASSERT_TRUE(folder.collect("x"));
}

TEST(HostPluginFolder, Scenario23ACrashAtAnyStepLeavesTheOldOrTheNewTree) {
    for (const bool exchange : {true, false}) {
        bool crashed = true;
        for (int nth = 1; crashed; ++nth) {
            SCOPED_TRACE("step " + std::to_string(nth) + (exchange ? "" : " without exchange"));
            Disk disk;
            disk.exchange = exchange;
            ASSERT_TRUE(disk.open()->stage("x", "1", version("1")));
            ASSERT_TRUE(disk.open()->swap("x", "1"));
            crashed = crash_at(disk, nth, [](PluginFolder& folder) {
                if (folder.stage("x", "2", version("2")) && folder.swap("x", "2")) {
                    (void)folder.collect("x").operator bool();
                }
            });
            recover(*disk.open());
            const PluginState state = *disk.open()->observe("x");
            const std::string expected = digest_of_tree(version(crashed ? "1" : "2"));
            const std::string other = digest_of_tree(version("2"));
            EXPECT_TRUE(state.delivered() == expected || state.delivered() == other);
            EXPECT_TRUE(state.staged.empty());
            EXPECT_TRUE(state.previous.empty());
            EXPECT_LT(nth, 20);
        }
    }
}

TEST(HostPluginFolder, Scenario23ACrashOfTheFirstInstallOrOfARemovalLeavesNoHalf) {
    bool crashed = true;
    for (int nth = 1; crashed; ++nth) {
        SCOPED_TRACE(nth);
        Disk disk;
        crashed = crash_at(disk, nth, [](PluginFolder& folder) {
            if (folder.stage("x", "1", version("1")) && folder.swap("x", "1")) {
                (void)folder.remove("x", "2").operator bool();
            }
        });
        recover(*disk.open());
        const PluginState state = *disk.open()->observe("x");
        EXPECT_TRUE(!state.live || state.delivered() == digest_of_tree(version("1")));
        EXPECT_TRUE(state.staged.empty());
        EXPECT_LT(nth, 20);
    }
}

TEST(HostPluginFolder, AReaderDuringAThousandSwapsSeesNoMixedTree) {
    Disk disk;
    const auto folder = disk.open();
    const std::set<std::string> known = {digest_of_tree(version("even")),
                                         digest_of_tree(version("odd"))};
    ASSERT_TRUE(folder->stage("x", "0", version("even")));
    ASSERT_TRUE(folder->swap("x", "0"));
    std::atomic<bool> done = false;
    std::atomic<int> whole = 0;
    std::string mixed;
    std::jthread reader([&] {
        while (!done) {
            // Reads as the agent does: through one open folder. What is collected meanwhile is
            // an error and read again, never a mixture.
            const auto parent = open_folder(disk.plugins().string());
            if (!parent) continue;
            const auto live = open_folder_at(*parent, "x");
            if (!live) {
                mixed = "no live tree: " + live.error().message;
                break;
            }
            std::map<std::string, ManifestEntry> entries;
            const auto visit = [&](const std::string& path, FolderFile&& file) -> Result<void> {
                if (path == plugin_marker) return {};
                entries[path] = {path, sha256_hex(file.bytes), 0, file.executable};
                return {};
            };
            if (!walk_files(*live, {}, visit) || entries.size() < version("odd").size()) continue;
            Manifest manifest;
            for (const auto& [path, entry] : entries) manifest.push_back(entry);
            if (!known.contains(digest_of(manifest))) {
                mixed = digest_of(manifest);
                break;
            }
            ++whole;
        }
    });
    for (int i = 1; i <= 1000 && mixed.empty(); ++i) {
        const std::string stamp = std::to_string(i);
        ASSERT_TRUE(folder->stage("x", stamp, version(i % 2 == 0 ? "even" : "odd")));
        ASSERT_TRUE(folder->swap("x", stamp));
        ASSERT_TRUE(folder->collect("x"));
    }
    done = true;
    reader.join();
    EXPECT_EQ(mixed, "");
    EXPECT_GT(whole, 0);
}

// --- what only the exec way can show

TEST(ExecPluginFolder, NothingIsDoneWhileNothingRuns) {
    SystemClock clock;
    fakes::FakeRuntime runtime(clock);
    const auto folder = exec_plugin_folder(runtime, {});
    EXPECT_EQ(folder->observe("x").error().code, Code::unavailable);
    EXPECT_EQ(folder->stage("x", "1", version("1")).error().code, Code::unavailable);
    EXPECT_EQ(folder->swap("x", "1").error().code, Code::unavailable);
    EXPECT_EQ(folder->agent_status().error().code, Code::unavailable);
    EXPECT_EQ(runtime.calls().size(), 0u);
}

TEST(ExecPluginFolder, Scenario21ACutUploadIsSeenByTheExitCode) {
    ShellSubject subject;
    ASSERT_TRUE(subject.folder().stage("x", "1", version("1")));
    ASSERT_TRUE(subject.folder().swap("x", "1"));
    for (const char* lost : {"SKILL.md", "hooks", ".sums"}) {
        subject.runtime.lose(lost);
        EXPECT_FALSE(subject.folder().stage("x", "2", version("2"))) << lost;
        EXPECT_FALSE(subject.folder().swap("x", "2")) << lost << ": it was never complete";
        EXPECT_EQ(subject.folder().observe("x")->delivered(), digest_of_tree(version("1")));
        ASSERT_TRUE(subject.folder().collect("x"));
        EXPECT_TRUE(subject.folder().observe("x")->staged.empty());
    }
}

TEST(ExecPluginFolder, AUnitWithoutTheToolsIsAnError) {
    ShellSubject subject;
    subject.runtime.set_path("/nowhere");
    const auto staged = subject.folder().stage("x", "1", version("1"));
    ASSERT_FALSE(staged);
    EXPECT_FALSE(subject.folder().observe("x")->live);
}

TEST(ExecPluginFolder, TamperingInsideIsSeen) {
    ShellSubject subject;
    ASSERT_TRUE(subject.folder().stage("x", "1", version("1")));
    ASSERT_TRUE(subject.folder().swap("x", "1"));
    const fs::path live = subject.root.path() / "configs/plugins/x";
    write(live / "added", "by the agent");
    EXPECT_EQ(subject.folder().observe("x")->delivered(), "");
    fs::create_symlink("/etc/passwd", live / "link");
    EXPECT_NE(subject.folder().observe("x")->problem, "");
    ASSERT_TRUE(subject.folder().stage("x", "2", version("2")));
    ASSERT_TRUE(subject.folder().swap("x", "2"));
    EXPECT_EQ(subject.folder().observe("x")->delivered(), digest_of_tree(version("2")));
}

}  // namespace
}  // namespace atelier::drivers
