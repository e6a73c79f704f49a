#include "tests/drivers/runtime_contract.h"

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "base/file.h"
#include "drivers/docker/docker.h"
#include "drivers/process/process.h"
#include "tests/fakes/fake_runtime.h"
#include "tests/fakes/test_docker.h"

namespace atelier::drivers {
namespace {

using std::chrono::seconds;

class RuntimeContract : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        if (GetParam() == "fake") return set_up_fake();
        if (GetParam() == "process") return set_up_process();
        set_up_docker();
    }

    void TearDown() override {
        if (!runtime_) return;
        const auto units = runtime_->list(ours_);
        if (units) {
            for (const Unit& unit : *units) EXPECT_TRUE(runtime_->remove(unit.id));
        }
        const auto volumes = runtime_->volumes(ours_);
        if (volumes) {
            for (const Volume& volume : *volumes) EXPECT_TRUE(runtime_->remove_volume(volume.name));
        }
        if (!network_.empty()) ok(runtime_->remove_network(network_));
    }

    void set_up_fake() {
        auto fake = std::make_unique<fakes::FakeRuntime>(clock_);
        fake->add_image(image_);
        fake->on_host_read([](const std::string& path) { return read_file(path); });
        runtime_ = std::move(fake);
    }

    void set_up_process() {
        ProcessOptions options;
        options.root = folder_.path() / "runtime";
        auto opened = make_process_runtime(options, clock_, random_);
        ASSERT_TRUE(opened) << opened.error().message << opened.error().detail;
        runtime_ = std::move(*opened);
    }

    void set_up_docker() {
        const auto host = fakes::test_docker_host();
        if (!host) {
            ASSERT_FALSE(fakes::services_are_required()) << "ATELIER_TEST_DOCKER is not set";
            GTEST_SKIP() << "ATELIER_TEST_DOCKER is not set";
        }
        const auto made = fakes::make_test_image(*host);
        ASSERT_TRUE(made) << made.error().message << made.error().detail;
        DockerOptions options;
        options.host = *host;
        options.deadline = std::chrono::minutes(10);
        options.probe_folder = folder_.path();
        options.probe_labels = ours_;
        auto connected = connect_docker(options, clock_, random_);
        ASSERT_TRUE(connected) << connected.error().message;
        runtime_ = std::move(*connected);
    }

    std::string name(const std::string& what) const { return what + "-" + run_; }

    UnitSpec unit(const std::string& what, std::vector<std::string> command = {"sleep", "1000"}) {
        UnitSpec spec;
        spec.name = name(what);
        spec.image = image_;
        spec.command = std::move(command);
        spec.labels = ours_;
        spec.labels["what"] = what;
        return spec;
    }

    std::string made(const UnitSpec& spec) {
        auto id = runtime_->create(spec);
        EXPECT_TRUE(id) << id.error().message << ": " << id.error().detail;
        return id ? *id : "";
    }

    std::string started(const UnitSpec& spec) {
        const std::string id = made(spec);
        ok(runtime_->start(id));
        return id;
    }

    static void ok(const Result<void>& result) {
        EXPECT_TRUE(result) << result.error().message << ": " << result.error().detail;
    }

    std::optional<Unit> find(const std::string& id) {
        const auto units = runtime_->list(ours_);
        EXPECT_TRUE(units) << units.error().message;
        if (!units) return std::nullopt;
        for (const Unit& unit : *units) {
            if (unit.id == id) return unit;
        }
        return std::nullopt;
    }

    bool becomes(const std::string& id, Unit::State state) {
        return eventually([&] {
            const auto unit = find(id);
            return unit && unit->state == state;
        });
    }

    SystemClock clock_;
    SystemRandom random_;
    Folder folder_{random_};
    std::string run_ = random_text(random_, 10, name_suffix_alphabet);
    std::string image_ = std::string(fakes::test_image);
    Labels ours_{{"atelier.dev/test-run", run_}};
    std::string network_;
    std::unique_ptr<Runtime> runtime_;
};

