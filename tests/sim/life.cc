#include "tests/sim/life.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "crds/deleted_workspace.h"
#include "crds/plugin.h"
#include "crds/plugin_update.h"
#include "crds/template_revision.h"
#include "reconcilers/common/kept_volumes.h"
#include "reconcilers/deleted_workspace/reconciler.h"
#include "reconcilers/org/reconciler.h"
#include "reconcilers/org_template/reconciler.h"
#include "reconcilers/plugin/reconciler.h"
#include "reconcilers/plugin_install/reconciler.h"
#include "reconcilers/plugin_policy/reconciler.h"
#include "reconcilers/plugin_update/reconciler.h"
#include "reconcilers/update_tier/reconciler.h"
#include "reconcilers/workspace/reconciler.h"
#include "tests/sim/laws.h"

namespace atelier::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* template_url = "http://git.sim/org.git";
constexpr const char* image = "sim/agent:1";
constexpr minutes poll{1};  // "1m" below
const std::vector<std::string> plugin_names{"alpha", "beta", "gamma"};
const std::vector<std::string> graces{"0s", "5m", "30m"};  // all shorter than the quiet at the end

std::string url_of(const std::string& plugin) {
    return "http://git.sim/" + plugin + ".git";
}

class Answer final : public apiserver::ResponseSink {
  public:
    void reply(int status, apiserver::Headers, apiserver::Frame body) override {
        status_ = status;
        body_ = body ? *body : "";
    }
    void start(int status, apiserver::Headers) override { status_ = status; }
    bool write(apiserver::Frame) override { return true; }
    void finish() override {}
    void on_closed(std::function<void()>) override {}
    std::size_t queued() const override { return 0; }
    int status() const { return status_; }

  private:
    int status_ = 0;
    std::string body_;
};

}  // namespace

// All that a crash takes away.
struct Life::Server {
    Server(Life& life, std::function<void()> around)
        : store(*life.kept_, std::move(around)),
          objects(store, life.kinds_, life.chances_, Log()),
          garbage(store, life.kinds_, Log()),
          api(store, life.kinds_, life.clock_, life.chances_, life.metrics_, Log(), [] {
              apiserver::ApiOptions options;
              options.credentials = {{"token", "admin", {"system:masters"}}};
              options.own_thread = false;
              return options;
          }()) {
        const reconcilers::Runtimes runtimes{.by_backend = {{"fake", &life.runtime_}},
                                             .default_backend = "fake",
                                             .folders = life.folders_,
                                             .trees = life.trees_,
                                             .random = life.chances_,
                                             .metrics = life.metrics_,
                                             .instance = "sim-instance",
                                             .network = "sim-net",
                                             .images = {}};
        add<reconcilers::OrgTemplateReconciler>(life, objects, life.git_, life.trees_,
                                                std::filesystem::path());
        add<reconcilers::OrgReconciler>(life, objects, life.trees_, Log());
        add<reconcilers::WorkspaceReconciler>(life, objects, runtimes, Log());
        add<reconcilers::PluginReconciler>(life, objects, life.git_, life.trees_,
                                           reconcilers::plugin::Options{});
        add<reconcilers::PluginInstallReconciler>(life, objects, runtimes, Log());
        add<reconcilers::PluginUpdateReconciler>(life, objects, life.trees_);
        add<reconcilers::UpdateTierReconciler>(life, objects);
        add<reconcilers::PluginPolicyReconciler>(life, objects);
        add<reconcilers::DeletedWorkspaceReconciler>(life, objects, runtimes, Log());
    }

    template <class R, class... Arguments>
    void add(Life& life, Arguments&&... arguments) {
        reconcilers.push_back(std::make_unique<R>(std::forward<Arguments>(arguments)...));
        cores.push_back(std::make_unique<controllers::Core>(
            *reconcilers.back(), store, life.chances_, controllers::CoreOptions{}));
    }

    SimStore store;
    reconcilers::Objects objects;
    controllers::Garbage garbage;
    apiserver::Api api;
    std::vector<std::unique_ptr<reconcilers::Reconciler>> reconcilers;
    std::vector<std::unique_ptr<controllers::Core>> cores;
};

