#include "cmd/server.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

#include "apiserver/api.h"
#include "apiserver/http/server.h"
#include "apiserver/identity/pki.h"
#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/metrics.h"
#include "base/random.h"
#include "cmd/certificates.h"
#include "cmd/forecaster.h"
#include "cmd/home.h"
#include "cmd/runtime_watch.h"
#include "cmd/runtimes.h"
#include "cmd/seed.h"
#include "cmd/signals.h"
#include "cmd/store_guard.h"
#include "controllers/controller.h"
#include "controllers/fleet_metrics.h"
#include "controllers/garbage.h"
#include "crds/kind.h"
#include "drivers/git/git.h"
#include "drivers/plugins/plugin_folders.h"
#include "drivers/trees/tree_store.h"
#include "reconcilers/common/objects.h"
#include "reconcilers/deleted_workspace/reconciler.h"
#include "reconcilers/org/reconciler.h"
#include "reconcilers/org/revision_diff.h"
#include "reconcilers/org_template/reconciler.h"
#include "reconcilers/plugin/reconciler.h"
#include "reconcilers/plugin_install/reconciler.h"
#include "reconcilers/plugin_policy/reconciler.h"
#include "reconcilers/plugin_update/reconciler.h"
#include "reconcilers/tree_garbage.h"
#include "reconcilers/update_tier/reconciler.h"
#include "reconcilers/workspace/reconciler.h"
#include "store/open.h"

namespace atelier::cmd {
namespace {

constexpr Duration shutdown_grace = std::chrono::seconds(30);
constexpr Duration stream_grace = std::chrono::seconds(2);

// The program beside this one, for workspaces that run as processes.
std::string agent_program() {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? "atelier-agent" : (self.parent_path() / "atelier-agent").string();
}

// Collects garbage whenever something changed, and trees from time to time, on a thread of its own.
class GarbageLoop {
  public:
    GarbageLoop(store::Store& store, const crds::Kinds& kinds, drivers::TreeCollection& trees,
                const Clock& clock, Metrics& metrics, const Log& log)
        : garbage_(store, kinds, log),
          trees_(store, kinds, trees, metrics, log, {}),
          clock_(clock) {
        subscription_ = store.on_commit([this](Revision) {
            {
                const std::lock_guard lock(mutex_);
                changed_ = true;
            }
            wake_.notify_one();
        });
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    ~GarbageLoop() {
        thread_.request_stop();
        thread_.join();
        subscription_.reset();
    }

  private:
    void run(const std::stop_token& stop) {
        pthread_setname_np(pthread_self(), "garbage");
        while (!stop.stop_requested()) {
            {
                const std::lock_guard lock(mutex_);
                changed_ = false;
            }
            if (garbage_.collect(clock_.now())) continue;
            trees_.collect(clock_.now());
            const Instant due = std::min(garbage_.next_sweep(), trees_.next());
            std::unique_lock lock(mutex_);
            // Short enough that a step of the clock, or a machine that slept, delays no sweep.
            const Duration left = std::min<Duration>(due - clock_.now(), std::chrono::minutes(1));
            wake_.wait_for(lock, stop, left, [&] { return changed_; });
        }
    }

    controllers::Garbage garbage_;
    reconcilers::TreeGarbage trees_;
    const Clock& clock_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool changed_ = true;  // guarded by mutex_
    std::unique_ptr<store::Subscription> subscription_;
    std::jthread thread_;
};

std::vector<controllers::FieldGauge> fleet_gauges() {
    return {
        {"pluginupdates.atelier.dev",
         "atelier_plugin_updates",
         "Plugin updates by phase; Pending is drift that waits for a decision.",
         "phase",
         {"status", "phase"},
         {"Pending", "Approved", "RollingOut", "Applied", "Dismissed", "Failed"}},
        {"plugininstalls.atelier.dev",
         "atelier_plugin_installs",
         "Plugin installs by the class of their last change.",
         "class",
         {"status", "lastChange"},
         {"Hot", "Cold", "None"}},
        {"workspaces.atelier.dev",
         "atelier_workspaces",
         "Workspaces by update tier.",
         "update_tier",
         {"spec", "updateTier"},
         {}},
    };
}

// Everything that runs, in the order it is made; it is unmade in the reverse order.
class Server {
  public:
    Server(const ServerOptions& options, Log log) : options_(options), log_(std::move(log)) {}