TEST_P(RuntimeContract, ALifeFromCreateToRemove) {
    const UnitSpec spec = unit("a");
    const std::string id = made(spec);
    auto found = find(id);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, spec.name);
    EXPECT_EQ(found->state, Unit::State::created);
    EXPECT_EQ(found->labels.at("what"), "a");

    ok(runtime_->start(id));
    EXPECT_EQ(find(id)->state, Unit::State::running);
    ok(runtime_->stop(id, Duration::zero()));
    found = find(id);
    EXPECT_EQ(found->state, Unit::State::exited);
    EXPECT_TRUE(found->finished_at);
    ok(runtime_->remove(id));
    EXPECT_FALSE(find(id));
}

TEST_P(RuntimeContract, AlreadySoIsSuccess) {
    const std::string id = started(unit("a"));
    ok(runtime_->start(id));
    ok(runtime_->stop(id, Duration::zero()));
    ok(runtime_->stop(id, Duration::zero()));
    ok(runtime_->remove(id));
    ok(runtime_->remove(id));
    ok(runtime_->stop(id, Duration::zero()));
    ok(runtime_->remove_volume(name("never-was")));
    ok(runtime_->remove_network(name("never-was")));
}

TEST_P(RuntimeContract, ARunningUnitIsRemoved) {
    const std::string id = started(unit("a"));
    ok(runtime_->remove(id));
    EXPECT_FALSE(find(id));
}

TEST_P(RuntimeContract, ATakenNameIsRefusedAndFreeAfterRemoval) {
    const UnitSpec spec = unit("a");
    const std::string id = made(spec);
    const auto again = runtime_->create(spec);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Code::already_exists);
    ok(runtime_->remove(id));
    const std::string other = made(spec);
    EXPECT_NE(other, id);
}

TEST_P(RuntimeContract, WhatIsNotThereCannotBeUsed) {
    const std::string nobody(64, '0');
    EXPECT_EQ(runtime_->start(nobody).error().code, Code::not_found);
    EXPECT_EQ(runtime_->exec(nobody, {"true"}, seconds(5)).error().code, Code::not_found);
    EXPECT_EQ(runtime_->logs(nobody, 1).error().code, Code::not_found);
    EXPECT_EQ(runtime_->upload(nobody, "/configs", {}, 0, 0).error().code, Code::not_found);
}

TEST_P(RuntimeContract, AListIsOfThoseThatHaveAllLabels) {
    const std::string a = made(unit("a"));
    const std::string b = made(unit("b"));
    Labels having = ours_;
    having["what"] = "b";
    const auto units = runtime_->list(having);
    ASSERT_TRUE(units);
    ASSERT_EQ(units->size(), 1U);
    EXPECT_EQ(units->front().id, b);
    having["more"] = "x";
    EXPECT_TRUE(runtime_->list(having)->empty());
}

TEST_P(RuntimeContract, TheExitCodeIsKept) {
    const std::string good = started(unit("good", {"true"}));
    const std::string bad = started(unit("bad", {"false"}));
    ASSERT_TRUE(becomes(good, Unit::State::exited));
    ASSERT_TRUE(becomes(bad, Unit::State::exited));
    EXPECT_EQ(find(good)->exit_code, 0);
    EXPECT_EQ(find(bad)->exit_code, 1);
}

TEST_P(RuntimeContract, AnEndedUnitStartsAgain) {
    const std::string id = started(unit("a"));
    ok(runtime_->stop(id, Duration::zero()));
    ok(runtime_->start(id));
    EXPECT_EQ(find(id)->state, Unit::State::running);
}

TEST_P(RuntimeContract, ImagesAreKnownByName) {
    if (!runtime_->capabilities().images) return;
    const auto id = runtime_->image(image_);
    ASSERT_TRUE(id) << id.error().message;
    const std::string unit_id = made(unit("a"));
    EXPECT_EQ(find(unit_id)->image_id, id->id);
    EXPECT_EQ(find(unit_id)->image, image_);
    UnitSpec other = unit("b");
    other.image = "atelier-test/absent:1";
    const auto missing = runtime_->create(other);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Code::not_found);
    EXPECT_NE(missing.error().message.find("atelier-test/absent:1"), std::string::npos);
}

TEST_P(RuntimeContract, VolumesAreEnsuredListedAndRemoved) {
    const std::string volume = name("v");
    ok(runtime_->ensure_volume(volume, ours_));
    ok(runtime_->ensure_volume(volume, ours_));
    const auto volumes = runtime_->volumes(ours_);
    ASSERT_TRUE(volumes);
    ASSERT_EQ(volumes->size(), 1U);
    EXPECT_EQ(volumes->front().name, volume);
    EXPECT_EQ(volumes->front().labels, ours_);
    ok(runtime_->remove_volume(volume));
    EXPECT_TRUE(runtime_->volumes(ours_)->empty());
}