Life::Life(std::uint64_t seed, bool trace)
    : random_(seed),
      chances_(seed ^ 0x9e3779b97f4a7c15),
      runtime_(clock_),
      model_(random_, plugin_names),
      volume_grace_(graces[draw(random_, graces.size())]),
      keep_trace_(trace) {
    auto kinds = crds::atelier_kinds();
    CHECK(kinds);
    kinds_ = *std::move(kinds);
    crds::add_core_kinds(kinds_);
    store::Options options;
    options.url = "memory:";
    options.commit_inline = true;
    auto opened = store::open(options, clock_, chances_, metrics_, Log());
    CHECK(opened);
    kept_ = *std::move(opened);
    watching_ = kept_->on_commit([this](Revision) {
        note_approved();
        note_promised();
    });

    runtime_.add_image(image);
    drivers::UnitSpec foreign;
    foreign.name = "ws-of-somebody";
    foreign.image = image;
    runtime_.add_foreign_unit(foreign, true);
    runtime_.add_foreign_volume("ws-of-somebody-configs");
    runtime_.add_foreign_network("bridge");
    runtime_.on_call([this](std::string_view, fakes::When) { maybe_crash(); });
    git_.on_call([this](std::string_view, fakes::When) { maybe_crash(); });
    folders_.on_call([this](std::string_view, fakes::When) { maybe_crash(); });
    // The agent: loads what is live when it starts, and what changes while it runs.
    runtime_.on_start([this](const drivers::UnitSpec& spec, const std::string&) {
        const auto uid = spec.labels.find("atelier.dev/uid");
        if (uid != spec.labels.end())
            folders_.report(uid->second, folders_.report_of_live(uid->second));
    });
    folders_.on_change([this](const std::string& uid) {
        check_live(uid);
        if (running(uid)) folders_.report(uid, folders_.report_of_live(uid));
    });
}

Life::~Life() = default;

void Life::say(const std::string& line) {
    const std::string full = fmt::format("{} {}", rfc3339(clock_.now()).substr(11, 8), line);
    hash_.update(full);
    if (keep_trace_) trace_.push_back(full);
}

std::string Life::fingerprint() {
    return std::exchange(hash_, Sha256()).hex();
}

void Life::maybe_crash() {
    if (until_crash_ == 0 || --until_crash_ > 0) return;
    throw Crash{};
}

void Life::boot() {
    server_ = std::make_unique<Server>(*this, [this] { maybe_crash(); });
    guarded([this] {
        (void)server_->api.seed();
        for (const auto& [name, order] : {std::pair{"canary", 0}, std::pair{"production", 100}}) {
            request("POST", "/apis/atelier.dev/v1alpha1/updatetiers",
                    fmt::format(R"({{"metadata":{{"name":"{}"}},"spec":{{"order":{}}}}})", name,
                                order));
        }
    });
}

// Runs a piece of the server's work; a crash ends the server and boots another.
void Life::guarded(const std::function<void()>& what) {
    try {
        what();
    } catch (const Crash&) {
        say("CRASH");
        ++crashes_;
        until_crash_ = 0;
        boot();
    }
}

int Life::request(const std::string& method, const std::string& path, const std::string& body,
                  const std::string& content_type) {
    apiserver::Request request;
    request.method = method;
    request.target = request.path = path;
    request.segments = split(path.substr(1), '/');
    request.headers = {{"authorization", "Bearer token"},
                       {"content-type", content_type},
                       {"accept", "application/json"},
                       {"host", "sim"}};
    request.body = body;
    const auto answer = std::make_shared<Answer>();
    server_->api.handle(std::move(request), answer);
    say(fmt::format("{} {} -> {}", method, path, answer->status()));
    return answer->status();
}

void Life::push_plugin(const std::string& plugin) {
    drivers::Tree tree;
    const int push = ++pushes_[plugin];
    tree["plugin.yaml"].bytes =
        fmt::format("name: {}\nversion: 1.0.0\ndescription: simulated\n", plugin);
    tree["skills/work/SKILL.md"].bytes = fmt::format("body {}\n", push);
    // Some pushes change more than the body of a skill.
    static constexpr int cold_every = 3;
    tree["rules/rule.md"].bytes = fmt::format("rule {}\n", push / cold_every);
    git_.commit(url_of(plugin), tree);
    say(fmt::format("push {} #{}", plugin, push));
}

void Life::declare() {
    const std::string base = fmt::format("/apis/atelier.dev/v1alpha1/namespaces/{}/", ns);
    for (const std::string& plugin : plugin_names) {
        request(
            "POST", base + "plugins",
            fmt::format(
                R"({{"metadata":{{"name":"{0}"}},"spec":{{"source":"git+{1}#main","track":"branch:main","interval":"1m"}}}})",
                plugin, url_of(plugin)));
    }
    request(
        "POST", base + "orgtemplates",
        fmt::format(
            R"({{"metadata":{{"name":"acme"}},"spec":{{"source":{{"git":{{"url":"{}","ref":"main"}}}},"interval":"1m"}}}})",
            template_url));
    request(
        "POST", base + "orgs",
        fmt::format(
            R"({{"metadata":{{"name":"{}"}},"spec":{{"templateRef":{{"name":"acme"}},"defaults":{{"image":"{}"}},"updateTiers":{{"n1":"canary"}},"prune":{{"volumeGrace":"{}"}}}}}})",
            org, image, volume_grace_));
}

