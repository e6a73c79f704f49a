#include "drivers/process/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/drivers/runtime_contract.h"

namespace atelier::drivers {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

class ProcessRuntimeTest : public testing::Test {
  protected:
    void SetUp() override { open(); }

    void TearDown() override {
        if (!runtime_) return;
        const auto units = runtime_->list({});
        ASSERT_TRUE(units);
        for (const Unit& unit : *units) EXPECT_TRUE(runtime_->remove(unit.id));
    }

    void open() {
        runtime_.reset();
        ProcessOptions options;
        options.root = root_;
        options.log_bytes = 1 << 20;
        options.env = {{"EVERYWHERE", "yes"}};
        auto opened = make_process_runtime(options, clock_, random_);
        ASSERT_TRUE(opened) << opened.error().message << opened.error().detail;
        runtime_ = std::move(*opened);
    }

    UnitSpec unit(const std::string& name, const std::string& script) {
        UnitSpec spec;
        spec.name = name;
        spec.command = {"sh", "-c", script};
        return spec;
    }

    std::string started(const UnitSpec& spec) {
        const auto id = runtime_->create(spec);
        EXPECT_TRUE(id) << id.error().message;
        const auto done = runtime_->start(*id);
        EXPECT_TRUE(done) << done.error().message << done.error().detail;
        return *id;
    }

    Unit find(const std::string& id) {
        const auto units = runtime_->list({});
        for (const Unit& unit : *units) {
            if (unit.id == id) return unit;
        }
        ADD_FAILURE() << "unit " << id << " is not there";
        return {};
    }

    bool ends(const std::string& id) {
        return eventually([&] { return find(id).state == Unit::State::exited; });
    }

    std::string log(const std::string& id) { return *runtime_->logs(id, 1'000'000); }

    int pid_of(const std::string& name) {
        const auto text = read_file(root_ / "units" / name / "unit.json");
        return static_cast<int>(json::find(*json::parse(*text), {"pid"})->GetInt64());
    }