TEST_P(RuntimeContract, AVolumeOfOthersIsNotOurs) {
    const std::string volume = name("v");
    ok(runtime_->ensure_volume(volume, ours_));
    const auto refused = runtime_->ensure_volume(volume, {{"atelier.dev/uid", "another"}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::already_exists);
}

TEST_P(RuntimeContract, AVolumeOutlivesItsUnits) {
    const std::string volume = name("v");
    ok(runtime_->ensure_volume(volume, ours_));
    UnitSpec spec = unit("a");
    spec.mounts = {{Mount::Kind::volume, volume, "/configs", false}};
    const std::string first = made(spec);
    ok(runtime_->upload(first, "/configs", {{"kept", {File::Kind::regular, false, "kept"}}}, 0, 0));
    const auto in_use = runtime_->remove_volume(volume);
    ASSERT_FALSE(in_use);
    EXPECT_EQ(in_use.error().code, Code::conflict);
    ok(runtime_->remove(first));
    const std::string second = started(spec);
    const auto read = runtime_->exec(second, {"cat", "configs/kept"}, seconds(300));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->out, "kept");
}

TEST_P(RuntimeContract, AnUploadMakesFoldersAndReplacesFiles) {
    UnitSpec spec = unit("a");
    ok(runtime_->ensure_volume(name("v"), ours_));
    spec.mounts = {{Mount::Kind::volume, name("v"), "/configs", false}};
    const std::string id = made(spec);
    const std::string big(std::size_t{3} << 20, 'b');
    const Tree tree{{"one/two/three", {File::Kind::regular, false, "old"}},
                    {"run", {File::Kind::regular, true, "x"}},
                    {"big", {File::Kind::regular, false, big}}};
    ok(runtime_->upload(id, "/configs/.staging/x", tree, 1000, 1000));
    ok(runtime_->start(id));
    ok(runtime_->upload(id, "/configs/.staging/x",
                        {{"one/two/three", {File::Kind::regular, false, "new"}}}, 1000, 1000));
    const auto three =
        runtime_->exec(id, {"cat", "configs/.staging/x/one/two/three"}, seconds(300));
    ASSERT_TRUE(three);
    EXPECT_EQ(three->out, "new");
    const auto read = runtime_->exec(id, {"cat", "configs/.staging/x/big"}, seconds(300));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->out, big);
    EXPECT_FALSE(read->truncated);
}

TEST_P(RuntimeContract, AnUploadIsRefusedWhereItMayNotGo) {
    UnitSpec spec = unit("a");
    ok(runtime_->ensure_volume(name("v"), ours_));
    spec.mounts = {{Mount::Kind::volume, name("v"), "/configs", true}};
    const std::string id = made(spec);
    const Tree tree{{"x", {File::Kind::regular, false, "x"}}};
    EXPECT_EQ(runtime_->upload(id, "/configs", tree, 0, 0).error().code, Code::forbidden);
    const Tree unsafe{{"../x", {File::Kind::regular, false, "x"}}};
    EXPECT_EQ(runtime_->upload(id, "/tmp", unsafe, 0, 0).error().code, Code::invalid);
}

TEST_P(RuntimeContract, CommandsGiveTheirOutputAndCode) {
    const std::string id = started(unit("a"));
    const auto said = runtime_->exec(id, {"echo", "one two"}, seconds(300));
    ASSERT_TRUE(said) << said.error().message;
    EXPECT_EQ(said->exit_code, 0);
    EXPECT_EQ(said->out, "one two\n");
    EXPECT_EQ(said->err, "");
    const auto failed = runtime_->exec(id, {"cat", "not/there"}, seconds(300));
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->exit_code, 1);
    EXPECT_EQ(failed->out, "");
    EXPECT_NE(failed->err, "");
}

