// What follows from an OrgTemplate and one look at its source, and the law of its reconciler.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "reconcilers/common/status.h"
#include "reconcilers/org_template/history.h"
#include "reconcilers/org_template/plan.h"
#include "reconcilers/org_template/status.h"
#include "templates/layers.h"
#include "tests/reconcilers/org_world.h"

namespace atelier::reconcilers {
namespace {

using org_template::Observed;

const Instant noon = *parse_rfc3339("2026-05-08T12:00:00Z");

crds::OrgTemplate some_template(const std::function<void(crds::OrgTemplate&)>& how = {}) {
    crds::OrgTemplate object;
    object.meta.name = "dev";
    object.meta.ns = "default";
    object.meta.uid = "uid-of-dev";
    object.meta.generation = 3;
    object.spec.interval = std::chrono::minutes(5);
    if (how) how(object);
    return object;
}

// Two trees, "aaaaaaa…" (the artifact) and "bbbbbbb…", of which these are kept.
Observed compiled(std::set<char> kept, const std::function<void(Observed&)>& how = {}) {
    Observed seen;
    seen.revision = "c0ffee";
    seen.artifact = std::string(64, 'a');
    for (const char digit : {'a', 'b'}) seen.trees[std::string(64, digit)] = {};
    for (const char digit : kept) seen.kept.insert(std::string(64, digit));
    if (how) how(seen);
    return seen;
}
templates::EnvLayers values(const std::string& value) {
    return {.org = {{"KEY", value}}, .nodes = {}};
}
crds::TemplateRevision revision(const std::string& name, char digit = 'a') {
    return {.revision = name,
            .artifact_digest = std::string(64, digit),
            .compiled_at = noon,
            .author = "Ada",
            .subject = "change",
            .workspaces = 0};
}
crds::Secret layers(const std::string& value, const crds::TemplateRevision& of) {
    return *templates::secret_of_layers(some_template(), values(value), of);
}
crds::OrgTemplate with_history(std::vector<crds::TemplateRevision> history,
                               std::int64_t limit = 10) {
    return some_template([&](crds::OrgTemplate& o) {
        o.status.history = std::move(history);
        o.spec.revision_history_limit = limit;
    });
}
Observed unreadable(Code code) {
    Observed seen;
    seen.unreadable = Error{code, "why"};
    return seen;
}

// "secret of X" for the name of the Secret of a revision X.
std::string told(std::string text) {
    for (const auto& known : {revision("c0ffee"), revision("bad"), revision("bad", 'c')}) {
        const std::string name = templates::layers_secret_name("dev", known);
        const std::size_t at = text.find(name);
        if (at != std::string::npos) {
            text.replace(at, name.size(),
                         fmt::format("of {}/{}", known.revision, known.artifact_digest[0]));
        }
    }
    return text;
}

// Actions, the Ready condition, and when it is tried again: "keep tree aaaaaaa; True Compiled".
std::string outcome(const crds::OrgTemplate& object, const Observed& observed,
                    const org_template::Plan& plan, const std::optional<Error>& failure = {}) {
    const auto status = org_template::status(object, observed, plan, failure, noon);
    const crds::Condition* ready = status.find(crds::condition::ready);
    std::string text;
    for (const auto& action : plan.actions) text += (text.empty() ? "" : ", ") + text_of(action);
    if (!text.empty()) text += "; ";
    text += status.is_true(crds::condition::suspended)
                ? "Suspended"
                : fmt::format("{} {}", json::name_of(ready->status), ready->reason);
    if (!plan.retry) return text;
    const bool soon = retry_of(plan.retry->code) == Retry::soon;
    return text + (soon ? ", again soon" : ", waits for a change");
}

TEST(OrgTemplatePlan, FollowsFromTheSource) {
    struct Case {
        const char* name;
        crds::OrgTemplate object;
        Observed seen;
        const char* expected;
    };
    const Case cases[] = {
        {"new", some_template(), compiled({}),
         "keep tree aaaaaaa, keep tree bbbbbbb; True Compiled"},
        {"one tree is there", some_template(), compiled({'b'}), "keep tree aaaaaaa; True Compiled"},
        {"right", some_template(), compiled({'a', 'b'}), "True Compiled"},
        {"an environment", some_template(),
         compiled({'a', 'b'}, [](Observed& seen) { seen.compiled.env = values("1"); }),
         "put secret of c0ffee/a; True Compiled"},
        {"the same environment", with_history({revision("c0ffee")}),
         compiled({'a', 'b'},
                  [](Observed& seen) {
                      seen.compiled.env = values("1");
                      seen.layers = {layers("1", revision("c0ffee"))};
                  }),
         "True Compiled"},
        {"another environment of the same revision", with_history({revision("c0ffee")}),
         compiled({'a'},
                  [](Observed& seen) {
                      seen.compiled.env = values("2");
                      seen.layers = {layers("1", revision("c0ffee"))};
                  }),
         "keep tree bbbbbbb, put secret of c0ffee/a; True Compiled"},
        {"another environment of another revision", with_history({revision("bad")}),
         compiled({'a', 'b'},
                  [](Observed& seen) {
                      seen.compiled.env = values("2");
                      seen.layers = {layers("1", revision("bad"))};
                  }),
         "put secret of c0ffee/a; True Compiled"},
        {"no environment any more", with_history({revision("c0ffee")}),
         compiled({'a', 'b'},
                  [](Observed& seen) { seen.layers = {layers("1", revision("c0ffee"))}; }),
         "remove secret of c0ffee/a; True Compiled"},
        {"an old environment stays with its revision",
         with_history({revision("c0ffee"), revision("bad", 'c')}),
         compiled({'a', 'b'},
                  [](Observed& seen) { seen.layers = {layers("1", revision("bad", 'c'))}; }),
         "True Compiled"},
        {"and goes with it", with_history({revision("c0ffee"), revision("bad", 'c')}, 1),
         compiled({'a', 'b'},
                  [](Observed& seen) { seen.layers = {layers("1", revision("bad", 'c'))}; }),
         "remove secret of bad/c; True Compiled"},
        {"but not while an Org is pinned to it",
         with_history({revision("c0ffee"), revision("bad", 'c')}, 1),
         compiled({'a', 'b'},
                  [](Observed& seen) {
                      seen.layers = {layers("1", revision("bad", 'c'))};
                      seen.pins = {"bad"};
                  }),
         "True Compiled"},
        {"what is too large to keep", some_template(),
         compiled({},
                  [](Observed& seen) { seen.compiled.env = values(std::string(1'000'000, 'x')); }),
         "False PublishFailed"},
        {"does not compile", some_template(),
         compiled({},
                  [](Observed& seen) {
                      templates::Finding finding;
                      finding.reason = "IncludeCycle";
                      seen.compiled.errors.push_back(finding);
                  }),
         "False IncludeCycle"},
        {"another repository is away", some_template(),
         compiled({},
                  [](Observed& seen) {
                      templates::Finding finding;
                      finding.reason = "ExternalAway";
                      seen.compiled.errors.push_back(finding);
                      seen.compiled.may_pass = true;
                  }),
         "False ExternalAway, again soon"},
        {"away", some_template(), unreadable(Code::unavailable),
         "False SourceFetchFailed, again soon"},
        {"not there", some_template(), unreadable(Code::not_found), "False SourceNotFound"},
        {"no access", some_template(), unreadable(Code::unauthenticated),
         "False SourceAccessDenied"},
        {"an unusable answer", some_template(), unreadable(Code::invalid), "False InvalidSource"},
        {"suspended", some_template([](crds::OrgTemplate& o) { o.spec.suspend = true; }),
         Observed{}, "Suspended"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto plan = org_template::plan(c.object, c.seen, noon);
        EXPECT_EQ(told(outcome(c.object, c.seen, plan)), c.expected);
        EXPECT_EQ(org_template::status(c.object, c.seen, plan, {}, noon).observed_generation, 3);
    }
}

TEST(OrgTemplatePlan, LooksAgainAtTheIntervalUnlessTriedBefore) {
    const auto at = [](const Observed& seen) {
        return org_template::plan(some_template(), seen, noon).wake_at;
    };
    EXPECT_EQ(at(compiled({})), noon + std::chrono::minutes(5));
    EXPECT_EQ(at(unreadable(Code::not_found)), noon + std::chrono::minutes(5));
    EXPECT_EQ(at(unreadable(Code::unavailable)), std::nullopt);
    const auto failed = [](Code code) {
        return org_template::plan_after_failure(some_template(), {code, "why"}, noon);
    };
    const auto told_of = [&](Code code) {
        return outcome(some_template(), compiled({}), failed(code), Error{code, "why"});
    };
    EXPECT_EQ(told_of(Code::unavailable), "False PublishFailed, again soon");
    EXPECT_EQ(told_of(Code::forbidden), "False PublishFailed");
    EXPECT_EQ(failed(Code::forbidden).wake_at, noon + std::chrono::minutes(5));
}

// A redirect or a web page may be the answer of a proxy for a moment.
TEST(OrgTemplatePlan, Fault23_AnUnusableAnswerIsTriedAgainSoonAndThenMoreSeldom) {
    const auto wait_after = [](Duration failing) {
        const auto object = some_template([&](crds::OrgTemplate& o) {
            o.spec.source.git = crds::GitSource();
            if (failing == Duration::zero()) return;
            o.status.set({.type = "SourceReady",
                          .status = crds::ConditionStatus::no,
                          .reason = "UnsupportedSource",
                          .message = "why",
                          .last_transition_time = noon - failing},
                         noon - failing);
        });
        const auto plan = org_template::plan(object, unreadable(Code::unsupported), noon);
        EXPECT_FALSE(plan.retry);
        return std::chrono::duration_cast<std::chrono::seconds>(*plan.wake_at - noon).count();
    };
    EXPECT_EQ(wait_after({}), 10);
    EXPECT_EQ(wait_after(std::chrono::seconds(3)), 10);
    EXPECT_EQ(wait_after(std::chrono::seconds(70)), 70);
    EXPECT_EQ(wait_after(std::chrono::hours(5)), 300) << "the interval";
    EXPECT_EQ(wait_after(std::chrono::hours(-5)), 10) << "the clock was set back";
}

// A failure keeps what the last good look gave.
TEST(OrgTemplatePlan, TheLastGoodArtifactStays) {
    const auto object = some_template([](crds::OrgTemplate& o) {
        o.status.artifact_digest = "good";
        o.status.revision = "r1";
    });
    Observed broken = compiled({});
    broken.compiled.errors.emplace_back();
    for (const Observed& seen :
         {unreadable(Code::unavailable), unreadable(Code::invalid), broken}) {
        const auto plan = org_template::plan(object, seen, noon);
        const auto status = org_template::status(object, seen, plan, {}, noon);
        EXPECT_EQ(status.artifact_digest, "good");
        EXPECT_EQ(status.revision, "r1");
        EXPECT_TRUE(plan.actions.empty());
    }
}

TEST(TemplateHistory, HasEachRevisionOnceAndTheNewestFirst) {
    struct Case {
        const char* name;
        std::vector<std::string> before;  // "r1/a": revision r1, artifact aaaa…
        const char* compiled;
        bool same_as_newest;
        std::int64_t limit;
        std::set<std::string> pins;
        const char* expected;
    };
    const Case cases[] = {
        {"the first", {}, "r1/a", false, 3, {}, "r1/a"},
        {"another", {"r1/a"}, "r2/b", false, 3, {}, "r2/b r1/a"},
        {"the same again", {"r2/b", "r1/a"}, "r2/b", true, 3, {}, "r2/b r1/a"},
        {"a commit that changes nothing is none", {"r1/a"}, "r2/a", true, 3, {}, "r1/a"},
        {"other values, the same files", {"r1/a"}, "r2/a", false, 3, {}, "r2/a r1/a"},
        {"other values of the same revision", {"r1/a"}, "r1/a", false, 3, {}, "r1/a"},
        {"one commit, another artifact", {"r1/a"}, "r1/b", false, 3, {}, "r1/b r1/a"},
        {"the branch went back", {"r3/c", "r2/b", "r1/a"}, "r1/a", false, 3, {}, "r1/a r3/c r2/b"},
        {"over the limit", {"r3/c", "r2/b", "r1/a"}, "r4/d", false, 3, {}, "r4/d r3/c r2/b"},
        {"a smaller limit", {"r3/c", "r2/b", "r1/a"}, "r3/c", true, 1, {}, "r3/c"},
        {"never none", {}, "r1/a", false, 0, {}, "r1/a"},
        {"a pin stays", {"r3/c", "r2/b", "r1/a"}, "r4/d", false, 2, {"r1"}, "r4/d r3/c r1/a"},
        {"by its digest", {"r2/b", "r1/a"}, "r2/b", true, 1, {std::string(12, 'a')}, "r2/b r1/a"},
        {"a pin to nothing", {"r2/b", "r1/a"}, "r2/b", true, 1, {"r9", ""}, "r2/b"},
    };
    const auto parsed = [](const std::string& text) {
        return revision(text.substr(0, text.find('/')), text.back());
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        std::vector<crds::TemplateRevision> before;
        for (const std::string& text : c.before) before.push_back(parsed(text));
        std::string after;
        for (const auto& entry :
             next_history(before, parsed(c.compiled), c.same_as_newest, {c.limit, c.pins})) {
            after += (after.empty() ? "" : " ") + entry.revision + "/" + entry.artifact_digest[0];
        }
        EXPECT_EQ(after, c.expected);
    }
}

// Trees whose nth put from now on fails, before it has an effect or after it.
class FaultyTrees final : public drivers::TreeStore {
  public:
    explicit FaultyTrees(drivers::TreeStore& inner) : inner_(inner) {}
    void fail_put(int nth, bool after_its_effect) {
        left_ = nth;
        after_ = after_its_effect;
    }
    Result<std::string> put(const drivers::Tree& tree) override {
        ++puts;
        const bool fails = left_ > 0 && --left_ == 0;
        if (!fails || after_) TRY(inner_.put(tree));
        if (fails) return Error{Code::unavailable, "a planned failure of a put"};
        return drivers::digest_of(drivers::manifest_of(tree));
    }
    Result<drivers::TreePtr> get(const std::string& digest) override { return inner_.get(digest); }
    Result<drivers::Manifest> manifest(const std::string& digest) override {
        return inner_.manifest(digest);
    }
    Result<std::string> read(const std::string& digest, const std::string& path) override {
        return inner_.read(digest, path);
    }
    int puts = 0;

  private:
    drivers::TreeStore& inner_;
    int left_ = 0;
    bool after_ = false;
};

// The law: whichever call fails, or is the last before a crash, reconciling again gets there, and
// once there nothing is touched.
TEST(OrgTemplateLaw, ConvergesThroughAnyOneFailureThenRests) {
    using Faults = std::function<void(OrgWorld&, FaultyTrees&)>;
    const auto story = [](const Faults& plan) {
        OrgWorld world;
        FaultyTrees trees(world.trees);
        OrgTemplateReconciler reconciler(world.objects, world.git, trees, {});
        const auto settle = [&] {
            for (int turn = 0; turn < 10; ++turn) {
                world.clock.now_ += std::chrono::seconds(10);
                const auto before = std::pair(world.store.revision(), trees.puts);
                const auto done = reconciler.reconcile(
                    {"orgtemplates.atelier.dev", "default", "dev"}, world.clock.now());
                if (done && before == std::pair(world.store.revision(), trees.puts)) return turn;
            }
            ADD_FAILURE() << "it does not come to rest";
            return 10;
        };
        world.push({{"org.yaml", "name: Dev\nworkspaces:\n  - {name: PM, files_dir: pm}\n"},
                    {"pm/system-prompt.md", "hi\n"},
                    {"pm/.env", "A=1\n"}});
        world.make_git_template();
        settle();
        world.push({{"org.yaml", "name: Dev\nworkspaces:\n  - {name: PM, files_dir: pm}\n"},
                    {"pm/system-prompt.md", "hello\n"},
                    {".env", "B=2\n"}});
        plan(world, trees);
        const int puts = trees.puts;
        const int writes = world.store.writes();
        settle();
        trees.fail_put(0, false);
        world.store.fail_write(0, false);
        EXPECT_EQ(settle(), 0) << "at rest";
        const auto object = world.read<crds::OrgTemplate>("dev");
        std::string picture = world.everything() + object.status.artifact_digest;
        picture += object.status.is_true("Ready") ? " Ready" : " not Ready";
        EXPECT_TRUE(world.trees.get(object.status.artifact_digest));
        return std::tuple(picture, trees.puts - puts, world.store.writes() - writes);
    };
    const auto [expected, puts, writes] = story([](OrgWorld&, FaultyTrees&) {});
    ASSERT_GE(puts, 2);
    ASSERT_GE(writes, 2);
    for (const bool after : {false, true}) {
        for (int nth = 1; nth <= puts; ++nth) {
            SCOPED_TRACE("put " + std::to_string(nth) + (after ? " after" : " before"));
            EXPECT_EQ(
                std::get<0>(story([&](OrgWorld&, FaultyTrees& t) { t.fail_put(nth, after); })),
                expected);
        }
        for (int nth = 1; nth <= writes; ++nth) {
            SCOPED_TRACE("write " + std::to_string(nth) + (after ? " after" : " before"));
            EXPECT_EQ(std::get<0>(story(
                          [&](OrgWorld& w, FaultyTrees&) { w.store.fail_write(nth, after); })),
                      expected);
        }
    }
    for (const char* call : {"refs", "fetch"}) {
        for (const auto when : {fakes::When::before, fakes::When::after}) {
            SCOPED_TRACE(call);
            EXPECT_EQ(std::get<0>(story([&](OrgWorld& w, FaultyTrees&) {
                          w.git.plan({.call = call, .nth = 1, .when = when, .code = Code::timeout});
                      })),
                      expected);
        }
    }
}

}  // namespace
}  // namespace atelier::reconcilers