    SystemClock clock_;
    SystemRandom random_;
    Folder folder_{random_};
    fs::path root_ = folder_.path() / "runtime";
    std::unique_ptr<Runtime> runtime_;
};

TEST_F(ProcessRuntimeTest, AUnitSeesItsFolderAndNothingOfTheServersEnvironment) {
    ASSERT_EQ(setenv("ATELIER_TEST_SECRET", "hunter2", 1), 0);
    UnitSpec spec = unit("a", "env; pwd");
    spec.env = {{"MINE", "1"}, {"CONFIG", "/configs/config.yaml"}, {"OTHER", "/configsx"}};
    ASSERT_TRUE(runtime_->ensure_volume("v", {}));
    spec.mounts = {{Mount::Kind::volume, "v", "/configs", false}};
    const std::string id = started(spec);
    ASSERT_TRUE(ends(id));
    const std::string root = root_ / "units/a/root";
    const auto lines = split(log(id), '\n');
    const auto has = [&](const std::string& line) {
        return std::find(lines.begin(), lines.end(), line) != lines.end();
    };
    EXPECT_TRUE(has("MINE=1"));
    EXPECT_TRUE(has("EVERYWHERE=yes"));
    EXPECT_TRUE(has("CONFIG=" + root + "/configs/config.yaml"));
    EXPECT_TRUE(has("OTHER=/configsx"));
    EXPECT_TRUE(has("ATELIER_CONFIGS=" + root + "/configs"));
    EXPECT_TRUE(has("ATELIER_ROOT=" + root));
    EXPECT_TRUE(has(root));
    EXPECT_EQ(log(id).find("hunter2"), std::string::npos);
    EXPECT_EQ(log(id).find("ATELIER_RUN="), std::string::npos) << "there is no such mount";
}

TEST_F(ProcessRuntimeTest, AUnitHasNoDescriptorOfTheServer) {
    const std::string id = started(unit("a", "ls /proc/self/fd | wc -l"));
    ASSERT_TRUE(ends(id));
    // 0, 1, 2, and the folder that ls reads.
    EXPECT_EQ(trim(log(id)), "4");
}

TEST_F(ProcessRuntimeTest, ANestedMountIsInsideTheOuterOneAlsoASecondTime) {
    const fs::path plugins = folder_.path() / "plugins";
    ASSERT_TRUE(make_directories(plugins / "p"));
    ASSERT_TRUE(write_file_atomically(plugins / "p/file", "plugin"));
    ASSERT_TRUE(runtime_->ensure_volume("v", {}));
    UnitSpec spec = unit("a", "cat configs/plugins/p/file /dev/null; touch configs/mark");
    spec.mounts = {{Mount::Kind::host, plugins, "/configs/plugins", true},
                   {Mount::Kind::volume, "v", "/configs", false},
                   {Mount::Kind::tmpfs, "", "/scratch", false}};
    const std::string id = started(spec);
    ASSERT_TRUE(ends(id));
    ASSERT_TRUE(runtime_->start(id));
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(log(id), "pluginplugin");
    EXPECT_TRUE(fs::exists(root_ / "volumes/v/data/mark"));
}

TEST_F(ProcessRuntimeTest, APlaceOfAMountThatIsTakenIsSaid) {
    ASSERT_TRUE(runtime_->ensure_volume("v", {}));
    UnitSpec spec = unit("a", "true");
    spec.mounts = {{Mount::Kind::volume, "v", "/configs", false}};
    const auto id = runtime_->create(spec);
    ASSERT_TRUE(id);
    ASSERT_TRUE(write_file_atomically(root_ / "units/a/root/configs", "a file"));
    const auto start = runtime_->start(*id);
    ASSERT_FALSE(start);
    EXPECT_EQ(start.error().code, Code::conflict);
}

TEST_F(ProcessRuntimeTest, AnUploadNeverLeavesTheFolderThroughALink) {
    const fs::path outside = folder_.path() / "outside";
    ASSERT_TRUE(make_directories(outside));
    ASSERT_TRUE(runtime_->ensure_volume("v", {}));
    UnitSpec spec = unit("a", "sleep 1000");
    spec.mounts = {{Mount::Kind::volume, "v", "/configs", false}};
    const std::string id = started(spec);
    const fs::path data = root_ / "volumes/v/data";
    fs::create_directory_symlink(outside, data / "way-out");
    fs::create_symlink(outside / "target", data / "file");
    const Tree through{{"way-out/x", {File::Kind::regular, false, "x"}}};
    EXPECT_EQ(runtime_->upload(id, "/configs", through, 0, 0).error().code, Code::conflict);
    EXPECT_EQ(runtime_->upload(id, "/configs/way-out", {{"x", {}}}, 0, 0).error().code,
              Code::conflict);
    // A link in the place of a file is replaced, not followed.
    ASSERT_TRUE(
        runtime_->upload(id, "/configs", {{"file", {File::Kind::regular, true, "x"}}}, 0, 0));
    EXPECT_TRUE(fs::is_empty(outside));
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(data / "file")));
}

TEST_F(ProcessRuntimeTest, StopAsksFirst) {
    const std::string id = started(
        unit("a", "trap 'echo asked; exit 7' TERM; echo ready; while :; do sleep 0.1; done"));
    ASSERT_TRUE(eventually([&] { return log(id) == "ready\n"; }));
    ASSERT_TRUE(runtime_->stop(id, seconds(300)));
    EXPECT_THAT(log(id), testing::HasSubstr("asked"));
    EXPECT_EQ(find(id).exit_code, 7);
}

TEST_F(ProcessRuntimeTest, StopThenKillsAllThatIsLeft) {
    const std::string id =
        started(unit("a", "trap '' TERM; sleep 1000 & echo $!; echo ready; wait; sleep 1000"));
    ASSERT_TRUE(eventually([&] { return log(id).find("ready") != std::string::npos; }));
    const int inner = std::stoi(log(id));
    ASSERT_TRUE(runtime_->stop(id, std::chrono::milliseconds(50)));
    EXPECT_EQ(find(id).exit_code, 137);
    EXPECT_TRUE(eventually([&] {
        const auto stat = read_file("/proc/" + std::to_string(inner) + "/stat");
        return !stat || stat->find(") Z ") != std::string::npos;
    }));
}

TEST_F(ProcessRuntimeTest, WhatAUnitLeavesBehindIsKilledWithIt) {
    const std::string id = started(unit("a", "setsid sleep 1000 & echo $!"));
    ASSERT_TRUE(ends(id));
    EXPECT_EQ(find(id).exit_code, 0);
    const int inner = std::stoi(log(id));
    EXPECT_TRUE(eventually([&] {
        const auto stat = read_file("/proc/" + std::to_string(inner) + "/stat");
        return !stat || stat->find(") Z ") != std::string::npos;
    }));
}