    Result<void> start() {
        home_.emplace(TRY(Home::open(options_, random_)));
        kinds_ = TRY(crds::atelier_kinds({.allow_unpinned = options_.allow_unpinned}));
        crds::add_core_kinds(kinds_);
        TRY(open_store());
        trees_ = TRY(drivers::open_tree_collection(options_.home / "trees"));
        drivers::GitOptions git;
        git.gate.most_slow = std::max(1, options_.workers / 2);
        git.stop = git_stop_.get_token();
        git_ = TRY(drivers::open_git(options_.home / "git", git, clock_, log_));
        folders_ = drivers::home_plugin_folders(options_.home);
        runtimes_ = TRY(make_runtimes(options_, home_->instance(), clock_, random_));
        log_.info(runtimes_.said);
        objects_ = std::make_unique<reconcilers::Objects>(*store_, kinds_, random_, log_);
        TRY(recognise_store());
        make_plans();
        TRY(make_api());
        if (!hold_.empty()) return serve();
        TRY(seed(*objects_, *api_, clock_.now()));
        store_mark_ =
            std::make_unique<StoreMarkKeeper>(options_.home / "store.json", *store_, log_);
        make_controllers();
        for (auto& controller : controllers_) controller->start();
        garbage_ = std::make_unique<GarbageLoop>(*store_, kinds_, *trees_, clock_, metrics_, log_);
        watch_ = std::make_unique<RuntimeWatch>(
            runtimes_,
            RuntimeWatch::Options{
                .having = {{std::string(reconcilers::unit_label::instance), home_->instance()}}},
            RuntimeWatch::Hints{[this](const Key& key) { workspaces_->hint(key); },
                                [this] { workspaces_->hint_all(); }},
            clock_, log_);
        return serve();
    }

    // The certificates are read again, or renewed, within a moment.
    void reload() {
        log_.info("reading the certificates again");
        certificates_->look_soon();
    }

    // The API first (readiness fails at once), then what turns the world, then the store.
    void stop() {
        stopping_ = true;
        certificates_.reset();
        git_stop_.request_stop();  // a remote that hangs holds up no end, nor does a plan
        if (api_) api_->stop();
        if (http_) http_->stop(stream_grace);
        watch_.reset();
        garbage_.reset();
        for (auto& controller : controllers_) controller->stop();
        controllers_.clear();
        http_.reset();
        api_.reset();
        store_mark_.reset();
        store_.reset();
    }

  private:
    Result<void> open_store() {
        store::Options options;
        options.url = store_url(options_);
        options.history_kept = options_.history_age;
        options.history_bytes = options_.history_bytes;
        options.encryption_key = home_->encryption_key();
        options.old_encryption_keys = home_->old_encryption_keys();
        store_ = TRY(store::open(options, clock_, random_, metrics_, log_));
        return {};
    }

    // A store that looks as if everything had been deleted is served, and nothing more.
    Result<void> recognise_store() {
        const auto known = TRY(read_store_mark(options_.home / "store.json"));
        const FoundStore found =
            find_strangers(*store_, runtimes_,
                           {{std::string(reconcilers::unit_label::instance), home_->instance()}});
        hold_ = why_hold(known, found, options_.accept_store);
        metrics_
            .gauge("atelier_store_held",
                   "1 while the server acts on nothing because it does not know its store.")
            .set(hold_.empty() ? 0 : 1);
        if (hold_.empty()) return {};
        log_.error("the server holds", Error{Code::unavailable, hold_});
        for (const std::string& unit : found.strangers) {
            log_.warning("the store does not have the Workspace of a unit", {{"unit", unit}});
        }
        return {};
    }

    std::string url() const {
        const bool v6 = options_.address.find(':') != std::string::npos;
        const bool any = options_.address == "0.0.0.0" || options_.address == "::";
        const std::string host = any  ? "127.0.0.1"
                                 : v6 ? "[" + options_.address + "]"
                                      : options_.address;
        return fmt::format("{}:{}", host, options_.port);
    }