// A digest may be live once it was the first of its plugin or somebody approved it.
void Life::note_approved() {
    const auto plugins = kept_->list(crds::PluginSpec::resource);
    for (const auto& object : plugins->objects) {
        auto& allowed = allowed_[object->key.name];
        if (!allowed.empty()) continue;
        const auto document = json::parse(object->body);
        const std::string digest =
            document ? json::string_at(*document, {"status", "approved", "digest"}) : "";
        if (!digest.empty()) allowed.insert(digest);
    }
}

// A workspace that goes and is to keep its volumes: they are there until then, unless one that
// lives has them again.
void Life::note_promised() {
    const auto workspaces = kept_->list(crds::WorkspaceSpec::resource);
    for (const auto& object : workspaces->objects) {
        const std::string uid = crds::volumes_uid(object->meta);
        if (!object->meta.deleted_at) {
            promised_.erase(uid);
            continue;
        }
        const auto until = reconcilers::keep_volumes_until(object->meta, clock_.now());
        if (!until || promised_.contains(uid)) continue;
        Promise& promise = promised_[uid];
        promise.until = *until;
        for (const auto& name :
             {reconcilers::configs_volume(uid), reconcilers::files_volume(uid)}) {
            if (runtime_.volume_names().contains(name)) promise.volumes.insert(name);
        }
    }
}

void Life::check_promised() {
    const auto there = runtime_.volume_names();
    for (const auto& [uid, promise] : promised_) {
        if (clock_.now() >= promise.until) continue;
        for (const std::string& name : promise.volumes) {
            if (!there.contains(name)) broken_ = "volume " + name + " is lost before its time";
        }
    }
}

// Somebody wants one back, beside whatever the template has by now.
void Life::undelete() {
    const auto kept = kept_->list(crds::DeletedWorkspaceSpec::resource);
    if (kept->objects.empty()) return;
    const auto& object = kept->objects[draw(random_, kept->objects.size())];
    request("PATCH",
            fmt::format("/apis/atelier.dev/v1alpha1/namespaces/{}/deletedworkspaces/{}", ns,
                        object->key.name),
            fmt::format(R"({{"spec":{{"restore":true,"restoreAs":"spare{}"}}}})", ++undeleted_),
            "application/merge-patch+json");
}

// What was brought back goes again, for good, and nobody waits for one any more.
void Life::clear_undeleted() {
    const std::string base = fmt::format("/apis/atelier.dev/v1alpha1/namespaces/{}/", ns);
    const auto kept = kept_->list(crds::DeletedWorkspaceSpec::resource);
    for (const auto& object : kept->objects) {
        request("PATCH", base + "deletedworkspaces/" + object->key.name,
                R"({"spec":{"restore":false}})", "application/merge-patch+json");
    }
    const auto workspaces = kept_->list(crds::WorkspaceSpec::resource);
    for (const auto& object : workspaces->objects) {
        if (object->key.name.starts_with("spare")) {
            request("DELETE", base + "workspaces/" + object->key.name, "");
        }
    }
}

bool Life::running(const std::string& uid) const {
    for (const auto& unit : runtime_.all_units()) {
        const auto label = unit.labels.find("atelier.dev/uid");
        if (label != unit.labels.end() && label->second == uid) {
            return unit.state == drivers::Unit::State::running;
        }
    }
    return false;
}

void Life::check_live(const std::string& uid) {
    for (const auto& [plugin, digest] : folders_.live(uid)) {
        if (!allowed_[plugin].contains(digest)) {
            broken_ =
                fmt::format("{} has {} live, which nobody approved", plugin, digest.substr(0, 7));
        }
    }
}

void Life::decide() {
    const auto updates = kept_->list(crds::PluginUpdateSpec::resource);
    for (const auto& object : updates->objects) {
        const auto update = crds::decode<crds::PluginUpdate>(object->body);
        CHECK(update);
        if (update->spec.decision != crds::Decision::none ||
            update->status.phase != crds::UpdatePhase::pending || draw(random_, 2) == 0) {
            continue;
        }
        const bool approve = draw(random_, 3) != 0;
        if (approve) allowed_[update->spec.plugin].insert(update->spec.to.digest);
        request("PATCH",
                fmt::format("/apis/atelier.dev/v1alpha1/namespaces/{}/pluginupdates/{}", ns,
                            object->key.name),
                fmt::format(R"({{"spec":{{"decision":"{}","decidedBy":"sim"}}}})",
                            approve ? "Approve" : "Dismiss"),
                "application/merge-patch+json");
        return;
    }
}

