// Scenarios of docs/scenarios.md that go through several rooms, each by its number.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "drivers/trees/archive.h"
#include "tests/apiserver/api_world.h"
#include "tests/reconcilers/plugin_world.h"
#include "tests/reconcilers/workspace_world.h"
#include "tests/support/process.h"

namespace atelier {
namespace {

using fakes::When;
using reconcilers::PluginWorld;
using reconcilers::TestWorld;
using testing::HasSubstr;
using testing::Not;

TEST(Scenario18, AStoredValueIsUnreadableOnDiskAndWholeInTheWorkspace) {
    const support::TemporaryDirectory folder;
    const auto file = folder.path() / "a.db";
    const store::Options options{.url = "sqlite:" + file.string(),
                                 .encryption_key = std::string(32, 'k')};
    const std::string secret = "value-that-nobody-may-read";
    TestWorld w;
    const auto open = [&] {
        auto opened = store::open(options, w.clock, w.random, w.metrics, Log());
        CHECK(opened);
        return *std::move(opened);
    };
    {
        const auto store = open();
        reconcilers::Objects objects(*store, w.kinds, w.random, Log());
        crds::Secret object;
        object.meta.name = "env";
        object.meta.ns = "default";
        object.data["TOKEN"] = secret;
        ASSERT_TRUE(objects.put_secret(object, w.clock.now()));
        crds::Meta meta;
        meta.name = "one";
        meta.ns = "default";
        crds::WorkspaceSpec spec;
        spec.env_from = {{.secret_ref = crds::LocalRef{"env"}, .config_map_ref = {}}};
        ASSERT_TRUE(objects.create<crds::Workspace>(meta, spec, w.clock.now()));
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        const auto bytes = read_file(entry.path());
        ASSERT_TRUE(bytes);
        EXPECT_EQ(bytes->find(secret), std::string::npos) << entry.path();
        EXPECT_EQ(bytes->find(base64(secret)), std::string::npos) << entry.path();
    }
    const auto store = open();
    reconcilers::Objects objects(*store, w.kinds, w.random, Log());
    reconcilers::WorkspaceReconciler reconciler(objects, *w.runtimes, Log());
    ASSERT_TRUE(reconciler.reconcile({"workspaces.atelier.dev", "default", "one"}, w.clock.now()));
    const auto workspace = objects.find<crds::Workspace>("default", "one");
    ASSERT_TRUE(workspace && *workspace);
    const auto unit = w.runtime.spec(reconcilers::unit_name((*workspace)->meta.uid));
    ASSERT_TRUE(unit);
    EXPECT_EQ(unit->env.at("TOKEN"), secret);
}

TEST(Scenario25, APrefixIsTheSameWithAndWithoutItsSlashAndAStampIsAFileName) {
    const drivers::Tree tree{{"a/b.md", {drivers::File::Kind::regular, false, "b"}},
                             {"c.sh", {drivers::File::Kind::regular, true, "c"}}};
    const drivers::TarOwner owner;
    const auto without = drivers::write_tar(tree, "configs/plugins", owner);
    const auto with = drivers::write_tar(tree, "configs/plugins/", owner);
    ASSERT_TRUE(without && with);
    EXPECT_EQ(*without, *with);
    SeededRandom random(1);
    const Instant now = *parse_rfc3339("2026-05-08T14:15:30Z");
    const std::string stamp = reconcilers::new_stamp(now, random);
    EXPECT_TRUE(stamp.starts_with("20260508T141530Z")) << stamp;
    EXPECT_EQ(stamp.find_first_of(": /\\"), std::string::npos) << stamp;
    EXPECT_NE(reconcilers::new_stamp(now, random), stamp) << "two within a second";
}

TEST(Scenario30, AFailingSourceTellsItsKindAndNothingOfTheServer) {
    const support::TemporaryDirectory plugins;
    const auto tell = [](PluginWorld& world) {
        EXPECT_FALSE(world.reconcile_plugin().operator bool() &&
                     world.plugin().status.is_true("Ready"));
        const crds::PluginStatus status = world.plugin().status;
        const auto* ready = status.find("Ready");
        return ready ? ready->reason : std::string("none");
    };
    const auto shown = [](PluginWorld& world) {
        std::string text;
        for (const char* resource : {"plugins.atelier.dev", "events"}) {
            const auto snapshot = world.store.list(resource);
            for (const auto& object : snapshot->objects) text += object->body;
        }
        return text;
    };
    {
        PluginWorld world({.directory = plugins.path()});
        world.make_plugin("none", [](crds::PluginSpec& spec) { spec.source = "local://absent"; });
        EXPECT_EQ(tell(world), "SourceNotFound");
        EXPECT_THAT(shown(world), Not(HasSubstr(plugins.path().string())));
    }
    const std::pair<Code, const char*> kinds[] = {{Code::not_found, "SourceNotFound"},
                                                  {Code::timeout, "SourceFetchFailed"},
                                                  {Code::unavailable, "SourceFetchFailed"},
                                                  {Code::forbidden, "SourceAccessDenied"}};
    for (const auto& [code, reason] : kinds) {
        PluginWorld world;
        world.push_skill("a");
        world.make_plugin();
        world.git.plan({.call = "refs", .nth = 1, .when = When::before, .code = code});
        EXPECT_EQ(tell(world), reason);
    }
}

TEST(Scenario35, AnInstallWhoseRecordWasLostIsRecordedLaterAndNotMadeAgain) {
    TestWorld w;
    w.plugin("p", reconcilers::plugin_tree("1"));
    w.workspace("one", [](crds::WorkspaceSpec& spec) { spec.plugins = {"p"}; });
    // The server ends right after the tree went live, before anything of it is written down.
    bool crashed = false;
    w.folders.on_call([&](std::string_view call, When when) {
        if (crashed || call != "swap" || when != When::after) return;
        crashed = true;
        throw reconcilers::Crash();
    });
    EXPECT_FALSE(w.round());
    ASSERT_TRUE(crashed);
    ASSERT_TRUE(w.exists<crds::PluginInstall>("one.p"));
    EXPECT_EQ(w.get<crds::PluginInstall>("one.p").status.delivered, "");
    const auto live = w.folders.live(w.uid("one"));
    ASSERT_EQ(live.size(), 1u);
    w.settle();
    const auto install = w.get<crds::PluginInstall>("one.p");
    EXPECT_EQ(install.status.delivered, install.spec.version.digest);
    const auto calls = w.folders.calls();
    EXPECT_EQ(std::count(calls.begin(), calls.end(), "swap p"), 1);
    EXPECT_EQ(w.folders.live(w.uid("one")), live);
}

// A database that says more than anybody should hear.
class TalkingStore final : public store::Store {
  public:
    explicit TalkingStore(store::Store& inner) : inner_(inner) {}
    store::ObjectPtr get(const Key& key) const override { return inner_.get(key); }
    store::SnapshotPtr list(std::string_view resource) const override {
        return inner_.list(resource);
    }
    std::vector<store::ObjectPtr> by_index(const store::FieldIndex& index,
                                           std::string_view value) const override {
        return inner_.by_index(index, value);
    }
    Result<store::SnapshotPtr> list_at(std::string_view resource,
                                       Revision revision) const override {
        return inner_.list_at(resource, revision);
    }
    Result<std::vector<store::EventPtr>> events(std::string_view resource, Revision after,
                                                std::size_t most) const override {
        return inner_.events(resource, after, most);
    }
    Revision revision() const override { return inner_.revision(); }
    void write(store::Write write, store::Done done) override {
        if (!broken) return inner_.write(std::move(write), std::move(done));
        done(Error{Code::unavailable, "the store does not answer",
                   "pq: FATAL password=hunter2 host=/var/run/postgresql"});
    }
    void write_all(std::vector<store::Write> writes, store::AllDone done) override {
        inner_.write_all(std::move(writes), std::move(done));
    }
    std::unique_ptr<store::Subscription> on_commit(std::function<void(Revision)> wake) override {
        return inner_.on_commit(std::move(wake));
    }
    Result<void> healthy() const override { return inner_.healthy(); }
    std::atomic<bool> broken = false;