    Result<void> make_api() {
        token_ = TRY(apiserver::ensure_token(options_.home / "token", random_));
        apiserver::ApiOptions options;
        options.credentials = {{token_, "admin", {"system:masters"}}};
        options.version = ATELIER_VERSION;
        options.planner = planner_.get();
        options.address = url();
        options.ready.push_back({"shutdown", [this]() -> Result<void> {
                                     if (!stopping_) return {};
                                     return Error{Code::unavailable, "shutting down"};
                                 }});
        options.ready.push_back({"store-known", [this]() -> Result<void> {
                                     if (hold_.empty()) return {};
                                     return Error{Code::unavailable, hold_};
                                 }});
        options.revision_diff =
            [this](const apiserver::RevisionQuestion& question) -> Result<std::string> {
            const auto diff = TRY(reconcilers::revision_diff(
                *objects_, *trees_, question.ns, question.org, question.since, question.to));
            return json::text(diff);
        };
        options.ready.push_back({"runtime", [this]() -> Result<void> {
                                     if (!watch_) return {};
                                     return watch_->health(runtimes_.default_backend);
                                 }});
        api_ = std::make_unique<apiserver::Api>(*store_, kinds_, clock_, random_, metrics_, log_,
                                                std::move(options));
        return {};
    }

    reconcilers::Runtimes runtimes() {
        std::map<std::string, drivers::Runtime*> runtimes;
        for (const auto& [name, runtime] : runtimes_.by_name) runtimes[name] = runtime.get();
        return {
            .by_backend = runtimes,
            .default_backend = runtimes_.default_backend,
            .folders = *folders_,
            .trees = *trees_,
            .random = random_,
            .metrics = metrics_,
            .instance = home_->instance(),
            .network = options_.network.empty() ? "atelier-" + home_->instance().substr(0, 8)
                                                : options_.network,
            .images = options_.images,
            .agent_program = agent_program(),
            .hash_key = keyed_digest(home_->encryption_key(), "hashes of specs"),
        };
    }

    void make_plans() {
        planner_ = make_forecast_service({.store = *store_,
                                          .kinds = kinds_,
                                          .random = random_,
                                          .git = *git_,
                                          .trees = *trees_,
                                          .templates_root = options_.org_templates,
                                          .external = options_.external,
                                          .runtimes = runtimes(),
                                          .fingerprint_key = plan_key(home_->encryption_key()),
                                          .log = log_},
                                         clock_, git_stop_.get_token());
    }

    void make_controllers() {
        add(std::make_unique<reconcilers::OrgTemplateReconciler>(
            *objects_, *git_, *trees_, options_.org_templates, options_.external,
            reconcilers::key_of_revisions(plan_key(home_->encryption_key()))));
        add(std::make_unique<reconcilers::OrgReconciler>(*objects_, *trees_, log_, &metrics_,
                                                         plan_key(home_->encryption_key())));
        workspaces_ =
            &add(std::make_unique<reconcilers::WorkspaceReconciler>(*objects_, runtimes(), log_));
        add(std::make_unique<reconcilers::DeletedWorkspaceReconciler>(*objects_, runtimes(), log_));
        add(std::make_unique<reconcilers::PluginReconciler>(
            *objects_, *git_, *trees_,
            reconcilers::plugin::Options{.directory = options_.plugins,
                                         .github_url = options_.github_url}));
        add(std::make_unique<reconcilers::PluginInstallReconciler>(*objects_, runtimes(), log_));
        add(std::make_unique<reconcilers::PluginUpdateReconciler>(*objects_, *trees_));
        add(std::make_unique<reconcilers::UpdateTierReconciler>(*objects_));
        add(std::make_unique<reconcilers::PluginPolicyReconciler>(*objects_));
        fleet_ =
            std::make_unique<controllers::FleetMetrics>(*store_, kinds_, metrics_, fleet_gauges());
        metrics_.before_scrape([this] {
            if (!stopping_) fleet_->sample();
        });
    }