TEST_F(ProcessRuntimeTest, AUnitOutlivesTheServer) {
    UnitSpec spec =
        unit("a", "echo one; trap 'echo two; exit 3' TERM; while :; do sleep 0.1; done");
    spec.labels = {{"k", "v"}};
    const std::string id = started(spec);
    ASSERT_TRUE(eventually([&] { return log(id) == "one\n"; }));
    const int pid = pid_of("a");
    open();
    const Unit again = find(id);
    EXPECT_EQ(again.state, Unit::State::running);
    EXPECT_EQ(again.labels, spec.labels);
    EXPECT_EQ(pid_of("a"), pid);
    ASSERT_TRUE(runtime_->start(id));
    EXPECT_EQ(pid_of("a"), pid) << "it was started a second time";
    const auto inside = runtime_->exec(id, {"cat", "/proc/self/stat"}, seconds(300));
    EXPECT_TRUE(inside);
    ASSERT_TRUE(runtime_->stop(id, seconds(300)));
    EXPECT_THAT(log(id), testing::StartsWith("one\n"));
    EXPECT_THAT(log(id), testing::HasSubstr("two"));
}

TEST_F(ProcessRuntimeTest, AUnitThatEndedMeanwhileIsKnownToHaveEnded) {
    const std::string id = started(unit("a", "sleep 1000"));
    const int pid = pid_of("a");
    runtime_.reset();
    ASSERT_EQ(kill(-pid, SIGKILL), 0);
    ASSERT_TRUE(eventually([&] {
        const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
        return !stat || stat->find(") Z ") != std::string::npos;
    }));
    open();
    ASSERT_TRUE(ends(id));
}

TEST_F(ProcessRuntimeTest, AnotherProcessOfTheSameNumberIsNotTakenForTheUnit) {
    const std::string id = started(unit("a", "sleep 1000"));
    const int pid = pid_of("a");
    runtime_.reset();
    const fs::path file = root_ / "units/a/unit.json";
    json::Document record = *json::parse(*read_file(file));
    const std::int64_t ticks = json::find(record, {"startTicks"})->GetInt64();
    json::set(record, "startTicks", json::Value(ticks + 1), record.GetAllocator());
    // Nor is it one that has this unit's mark, which here it would have.
    json::set(record, "id", std::string(32, 'f'), record.GetAllocator());
    ASSERT_TRUE(write_file_atomically(file, json::text(record)));
    open();
    const Unit unit = find(std::string(32, 'f'));
    EXPECT_EQ(unit.state, Unit::State::exited);
    EXPECT_EQ(unit.exit_code, 255);
    ASSERT_TRUE(runtime_->remove(unit.id));
    EXPECT_EQ(kill(pid, 0), 0) << "a process that is not ours was killed";
    kill(-pid, SIGKILL);
}

TEST_F(ProcessRuntimeTest, AStartWhoseNumberWasNotNotedIsFoundAgain) {
    const std::string id = started(unit("a", "sleep 1000"));
    const int pid = pid_of("a");
    runtime_.reset();
    const fs::path file = root_ / "units/a/unit.json";
    json::Document record = *json::parse(*read_file(file));
    json::set(record, "phase", "starting", record.GetAllocator());
    json::set(record, "pid", json::Value(0), record.GetAllocator());
    ASSERT_TRUE(write_file_atomically(file, json::text(record)));
    open();
    EXPECT_EQ(find(id).state, Unit::State::running);
    EXPECT_EQ(pid_of("a"), pid);
}

