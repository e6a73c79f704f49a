// What a large org costs, in this process, with a store in memory and git in memory: to compile its
// template, to make its workspaces, to look at it when nothing changed, to plan a change of one
// node, and to follow it.
//
//   atelier_template_bench [--nodes N] [--per-file N] [--rounds N]
//
// Objects written are counted, not measured: they must be one a workspace at first, none when
// nothing changed, and one for a change of one node.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "crds/kind.h"
#include "forecast/make_forecast.h"
#include "reconcilers/org/reconciler.h"
#include "reconcilers/org_template/reconciler.h"
#include "store/open.h"
#include "tests/bench/figures.h"
#include "tests/fakes/fake_git.h"
#include "tests/fakes/fake_plugin_folder.h"
#include "tests/fakes/fake_runtime.h"
#include "tests/fakes/faulty_store.h"
#include "tests/fakes/memory_tree_store.h"

namespace atelier::bench {
namespace {

constexpr const char* url = "http://git.example/acme/org";

struct Settings {
    int nodes = 10'000;
    int per_file = 20;
    int rounds = 5;
};

template <class T>
T must(Result<T> result) {
    if (!result) {
        fmt::print(stderr, "{} ({})\n", result.error().message, result.error().detail);
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// A team in each file: a lead with a prompt of its own, and its people below.
drivers::Tree template_of(const Settings& settings, std::string_view role_of_first) {
    drivers::Tree tree;
    std::string org =
        "name: Large\ndefaults: {runtime: claude-code, model: sonnet, plugins: [guard, audit]}\n"
        "required_env: [A_KEY]\nworkspaces:\n";
    for (int first = 0; first < settings.nodes; first += settings.per_file) {
        const int team = first / settings.per_file;
        const std::string folder = fmt::format("teams/{}", team);
        org += fmt::format("  - !include {}/team.yaml\n", folder);
        std::string yaml = fmt::format("name: Lead {}\nfiles_dir: {}\nrole: {}\nchildren:\n", team,
                                       folder, team == 0 ? role_of_first : "leads");
        const int last = std::min(settings.nodes, first + settings.per_file);
        for (int i = first + 1; i < last; ++i) {
            yaml += fmt::format("  - {{name: Agent {}, role: works, plugins: [review]}}\n", i);
        }
        if (last == first + 1) yaml += "  []\n";
        tree[folder + "/team.yaml"].bytes = std::move(yaml);
        tree[folder + "/system-prompt.md"].bytes = fmt::format("You lead team {}.\n", team);
    }
    tree["org.yaml"].bytes = std::move(org);
    return tree;
}

class World {
  public:
    explicit World(const Settings& settings)
        : settings_(settings),
          kinds_(must(crds::atelier_kinds())),
          opened_(must(store::open({.url = "memory:", .encryption_key = "", .commit_inline = true},
                                   clock_, random_, metrics_, Log()))),
          store_(*opened_),
          objects_(store_, kinds_, random_, Log()),
          templates_(objects_, git_, trees_, {}),
          orgs_(objects_, trees_, Log(), &metrics_),
          runtime_(clock_) {
        crds::add_core_kinds(kinds_);
        json::Document space = must(
            json::parse(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}})"));
        std::vector<json::Document> spaces;
        spaces.push_back(std::move(space));
        for (const auto& candidate : must(forecast::proposed_objects_of(spaces, "", kinds_))) {
            must(forecast::put(store_, candidate, 0, random_, clock_.now()));
        }
        git_.commit(url, template_of(settings_, "leads"));
        crds::Meta meta;
        meta.ns = "default";
        meta.name = "large";
        crds::OrgTemplateSpec of_template;
        of_template.source.git =
            crds::GitSource{.url = url, .ref = "main", .path = "", .secret_ref = {}};
        must(objects_.create<crds::OrgTemplate>(meta, of_template, clock_.now()));
        meta.name = "acme";
        crds::OrgSpec of_org;
        of_org.template_ref.name = "large";
        must(objects_.create<crds::Org>(meta, of_org, clock_.now()));
    }

    void change_one() {
        git_.commit(url, template_of(settings_, fmt::format("leads, version {}", ++changes_)));
    }
    // Milliseconds.
    double reconcile_template() {
        return timed([&] {
            must(templates_.reconcile({"orgtemplates.atelier.dev", "default", "large"},
                                      clock_.now()));
        });
    }
    double reconcile_org() {
        return timed([&] {
            must(orgs_.reconcile({"orgs.atelier.dev", "default", "acme"}, clock_.now()));
        });
    }
    // Milliseconds, and how many workspaces it says would change.
    std::pair<double, std::size_t> plan() {
        const forecast::Dependencies tools{
            .store = store_,
            .kinds = kinds_,
            .random = random_,
            .git = git_,
            .trees = trees_,
            .templates_root = {},
            .external = {},
            .runtimes = reconcilers::Runtimes{.by_backend = {{"docker", &runtime_}},
                                              .default_backend = "docker",
                                              .folders = folders_,
                                              .trees = trees_,
                                              .random = random_,
                                              .metrics = metrics_,
                                              .instance = "bench",
                                              .images = {{"claude-code", "agent:1"}}},
            .fingerprint_key = "bench",
            .log = Log()};
        std::size_t changed = 0;
        const double took = timed([&] {
            const auto answer = must(forecast::make_forecast(
                tools, {.ns = "default", .objects = {}, .org = "acme"}, clock_.now(), {}));
            for (const auto& item : answer.forecast.items) changed += item.kind == "Workspace";
        });
        return {took, changed};
    }
    int writes() const { return store_.writes(); }
    // Writes of workspaces since that revision.
    int workspaces_written(Revision since) const {
        return static_cast<int>(
            must(store_.events("workspaces.atelier.dev", since, 1'000'000)).size());
    }
    Revision revision() const { return store_.revision(); }

  private:
    template <class Work>
    static double timed(Work work) {
        const auto begin = Steady::now();
        work();
        return seconds_since(begin) * 1e3;
    }

    const Settings settings_;
    SystemClock clock_;
    SeededRandom random_{7};
    Metrics metrics_;
    crds::Kinds kinds_;
    std::unique_ptr<store::Store> opened_;
    fakes::FaultyStore store_;
    fakes::FakeGit git_;
    fakes::MemoryTreeStore trees_;
    reconcilers::Objects objects_;
    reconcilers::OrgTemplateReconciler templates_;
    reconcilers::OrgReconciler orgs_;
    fakes::FakeRuntime runtime_;
    fakes::FakePluginFolders folders_;
    int changes_ = 0;
};

struct Figures {
    std::vector<double> compile, make, rest, plan, follow, bytes;
    int made = 0;
    int at_rest = 0;
    std::size_t planned = 0;
    int followed = 0;
};

void run(const Settings& settings, Figures& figures) {
    const double before = resident_bytes(getpid());
    World world(settings);
    figures.compile.push_back(world.reconcile_template());
    Revision mark = world.revision();
    figures.make.push_back(world.reconcile_org());
    figures.made = world.workspaces_written(mark);
    figures.bytes.push_back((resident_bytes(getpid()) - before) / settings.nodes);
    world.reconcile_org();

    const int writes = world.writes();
    figures.rest.push_back(world.reconcile_org());
    figures.at_rest = world.writes() - writes;

    world.change_one();
    const auto [took, planned] = world.plan();
    figures.plan.push_back(took);
    figures.planned = planned;
    world.reconcile_template();
    mark = world.revision();
    figures.follow.push_back(world.reconcile_org());
    figures.followed = world.workspaces_written(mark);
}

int main_of(const Settings& settings) {
    Figures figures;
    for (int i = 0; i < settings.rounds; ++i) run(settings, figures);
    const auto each = [&](std::vector<double> milliseconds) {
        for (double& one : milliseconds) one *= 1e3 / settings.nodes;
        return range(milliseconds, 1);
    };
    line("nodes", fmt::format("{} in {} files", settings.nodes,
                              (settings.nodes + settings.per_file - 1) / settings.per_file + 1));
    line("compile",
         fmt::format("{} ms, {} us a node", range(figures.compile, 0), each(figures.compile)));
    line("make all", fmt::format("{} ms, {} us a node; {} workspaces written",
                                 range(figures.make, 0), each(figures.make), figures.made));
    line("nothing to do", fmt::format("{} ms, {} us a node; {} objects written",
                                      range(figures.rest, 0), each(figures.rest), figures.at_rest));
    line("plan of one node",
         fmt::format("{} ms; {} workspace would change", range(figures.plan, 0), figures.planned));
    line("one node changed",
         fmt::format("{} ms; {} workspace written", range(figures.follow, 0), figures.followed));
    line("memory", fmt::format("{} bytes a node", range(figures.bytes, 0)));
    const bool linear = figures.made == settings.nodes && figures.at_rest == 0 &&
                        figures.planned == 1 && figures.followed == 1;
    if (!linear) fmt::print(stderr, "more, or less, was written than has changed\n");
    return linear ? 0 : 1;
}

}  // namespace
}  // namespace atelier::bench

int main(int argc, char** argv) {
    atelier::bench::Settings settings;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name = argv[i];
        const int value = std::atoi(argv[i + 1]);
        if (name == "--nodes") settings.nodes = value;
        if (name == "--per-file") settings.per_file = value;
        if (name == "--rounds") settings.rounds = value;
    }
    return atelier::bench::main_of(settings);
}