    controllers::Controller& add(std::unique_ptr<reconcilers::Reconciler> reconciler) {
        reconcilers_.push_back(std::move(reconciler));
        controllers_.push_back(std::make_unique<controllers::Controller>(
            *reconcilers_.back(), *store_, clock_, random_, metrics_, log_,
            controllers::ControllerOptions{.workers = options_.workers, .core = {}}));
        return *controllers_.back();
    }

    Result<void> serve() {
        std::vector<std::string> names = options_.names;
        if (const std::string host = apiserver::host_name(); !host.empty()) names.push_back(host);
        const bool any = options_.address == "0.0.0.0" || options_.address == "::";
        if (!any) names.push_back(options_.address);
        certificates_ = std::make_unique<Certificates>(options_.home, names, clock_, random_, log_);
        const auto pki = TRY(certificates_->current(clock_.now()));
        apiserver::HttpOptions http;
        http.address = options_.address;
        http.port = options_.port;
        http.tls = pki.tls;
        http_ = TRY(apiserver::serve(http, api_->handler(), metrics_, log_, api_->head_check()));
        options_.port = http_->port();
        const auto kubeconfig = options_.home / "kubeconfig";
        TRY(apiserver::ensure_kubeconfig(kubeconfig, "https://" + url(), pki.ca_pem, token_));
        certificates_->keep([this, kubeconfig](const apiserver::Pki& renewed) -> Result<void> {
            TRY(http_->use_tls(renewed.tls));
            return apiserver::ensure_kubeconfig(kubeconfig, "https://" + url(), renewed.ca_pem,
                                                token_);
        });
        log_.info("serving", {{"url", "https://" + url()}, {"kubeconfig", kubeconfig.string()}});
        return {};
    }

    ServerOptions options_;
    const Log log_;
    SystemClock clock_;
    SystemRandom random_;
    Metrics metrics_;
    std::atomic<bool> stopping_ = false;
    std::optional<Home> home_;
    crds::Kinds kinds_;
    std::string token_;
    std::unique_ptr<store::Store> store_;
    std::string hold_;  // why nothing is acted on; constant once the API is made
    std::unique_ptr<StoreMarkKeeper> store_mark_;
    std::unique_ptr<drivers::TreeCollection> trees_;
    std::stop_source git_stop_;
    std::unique_ptr<drivers::Git> git_;
    std::unique_ptr<drivers::PluginFolders> folders_;
    Runtimes runtimes_;
    std::unique_ptr<reconcilers::Objects> objects_;
    std::unique_ptr<controllers::FleetMetrics> fleet_;
    std::unique_ptr<apiserver::ForecastService> planner_;
    std::unique_ptr<apiserver::Api> api_;
    std::vector<std::unique_ptr<reconcilers::Reconciler>> reconcilers_;
    std::vector<std::unique_ptr<controllers::Controller>> controllers_;
    controllers::Controller* workspaces_ = nullptr;
    std::unique_ptr<GarbageLoop> garbage_;
    std::unique_ptr<RuntimeWatch> watch_;
    std::unique_ptr<apiserver::HttpServer> http_;
    std::unique_ptr<Certificates> certificates_;
};

extern "C" void end_now(int) {
    constexpr std::string_view said = "what did not end in time was cut off\n";
    [[maybe_unused]] const auto written = write(STDERR_FILENO, said.data(), said.size());
    _exit(0);
}

}  // namespace

int run_server(const ServerOptions& options) {
    Signals signals;
    const Log log = Log::to_stderr(options.log_level, options.log_format);
    Server server(options, log);
    if (const auto started = server.start(); !started) {
        log.error("cannot start", started.error());
        server.stop();
        return 1;
    }
    log.info("ready");
    // Whoever rotates logs or certificates sends SIGHUP; the log goes to standard error, whose
    // reader rotates it, so only the certificates are read again.
    while (signals.wait() == SIGHUP) server.reload();
    log.info("stopping: a second signal ends it at once");
    signals.release();
    // What does not end by itself is ended: everything is safe to be cut at any point.
    std::signal(SIGALRM, end_now);
    alarm(static_cast<unsigned>(
        std::chrono::duration_cast<std::chrono::seconds>(shutdown_grace).count()));
    server.stop();
    log.info("stopped");
    return 0;
}

}  // namespace atelier::cmd