  private:
    store::Store& inner_;
};

TEST(Scenario48, AFailureOfTheDatabaseSaysNothingOfItsDriver) {
    TestWorld w;
    TalkingStore store(*w.store);
    apiserver::ApiOptions options;
    options.credentials = {{"right", "admin", {"system:masters"}}};
    options.own_thread = false;
    apiserver::Api api(store, w.kinds, w.clock, w.random, w.metrics, Log(), options);
    ASSERT_TRUE(api.seed());
    w.workspace("one");
    const auto ask = [&](std::string method, std::string_view target, std::string body = {}) {
        auto request = apiserver::test::request_of(std::move(method), target);
        request.headers.emplace_back("authorization", "Bearer right");
        request.body = std::move(body);
        auto answer = std::make_shared<apiserver::test::Answer>();
        api.handle(std::move(request), answer);
        return answer;
    };
    store.broken = true;
    const std::string objects = "/apis/atelier.dev/v1alpha1/namespaces/default/";
    const auto refused = {
        ask("DELETE", objects + "workspaces/one"),
        ask("POST", objects + "orgtemplates",
            R"({"metadata":{"name":"t"},"spec":{"source":{"inline":"name: x"}}})")};
    for (const auto& answer : refused) {
        EXPECT_EQ(answer->status, 503) << answer->body;
        for (const char* leak : {"pq:", "hunter2", "/var/run", "FATAL"}) {
            EXPECT_THAT(answer->body, Not(HasSubstr(leak)));
        }
    }
    store.broken = false;
    const auto absent = ask("GET", objects + "orgtemplates/nope");
    EXPECT_EQ(absent->status, 404);
    EXPECT_EQ(absent->header("content-type"), "application/json") << "never taken for a page";
    api.stop();
}

// The values of an enumeration, as the code writes them, are those that the schema accepts.
template <class Enum>
void expect_accepted(const json::Value& schema, std::initializer_list<std::string_view> path) {
    const json::Value* at = &schema;
    for (const std::string_view member : path) {
        at = at ? json::find(*at, {"properties", member}) : nullptr;
    }
    ASSERT_NE(at, nullptr) << *(path.end() - 1);
    const json::Value* const values = json::find(*at, {"enum"});
    ASSERT_NE(values, nullptr) << *(path.end() - 1);
    std::set<std::string> accepted;
    for (const auto& value : values->GetArray()) accepted.insert(std::string(json::view(value)));
    std::set<std::string> written;
    for (const auto& [value, name] : names_of(Enum{})) {
        if (!name.empty()) written.insert(std::string(name));
    }
    accepted.erase("");
    EXPECT_EQ(accepted, written) << *(path.end() - 1);
}

TEST(Scenario49, EveryStatusThatIsWrittenIsAcceptedAndHibernationEnds) {
    std::map<std::string, const json::Value*> schemas;
    const auto definitions = crds::embedded_crds();
    for (const auto& definition : definitions) {
        const json::Value* const versions = json::find(definition, {"spec", "versions"});
        schemas[json::string_at(definition, {"spec", "names", "kind"})] =
            json::find((*versions)[0], {"schema", "openAPIV3Schema"});
    }
    expect_accepted<crds::UpdatePhase>(*schemas.at("PluginUpdate"), {"status", "phase"});
    expect_accepted<crds::Decision>(*schemas.at("PluginUpdate"), {"spec", "decision"});
    expect_accepted<crds::ChangeClass>(*schemas.at("PluginInstall"), {"status", "lastChange"});
    expect_accepted<crds::DesiredState>(*schemas.at("Workspace"), {"spec", "desiredState"});
    expect_accepted<crds::WorkspaceAccess>(*schemas.at("Workspace"), {"spec", "workspaceAccess"});

    TestWorld w;
    w.workspace("one");
    w.settle();
    const auto volumes = w.runtime.volume_names();
    for (int i = 0; i < 2; ++i) {
        w.change("one", [](crds::WorkspaceSpec& spec) {
            spec.desired_state = crds::DesiredState::hibernated;
        });
        w.settle();
        EXPECT_FALSE(w.unit("one"));
        EXPECT_EQ(w.runtime.volume_names(), volumes);
        w.change("one", [](crds::WorkspaceSpec& spec) {
            spec.desired_state = crds::DesiredState::running;
        });
        w.settle();
        ASSERT_TRUE(w.unit("one"));
        EXPECT_EQ(w.unit("one")->state, drivers::Unit::State::running);
        EXPECT_EQ(w.condition("one", "Ready"), "True Running");
    }
}

}  // namespace
}  // namespace atelier