void Life::confirm_prune() {
    const auto object = kept_->get({std::string(crds::OrgSpec::resource), ns, org});
    const auto document = object ? json::parse(object->body) : Result<json::Document>(Error{});
    if (!document) return;
    const std::string digest = json::string_at(*document, {"status", "pendingPruneDigest"});
    if (digest.empty()) return;
    request("PATCH", fmt::format("/apis/atelier.dev/v1alpha1/namespaces/{}/orgs/{}", ns, org),
            fmt::format(R"({{"metadata":{{"annotations":{{"atelier.dev/confirm-prune":"{}"}}}}}})",
                        digest),
            "application/merge-patch+json");
}

void Life::pin() {
    const auto object = kept_->get({std::string(crds::OrgTemplateSpec::resource), ns, "acme"});
    const auto source =
        object ? crds::decode<crds::OrgTemplate>(object->body) : Result<crds::OrgTemplate>(Error{});
    if (!source || source->status.history.empty()) return;
    const auto& history = source->status.history;
    const auto& entry = history[draw(random_, history.size())];
    request("PATCH", fmt::format("/apis/atelier.dev/v1alpha1/namespaces/{}/orgs/{}", ns, org),
            fmt::format(R"({{"spec":{{"revision":"{}"}}}})", entry.revision),
            "application/merge-patch+json");
}

void Life::unpin() {
    request("PATCH", fmt::format("/apis/atelier.dev/v1alpha1/namespaces/{}/orgs/{}", ns, org),
            R"({"spec":{"revision":null}})", "application/merge-patch+json");
}

std::optional<std::string> Life::check_pin() const {
    const auto object = kept_->get({std::string(crds::OrgSpec::resource), ns, org});
    const auto it = object ? crds::decode<crds::Org>(object->body) : Result<crds::Org>(Error{});
    if (!it || it->spec.revision.empty()) return std::nullopt;
    const auto owner = kept_->get({std::string(crds::OrgTemplateSpec::resource), ns, "acme"});
    const auto source =
        owner ? crds::decode<crds::OrgTemplate>(owner->body) : Result<crds::OrgTemplate>(Error{});
    if (!source) return "the template is gone";
    const auto entry =
        crds::find_revision(source->status.history, it->spec.revision, it->status.artifact_digest);
    if (!entry) return "a revision was forgotten that an Org is pinned to";
    if (it->status.revision != entry->revision ||
        it->status.artifact_digest != entry->artifact_digest) {
        return fmt::format("it is pinned to {}, and runs {}", it->spec.revision,
                           it->status.revision);
    }
    return std::nullopt;
}

void Life::act_on_world() {
    const auto units = runtime_.all_units();
    std::vector<std::string> ours;
    for (const auto& unit : units) {
        if (unit.labels.contains("atelier.dev/uid")) ours.push_back(unit.name);
    }
    const auto when = draw(random_, 2) == 0 ? fakes::When::before : fakes::When::after;
    const std::size_t nth = 1 + draw(random_, 5);
    switch (draw(random_, 9)) {
        case 0:
            if (!ours.empty()) runtime_.kill(ours[draw(random_, ours.size())]);
            return say("kill a unit");
        case 1:
            if (!ours.empty()) runtime_.vanish(ours[draw(random_, ours.size())]);
            return say("remove a unit");
        case 2:
            runtime_.kill_all();
            return say("the machine restarts");
        case 3:
            runtime_.set_weather(draw(random_, 2) == 0 ? fakes::FakeRuntime::Weather::away
                                                       : fakes::FakeRuntime::Weather::slow);
            return say("the daemon is away");
        case 4:
            runtime_.set_weather(fakes::FakeRuntime::Weather::fair);
            return say("fair weather");
        case 5:
            git_.set_away(draw(random_, 2) == 0);
            return say("git comes or goes");
        case 6:
            runtime_.plan({"", nth, when, Code::unavailable});
            return say("a call will fail");
        case 7:
            folders_.plan({"", nth, when, Code::unavailable});
            return say("a folder will fail");
        default:
            runtime_.drop_events(draw(random_, 2) == 0);
            return say("events come or go");
    }
}