TEST_P(RuntimeContract, ACommandNeedsARunningUnitAndEndsAtItsDeadline) {
    const std::string id = made(unit("a"));
    EXPECT_EQ(runtime_->exec(id, {"true"}, seconds(5)).error().code, Code::conflict);
    ok(runtime_->start(id));
    const auto late = runtime_->exec(id, {"sleep", "1000"}, seconds(1));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::timeout);
    const auto none = runtime_->exec(id, {}, seconds(5));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Code::invalid);
}

TEST_P(RuntimeContract, LogsAreTheLastLines) {
    const std::string id = started(unit("a", {"echo", "one\ntwo\nthree"}));
    ASSERT_TRUE(becomes(id, Unit::State::exited));
    const auto two = runtime_->logs(id, 2);
    ASSERT_TRUE(two) << two.error().message;
    EXPECT_EQ(*two, "two\nthree\n");
    EXPECT_EQ(*runtime_->logs(id, 100), "one\ntwo\nthree\n");
}

TEST_P(RuntimeContract, AHostFolderIsSeenWhereTheFileSystemIsShared) {
    ASSERT_TRUE(runtime_->capabilities().shares_file_system);
    const auto host = folder_.path() / "seen";
    ASSERT_TRUE(make_directories(host));
    ASSERT_TRUE(write_file_atomically(host / "file", "from the host"));
    UnitSpec spec = unit("a");
    ok(runtime_->ensure_volume(name("v"), ours_));
    spec.mounts = {{Mount::Kind::volume, name("v"), "/configs", false},
                   {Mount::Kind::host, host, "/configs/plugins", true}};
    const std::string id = started(spec);
    const auto read = runtime_->exec(id, {"cat", "configs/plugins/file"}, seconds(300));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->out, "from the host") << read->err;
}

TEST_P(RuntimeContract, NetworksAreEnsuredAndRemoved) {
    if (!runtime_->capabilities().networks) {
        EXPECT_EQ(runtime_->ensure_network(name("n"), ours_).error().code, Code::unsupported);
        return;
    }
    network_ = name("n");
    ok(runtime_->ensure_network(network_, ours_));
    ok(runtime_->ensure_network(network_, ours_));
    EXPECT_EQ(runtime_->ensure_network(network_, {{"x", "y"}}).error().code, Code::already_exists);
    UnitSpec spec = unit("a");
    spec.network = network_;
    spec.network_alias = "somebody";
    const std::string id = started(spec);
    EXPECT_EQ(runtime_->remove_network(network_).error().code, Code::conflict);
    ok(runtime_->remove(id));
    ok(runtime_->remove_network(network_));
    ok(runtime_->remove_network(network_));
}

TEST_P(RuntimeContract, Fault18_EverythingThatAPlanReliesOnIsObserved) {
    const Capabilities can = runtime_->capabilities();
    const auto host = folder_.path() / "seen";
    ASSERT_TRUE(make_directories(host));
    ok(runtime_->ensure_volume(name("v"), ours_));
    UnitSpec spec = unit("a");
    spec.mounts = {{Mount::Kind::volume, name("v"), "/configs", false},
                   {Mount::Kind::host, host, "/configs/plugins", true}};
    spec.memory_bytes = 64 << 20;
    spec.nano_cpus = 500'000'000;
    spec.pids = 50;
    if (can.networks) {
        network_ = name("n");
        ok(runtime_->ensure_network(network_, ours_));
        spec.network = network_;
        spec.network_alias = "somebody";
    }
    const std::string id = made(spec);
    for (const char* when : {"created", "running", "ended"}) {
        SCOPED_TRACE(when);
        const auto found = find(id);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->image, image_);
        EXPECT_EQ(found->mounts, spec.mounts);
        EXPECT_EQ(found->memory_bytes, can.limits ? spec.memory_bytes : 0);
        EXPECT_EQ(found->nano_cpus, can.limits ? spec.nano_cpus : 0);
        EXPECT_EQ(found->pids, can.limits ? spec.pids : 0);
        EXPECT_EQ(found->health, Unit::Health::none);
        EXPECT_FALSE(found->out_of_memory);
        const std::vector<std::string> networks =
            can.networks ? std::vector{network_} : std::vector<std::string>{};
        EXPECT_EQ(found->networks, networks);
        if (found->state == Unit::State::created) {
            ok(runtime_->start(id));
        } else {
            ok(runtime_->stop(id, Duration::zero()));
        }
    }
    ok(runtime_->remove(id));
}

