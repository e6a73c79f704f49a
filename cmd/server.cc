#include "cmd/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string_view>
#include <vector>

#include "apiserver/api.h"
#include "apiserver/http/server.h"
#include "apiserver/identity/pki.h"
#include "base/clock.h"
#include "base/fingerprint.h"
#include "base/metrics.h"
#include "base/random.h"
#include "cmd/certificates.h"
#include "cmd/fleet_gauges.h"
#include "cmd/forecaster.h"
#include "cmd/garbage_loop.h"
#include "cmd/home.h"
#include "cmd/runtime_watch.h"
#include "cmd/runtimes.h"
#include "cmd/seed.h"
#include "cmd/signals.h"
#include "cmd/store_guard.h"
#include "controllers/controller.h"
#include "controllers/fleet_metrics.h"
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
#include "reconcilers/update_tier/reconciler.h"
#include "reconcilers/workspace/reconciler.h"
#include "store/open.h"

namespace atelier::cmd {
namespace {

constexpr Duration shutdown_grace = std::chrono::seconds(30);
constexpr Duration stream_grace = std::chrono::seconds(2);

// The agent of workspaces that run as processes: the program beside this one.
std::string agent_program() {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? "atelier-agent" : (self.parent_path() / "atelier-agent").string();
}

// The composition of the server: makes every part and joins them. The members stand in the order in
// which they are made, so that each may refer to those before it.
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
        log_.info(runtimes_.summary);
        objects_ = std::make_unique<reconcilers::Objects>(*store_, kinds_, random_, log_);
        TRY(recognise_store());
        make_forecasts();
        TRY(make_api());
        if (!hold_.empty()) return serve();
        TRY(seed(*objects_, *api_, clock_.now()));
        store_mark_ =
            std::make_unique<StoreMarkKeeper>(options_.home / "store.json", *store_, log_);
        make_controllers();
        for (auto& controller : controllers_) controller->start();
        garbage_ = std::make_unique<GarbageLoop>(*store_, kinds_, *trees_, clock_, metrics_, log_);
        watch_runtimes();
        return serve();
    }

    // SIGHUP: the certificate's files are read again. The log goes to stderr, so that there is no
    // file of it to open again.
    void reload() {
        log_.info("SIGHUP: the files of the certificate are read again");
        certificates_->check_now();
    }

    // Ends the API first, so that readiness fails at once; then everything that acts on runtimes
    // and git servers; then the store, which all of them use.
    void stop() {
        stopping_ = true;
        certificates_.reset();
        git_stop_.request_stop();  // ends git calls and forecasts, which may wait for a remote
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
        options.planner = forecasts_.get();
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
            const auto diff = TRY(reconcilers::org::revision_diff(
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

    // What the reconcilers get of the runtimes.
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
            .stops_strangers =
                !options_.accept_store.empty() && options_.accept_store == store_->identity(),
        };
    }

    void make_forecasts() {
        forecasts_ = make_forecast_service({.store = *store_,
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

    // One line for each kind.
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

    void watch_runtimes() {
        RuntimeWatch::Options options;
        options.having = {{std::string(reconcilers::unit_label::instance), home_->instance()}};
        watch_ = std::make_unique<RuntimeWatch>(
            runtimes_, options,
            RuntimeWatch::Hints{[this](const Key& key) { workspaces_->hint(key); },
                                [this] { workspaces_->hint_all(); }},
            clock_, log_);
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
    OwnedRuntimes runtimes_;
    std::unique_ptr<reconcilers::Objects> objects_;
    std::unique_ptr<controllers::FleetMetrics> fleet_;
    std::unique_ptr<apiserver::ForecastService> forecasts_;
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
    constexpr std::string_view message =
        "atelier: the server did not stop within 30 seconds and was ended\n";
    [[maybe_unused]] const auto written = write(STDERR_FILENO, message.data(), message.size());
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
    while (signals.wait() == SIGHUP) server.reload();
    log.info("stopping; a second signal ends the process at once");
    signals.release();
    // The process ends even when a thread does not. That is safe: the store and all files can be
    // cut off at any point.
    std::signal(SIGALRM, end_now);
    alarm(static_cast<unsigned>(
        std::chrono::duration_cast<std::chrono::seconds>(shutdown_grace).count()));
    server.stop();
    log.info("stopped");
    return 0;
}

}  // namespace atelier::cmd