void Life::act() {
    switch (draw(random_, 11)) {
        case 8:
            return guarded([this] { pin(); });
        case 9:
            return guarded([this] { unpin(); });
        case 10:
            return guarded([this] { undelete(); });
        case 0:
        case 1: {
            const std::string edit = model_.edit();
            git_.commit(template_url, model_.files());
            return say("template: " + edit);
        }
        case 2:
            return push_plugin(plugin_names[draw(random_, plugin_names.size())]);
        case 3:
            return guarded([this] { decide(); });
        case 4:
            return guarded([this] { confirm_prune(); });
        case 5:
            until_crash_ = 1 + draw(random_, 40);
            return say("a crash is near");
        default:
            return act_on_world();
    }
}

bool Life::work_once() {
    bool worked = false;
    guarded([&] {
        Server& server = *server_;
        const Instant now = clock_.now();
        for (const auto& labels : runtime_.take_events()) {
            const auto name = labels.find("atelier.dev/name");
            if (name == labels.end()) continue;
            server.cores[2]->add({std::string(crds::WorkspaceSpec::resource), ns, name->second},
                                 now);
        }
        for (const auto& core : server.cores) {
            for (const Key& key : core->feed()) core->add(key, now);
        }
        if (server.garbage.collect(now)) worked = true;
        const std::size_t first = draw(random_, server.cores.size());
        for (std::size_t i = 0; i < server.cores.size(); ++i) {
            controllers::Core& core = *server.cores[(first + i) % server.cores.size()];
            const auto key = core.take(now);
            if (!key) continue;
            worked = true;
            const auto outcome = core.reconciler().reconcile(*key, now);
            core.finish(*key, outcome, now);
            say(fmt::format("{} {} {}", core.reconciler().name(), key->name,
                            outcome ? "ok" : outcome.error().message));
            return;
        }
    });
    return worked;
}

void Life::run_until(Instant end) {
    // A plane that never rests would run for ever at one instant.
    constexpr int most_at_one_instant = 20'000;
    int at_this_instant = 0;
    while (!broken_) {
        const bool worked = work_once();
        check_promised();
        if (worked) {
            if (++at_this_instant > most_at_one_instant) broken_ = "it never comes to rest";
            continue;
        }
        at_this_instant = 0;
        Instant next = server_->garbage.next_sweep();
        for (const auto& core : server_->cores) {
            if (const auto due = core->next_due()) next = std::min(next, *due);
        }
        if (next >= end) break;
        clock_.set(std::max(next, clock_.now() + Duration{1}));
    }
    clock_.set(std::max(end, clock_.now()));
}

std::optional<std::string> Life::live() {
    git_.commit(template_url, model_.files());
    for (const std::string& plugin : plugin_names) push_plugin(plugin);
    boot();
    guarded([this] { declare(); });
    const std::size_t acts = 10 + draw(random_, 40);
    for (std::size_t i = 0; i < acts && !broken_; ++i) {
        act();
        run_until(clock_.now() + seconds(draw(random_, 120)));
    }
    // Quiet: nothing fails any more, and what waits for a person gets its answer.
    until_crash_ = 0;
    runtime_.set_weather(fakes::FakeRuntime::Weather::fair);
    runtime_.drop_events(false);
    git_.set_away(false);
    say("quiet");
    guarded([this] { declare(); });
    run_until(clock_.now() + minutes(10));
    guarded([this] { clear_undeleted(); });
    const auto settle = [this] {
        for (int i = 0; i < 4 && !broken_; ++i) {
            run_until(clock_.now() + minutes(20));
            guarded([this] { confirm_prune(); });
        }
        run_until(clock_.now() + minutes(45));
    };
    settle();
    if (broken_) return broken_;
    if (const auto wrong = check_pin()) return wrong;
    guarded([this] { unpin(); });
    settle();
    if (broken_) return broken_;
    const Laws laws(*this);
    if (const auto wrong = laws.converged()) return wrong;

    const auto before = server_->store.writes();
    runtime_.clear_calls();
    folders_.clear_calls();
    constexpr minutes rest{40};
    run_until(clock_.now() + rest);
    if (broken_) return broken_;
    for (const auto& [resource, count] : server_->store.writes()) {
        const auto it = before.find(resource);
        const std::size_t wrote = count - (it == before.end() ? 0 : it->second);
        // A Plugin keeps when it last looked upstream: a write an interval. Events expire.
        const bool looks = resource == crds::PluginSpec::resource;
        const std::size_t allowed =
            looks ? plugin_names.size() * (static_cast<std::size_t>(rest / poll) + 1) : 0;
        if (resource != "events" && wrote > allowed) {
            return fmt::format("at rest it wrote {} {}", wrote, resource);
        }
    }
    return laws.rested();
}

}  // namespace atelier::sim