TEST_P(RuntimeContract, Fault18_ANetworkIsJoinedByAUnitThatRuns) {
    if (!runtime_->capabilities().networks) {
        EXPECT_EQ(runtime_->join_network("a", name("n"), "").error().code, Code::unsupported);
        return;
    }
    network_ = name("n");
    ok(runtime_->ensure_network(network_, ours_));
    const std::string other = name("other");
    ok(runtime_->ensure_network(other, ours_));
    UnitSpec spec = unit("a");
    spec.network = other;
    const std::string id = started(spec);
    ok(runtime_->join_network(id, network_, "somebody"));
    ok(runtime_->join_network(id, network_, "somebody"));
    EXPECT_EQ(find(id)->networks, (std::vector{network_, other}));
    EXPECT_EQ(runtime_->join_network(id, name("absent"), "").error().code, Code::not_found);
    EXPECT_EQ(runtime_->join_network(std::string(64, '0'), network_, "").error().code,
              Code::not_found);
    ok(runtime_->remove(id));
    ok(runtime_->remove_network(other));
}

TEST_P(RuntimeContract, AMissingNetworkIsNamedAtStart) {
    if (!runtime_->capabilities().networks) return;
    UnitSpec spec = unit("a");
    spec.network = name("absent");
    const std::string id = made(spec);
    EXPECT_EQ(runtime_->start(id).error().code, Code::not_found);
}

TEST_P(RuntimeContract, EventsTellOfStartsDeathsAndRemovals) {
    ASSERT_TRUE(runtime_->list(ours_));
    std::mutex mutex;
    std::vector<Labels> seen;
    const auto count = [&] {
        const std::lock_guard lock(mutex);
        return seen.size();
    };
    std::optional<Result<void>> ended;
    std::jthread reader([&](const std::stop_token& stop) {
        ended = runtime_->events(stop, ours_, [&](const Labels& labels) {
            const std::lock_guard lock(mutex);
            seen.push_back(labels);
        });
    });
    const std::string id = started(unit("a"));
    EXPECT_TRUE(eventually([&] { return count() >= 1; }));
    const std::size_t after_start = count();
    ok(runtime_->stop(id, Duration::zero()));
    EXPECT_TRUE(eventually([&] { return count() > after_start; }));
    const std::size_t after_stop = count();
    ok(runtime_->remove(id));
    EXPECT_TRUE(eventually([&] { return count() > after_stop; }));
    reader.request_stop();
    reader.join();
    ASSERT_TRUE(ended);
    ok(*ended);
    for (const Labels& labels : seen) {
        EXPECT_EQ(labels.at("what"), "a");
        EXPECT_EQ(labels.at("atelier.dev/test-run"), run_);
    }
}

TEST_P(RuntimeContract, EventsBetweenTwoCallsAreNotLost) {
    ASSERT_TRUE(runtime_->list(ours_));
    const std::string id = started(unit("a"));
    for (const char* what : {"the first call", "the second call"}) {
        std::stop_source source;
        std::atomic<int> seen = 0;
        std::jthread reader([&] {
            EXPECT_TRUE(
                runtime_->events(source.get_token(), ours_, [&](const Labels&) { ++seen; }));
        });
        EXPECT_TRUE(eventually([&] { return seen > 0; })) << what;
        source.request_stop();
        reader.join();
        ok(runtime_->remove(id));
    }
}

TEST_P(RuntimeContract, ManyThreadsAtOnce) {
    std::vector<std::jthread> threads;
    std::atomic<int> failures = 0;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            const std::string what = "t" + std::to_string(i);
            UnitSpec spec = unit(what);
            for (int round = 0; round < 3; ++round) {
                const auto id = runtime_->create(spec);
                if (!id || !runtime_->start(*id) || !runtime_->list(ours_) ||
                    !runtime_->remove(*id)) {
                    ++failures;
                }
            }
        });
    }
    threads.clear();
    EXPECT_EQ(failures, 0);
    EXPECT_TRUE(runtime_->list(ours_)->empty());
}

INSTANTIATE_TEST_SUITE_P(Places, RuntimeContract, testing::Values("fake", "process", "docker"),
                         [](const auto& place) { return place.param; });

}  // namespace
}  // namespace atelier::drivers