// As after the end of a server: the process is nobody's child here.
TEST_F(ProcessRuntimeTest, AnAdoptedUnitIsWatchedAndStopped) {
    const std::string id = started(unit("a", "sleep 1000"));
    const auto orphan = runtime_->exec(
        id, {"sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo $!"}, seconds(300));
    ASSERT_TRUE(orphan);
    const int pid = std::stoi(orphan->out);
    ASSERT_TRUE(eventually([&] { return getsid(pid) == pid; }));
    const int first = pid_of("a");
    runtime_.reset();

    const std::string stat = *read_file("/proc/" + std::to_string(pid) + "/stat");
    const auto fields = split(stat.substr(stat.rfind(')') + 2), ' ');
    const fs::path file = root_ / "units/a/unit.json";
    json::Document record = *json::parse(*read_file(file));
    json::set(record, "pid", json::Value(pid), record.GetAllocator());
    json::set(record, "startTicks", json::Value(std::int64_t{std::stoll(fields[19])}),
              record.GetAllocator());
    ASSERT_TRUE(write_file_atomically(file, json::text(record)));
    ASSERT_EQ(kill(-first, SIGKILL), 0);
    open();
    EXPECT_EQ(find(id).state, Unit::State::running);
    ASSERT_TRUE(runtime_->stop(id, seconds(300)));
    EXPECT_EQ(find(id).state, Unit::State::exited);
    EXPECT_EQ(find(id).exit_code, 255);
}

bool has_ended_or_waits_to_be_reaped(int pid) {
    const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
    return !stat || stat->find(") Z ") != std::string::npos;
}

// A program of another session, group and environment went on after the stop of its unit.
TEST_F(ProcessRuntimeTest, Fault14_NothingEscapesAStop) {
    for (const auto grace : {seconds(0), seconds(300)}) {
        const std::string id = started(
            unit("a",
                 "setsid env -i /bin/sleep 1000 & sh -c 'setsid env -i /bin/sleep 1000 & "
                 "echo $! >> pids'; echo $! >> pids; echo ready; while :; do sleep 0.1; done"));
        ASSERT_TRUE(eventually([&] { return log(id).find("ready") != std::string::npos; }));
        const auto pids = split(std::string(trim(*read_file(root_ / "units/a/root/pids"))), '\n');
        ASSERT_EQ(pids.size(), 2U);
        ASSERT_TRUE(runtime_->stop(id, grace));
        for (const std::string& pid : pids) {
            EXPECT_TRUE(eventually([&] { return has_ended_or_waits_to_be_reaped(std::stoi(pid)); }))
                << pid;
        }
        ASSERT_TRUE(runtime_->remove(id));
    }
}

TEST_F(ProcessRuntimeTest, Fault14_ValuesOfTheEnvironmentAreOnNoDisk) {
    UnitSpec spec = unit("a", "while :; do sleep 0.1; done");
    spec.env = {{"TOKEN", "hunter2-in-clear"}};
    const std::string id = started(spec);
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
        if (!entry.is_regular_file()) continue;
        const auto bytes = read_file(entry.path());
        ASSERT_TRUE(bytes) << entry.path();
        EXPECT_EQ(bytes->find("hunter2-in-clear"), std::string::npos) << entry.path();
    }
    // The next server gives it to commands all the same, and says what it cannot do.
    open();
    const auto said = runtime_->exec(id, {"sh", "-c", "echo $TOKEN"}, seconds(300));
    ASSERT_TRUE(said) << said.error().message;
    EXPECT_EQ(said->out, "hunter2-in-clear\n");
    ASSERT_TRUE(runtime_->stop(id, Duration::zero()));
    open();
    const auto again = runtime_->start(id);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::conflict);
    // What an earlier server wrote is taken out of the record.
    runtime_.reset();
    const fs::path file = root_ / "units/a/unit.json";
    json::Document record = *json::parse(*read_file(file));
    json::set(json::object_at(record, "env", record.GetAllocator()), "TOKEN", "hunter2-in-clear",
              record.GetAllocator());
    ASSERT_TRUE(write_file_atomically(file, json::text(record)));
    open();
    EXPECT_EQ(read_file(file)->find("hunter2"), std::string::npos);
    EXPECT_EQ(find(id).state, Unit::State::exited);
}

TEST_F(ProcessRuntimeTest, Fault14_AUnitThatNeverRanIsForgottenByTheNextServer) {
    UnitSpec spec = unit("a", "true");
    ASSERT_TRUE(runtime_->create(spec));
    open();
    EXPECT_TRUE(runtime_->list({})->empty());
    EXPECT_TRUE(runtime_->create(spec));
}

