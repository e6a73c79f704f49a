#include "templates/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/field_codec.h"
#include "base/text.h"
#include "drivers/trees/read_tree.h"
#include "templates/env.h"
#include "templates/tree_files.h"

namespace atelier::templates {
namespace {

constexpr const char* unknown_host = "external-host.invalid";

class LocalExternals final : public Externals {
  public:
    LocalExternals(ExternalPolicy policy, StandIns stand_ins)
        : policy_(std::move(policy)), stand_ins_(std::move(stand_ins)) {}

    Result<ExternalTarget> check(const ExternalRequest& request) const override {
        ExternalPolicy policy = policy_;
        // The host of the server is not known here either; any host will do, because nothing is
        // fetched from it.
        if (policy.host.empty()) policy.host = unknown_host;
        if (policy.allow.empty()) {
            const auto origin = external_origin(request.url.empty() ? policy.host : request.url);
            if (origin) policy.allow.push_back(*origin);
        }
        return check_external(request, policy);
    }

    Result<ExternalTree*> open(const ExternalTarget& target) override {
        const auto stand_in = stand_ins_.find(repository_of(target));
        if (stand_in == stand_ins_.end()) return nullptr;
        auto& tree = trees_[target.url];
        if (!tree.files) {
            auto files = drivers::read_tree(stand_in->second);
            if (!files) return files.error();
            tree.identity = target.url;
            tree.files = files_of_tree(std::make_shared<const drivers::Tree>(std::move(*files)));
        }
        return &tree;
    }

    bool fetch_pending() override { return false; }
    std::vector<crds::TemplateExternal> fetched() const override { return {}; }

  private:
    static std::string repository_of(const ExternalTarget& target) {
        std::string name = target.url.substr(target.origin.size() + 1);
        return name.substr(0, name.size() - std::string_view(".git").size());
    }

    const ExternalPolicy policy_;
    const StandIns stand_ins_;
    std::map<std::string, ExternalTree> trees_;  // by URL
};

bool is_whole(const Compilation& compiled) {
    return compiled.errors.empty() &&
           std::none_of(compiled.warnings.begin(), compiled.warnings.end(),
                        [](const Finding& one) { return one.reason == "ExternalNotFetched"; });
}

struct Report {
    const Compilation& compiled;
    bool valid = false;
    std::string artifact_digest;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("valid", self.valid);
        v("name", self.compiled.org.name);
        v("counts", self.compiled.org.counts);
        v("requiredEnv", self.compiled.org.required_env);
        v("recommendedEnv", self.compiled.org.recommended_env);
        v("artifactDigest", self.artifact_digest);
        v("errors", self.compiled.errors);
        v("warnings", self.compiled.warnings);
    }
};

}  // namespace

std::unique_ptr<Externals> local_externals(ExternalPolicy policy, StandIns stand_ins) {
    return std::make_unique<LocalExternals>(std::move(policy), std::move(stand_ins));
}

std::vector<std::string> summary_of(const Compilation& compiled) {
    if (!compiled.errors.empty()) return {};
    const CompiledOrg& org = compiled.org;
    std::vector<std::string> lines = {fmt::format("{}: declared {}, not spawned {}", org.name,
                                                  org.counts.declared, org.counts.skipped)};
    std::set<std::string> plugins;
    for (const Node& node : org.nodes) plugins.insert(node.plugins.begin(), node.plugins.end());
    if (!plugins.empty())
        lines.push_back("plugins: " + join({plugins.begin(), plugins.end()}, ", "));
    if (!org.required_env.empty()) lines.push_back("requires: " + text_of(org.required_env));
    if (!org.recommended_env.empty()) {
        lines.push_back("recommends: " + text_of(org.recommended_env));
    }
    return lines;
}

std::string json_of(const Compilation& compiled) {
    Report report{compiled, compiled.errors.empty(), ""};
    if (is_whole(compiled)) {
        report.artifact_digest =
            drivers::digest_of(drivers::manifest_of(artifact_of(compiled.org)));
    }
    return json::pretty(json::document_of(report)) + "\n";
}

}  // namespace atelier::templates