TEST_F(ProcessRuntimeTest, Fault14_AnAgentIsReachedBySocketOrFromThisMachineOnly) {
    runtime_.reset();
    auto opened = make_process_runtime({.root = root_}, clock_, random_);
    ASSERT_TRUE(opened);
    runtime_ = std::move(*opened);
    const std::string alone = started(unit("a", "echo $ATELIER_AGENT_ADDRESS"));
    ASSERT_TRUE(ends(alone));
    EXPECT_EQ(log(alone), "127.0.0.1\n");
    const fs::path run = folder_.path() / "run";
    ASSERT_TRUE(make_directories(run));
    UnitSpec spec = unit("b", "echo $ATELIER_AGENT_ADDRESS");
    spec.mounts = {{Mount::Kind::host, run, "/run/atelier", false}};
    const std::string mounted = started(spec);
    ASSERT_TRUE(ends(mounted));
    EXPECT_EQ(log(mounted), (root_ / "units/b/root/run/atelier/agent.sock").string() + "\n");
}

// One empty or cut record kept the whole server from starting, and no file was named.
TEST_F(ProcessRuntimeTest, Fault16_ADamagedRecordIsThatUnitsMatterAlone) {
    const std::string id = started(unit("a", "sleep 1000"));
    const std::string other = started(unit("b", "sleep 1000"));
    const int pid = pid_of("a");
    const fs::path file = root_ / "units/a/unit.json";
    const std::string good = *read_file(file);
    const std::string bad[] = {"", good.substr(0, 100), "[]", "{}"};
    for (const std::string& text : bad) {
        SCOPED_TRACE(text);
        runtime_.reset();
        ASSERT_TRUE(write_file_atomically(file, text));
        open();
        ASSERT_EQ(runtime_->list({})->size(), 1U);
        EXPECT_EQ(find(other).state, Unit::State::running);
        const auto made = runtime_->create(unit("a", "true"));
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, Code::conflict);
        EXPECT_THAT(made.error().message, testing::HasSubstr("units/a/unit.json is damaged"));
        EXPECT_EQ(kill(pid, 0), 0) << "a unit was ended for want of information";
    }
    runtime_.reset();
    ASSERT_TRUE(write_file_atomically(file, good));
    open();
    EXPECT_EQ(find(id).state, Unit::State::running);
}

// A unit can put anything in the place of its log: a pipe held the reader for ever.
TEST_F(ProcessRuntimeTest, Fault12_APipeInThePlaceOfAFileHoldsNobody) {
    const std::string id = started(unit("a", "sleep 1000"));
    const fs::path log = root_ / "units/a/log";
    fs::remove(log);
    ASSERT_EQ(mkfifo(log.c_str(), 0666), 0);
    EXPECT_EQ(runtime_->logs(id, 10).error().code, Code::invalid);
    runtime_.reset();
    const fs::path record = root_ / "units/a/unit.json";
    const std::string good = *read_file(record);
    fs::remove(record);
    ASSERT_EQ(mkfifo(record.c_str(), 0666), 0);
    open();
    EXPECT_TRUE(runtime_->list({})->empty());
    runtime_.reset();
    fs::remove(record);
    ASSERT_TRUE(write_file_atomically(record, good));
    open();
    EXPECT_EQ(find(id).state, Unit::State::running);
}

TEST_F(ProcessRuntimeTest, Fault10_TheNewestPartOfALogIsKept) {
    const std::string id = started(
        unit("a",
             "echo oldest; i=0; while [ $i -lt 40 ]; do head -c 65536 /dev/zero | tr '\\0' x; "
             "echo; i=$((i+1)); done; echo newest"));
    ASSERT_TRUE(ends(id));
    const std::string kept = log(id);
    EXPECT_EQ(kept.find("oldest"), std::string::npos);
    EXPECT_TRUE(kept.ends_with("newest\n"));
}

TEST_F(ProcessRuntimeTest, TwoServersDoNotShareAFolder) {
    ProcessOptions options;
    options.root = root_;
    const auto second = make_process_runtime(options, clock_, random_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::unavailable);
}

TEST_F(ProcessRuntimeTest, TheLogIsBounded) {
    const std::string id =
        started(unit("a",
                     "i=0; while [ $i -lt 200 ]; do head -c 65536 /dev/zero | tr '\\0' x; "
                     "echo; i=$((i+1)); done; echo end; sleep 1000"));
    const fs::path file = root_ / "units/a/log";
    ASSERT_TRUE(eventually([&] { return runtime_->logs(id, 1)->starts_with("end"); }));
    struct stat there {};
    EXPECT_TRUE(eventually([&] {
        return stat(file.c_str(), &there) == 0 && there.st_blocks * 512 < (2 << 20);
    })) << there.st_blocks * 512;
    EXPECT_LE(log(id).size(), std::size_t{1} << 20);
}

TEST_F(ProcessRuntimeTest, WhatCannotBeStartedIsSaid) {
    UnitSpec spec = unit("a", "");
    spec.command = {"no-such-program"};
    const auto id = runtime_->create(spec);
    ASSERT_TRUE(id);
    const auto start = runtime_->start(*id);
    ASSERT_FALSE(start);
    EXPECT_EQ(start.error().code, Code::invalid);
    EXPECT_NE(start.error().message.find("no-such-program"), std::string::npos);
    EXPECT_EQ(find(*id).state, Unit::State::created);
}

TEST_F(ProcessRuntimeTest, BadSpecsAreRefused) {
    const auto code = [&](const UnitSpec& spec) {
        const auto made = runtime_->create(spec);
        return made ? Code::internal : made.error().code;
    };
    UnitSpec spec = unit("a", "true");
    spec.name = "../a";
    EXPECT_EQ(code(spec), Code::invalid);
    spec = unit("a", "true");
    spec.command.clear();
    EXPECT_EQ(code(spec), Code::invalid);
    spec = unit("a", "true");
    spec.mounts = {{Mount::Kind::volume, "v", "/configs/../..", false}};
    EXPECT_EQ(code(spec), Code::invalid);
    spec.mounts = {{Mount::Kind::volume, "../../v", "/configs", false}};
    EXPECT_EQ(code(spec), Code::invalid);
    spec.mounts = {{Mount::Kind::host, folder_.path() / "absent", "/configs", false}};
    EXPECT_EQ(code(spec), Code::invalid);
    spec.mounts.clear();
    spec.network = "n";
    EXPECT_EQ(code(spec), Code::unsupported);
    EXPECT_TRUE(runtime_->list({})->empty());
}

TEST_F(ProcessRuntimeTest, OutputOfACommandIsCapped) {
    const std::string id = started(unit("a", "sleep 1000"));
    const auto result = runtime_->exec(
        id, {"sh", "-c", "head -c 6000000 /dev/zero; echo problem >&2; exit 4"}, seconds(300));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->exit_code, 4);
    EXPECT_EQ(result->out.size(), std::size_t{5} << 20);
    EXPECT_EQ(result->err, "problem\n");
    EXPECT_TRUE(result->truncated);
    const auto missing = runtime_->exec(id, {"no-such-program"}, seconds(300));
    ASSERT_TRUE(missing);
    EXPECT_EQ(missing->exit_code, 127);
}

TEST_F(ProcessRuntimeTest, ALateCommandIsKilledWithItsChildren) {
    const std::string id = started(unit("a", "sleep 1000"));
    const fs::path pids = root_ / "units/a/root/pids";
    const auto late = runtime_->exec(id, {"sh", "-c", "sleep 1000 & echo $! > pids; wait"},
                                     std::chrono::milliseconds(500));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::timeout);
    const auto text = read_file(pids);
    ASSERT_TRUE(text);
    EXPECT_TRUE(eventually([&] {
        const auto stat = read_file("/proc/" + std::string(trim(*text)) + "/stat");
        return !stat || stat->find(") Z ") != std::string::npos;
    }));
}

TEST_F(ProcessRuntimeTest, ARemovedVolumeLeavesWhatItLinksTo) {
    const fs::path plugins = folder_.path() / "plugins";
    ASSERT_TRUE(make_directories(plugins));
    ASSERT_TRUE(write_file_atomically(plugins / "file", "kept"));
    ASSERT_TRUE(runtime_->ensure_volume("v", {}));
    UnitSpec spec = unit("a", "true");
    spec.mounts = {{Mount::Kind::volume, "v", "/configs", false},
                   {Mount::Kind::host, plugins, "/configs/plugins", true}};
    const std::string id = started(spec);
    ASSERT_TRUE(ends(id));
    ASSERT_TRUE(runtime_->remove(id));
    ASSERT_TRUE(runtime_->remove_volume("v"));
    EXPECT_FALSE(fs::exists(root_ / "volumes/v"));
    EXPECT_TRUE(fs::exists(plugins / "file"));
    EXPECT_TRUE(fs::is_empty(root_ / "removed"));
}

}  // namespace
}  // namespace atelier::drivers
