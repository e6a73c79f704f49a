#include "tests/fuzz/template_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/digest.h"
#include "base/text.h"
#include "base/utf8.h"
#include "crds/kind.h"
#include "drivers/trees/tree.h"
#include "reconcilers/org/desired.h"
#include "reconcilers/org_template/git_externals.h"
#include "templates/compile.h"
#include "templates/tree_files.h"
#include "tests/fakes/fake_git.h"

namespace atelier::fuzz {
namespace {

using namespace reconcilers;
using namespace templates;

constexpr std::string_view heading = "=== ";
constexpr std::string_view arrow = " -> ";

struct Case {
    drivers::Tree own;
    std::map<std::string, drivers::Tree> repositories;  // by "owner/name"
};

void add_file(Case& out, std::string_view title, std::string bytes) {
    drivers::File file;
    std::string path(title.substr(0, title.find(arrow)));
    if (path.size() < title.size()) {
        file.kind = drivers::File::Kind::symlink;
        file.bytes = title.substr(path.size() + arrow.size());
    } else {
        file.bytes = std::move(bytes);
    }
    drivers::Tree* tree = &out.own;
    if (path.starts_with('@')) {
        const std::size_t name = path.find('/');
        const std::size_t end = name == std::string::npos ? name : path.find('/', name + 1);
        if (end == std::string::npos) return;
        tree = &out.repositories[path.substr(1, end - 1)];
        path = path.substr(end + 1);
    }
    if (drivers::check_tree_path(path)) tree->insert_or_assign(path, std::move(file));
}

// A file that is also a folder is what no git gives.
void drop_impossible(drivers::Tree& tree) {
    std::set<std::string> folders;
    for (const auto& [path, file] : tree) {
        for (std::size_t at = path.find('/'); at != std::string::npos;
             at = path.find('/', at + 1)) {
            folders.insert(path.substr(0, at));
        }
    }
    for (const std::string& folder : folders) tree.erase(folder);
}

Case case_of(std::string_view text) {
    Case out;
    std::string title = "org.yaml";
    std::string bytes;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end);
        if (line.starts_with(heading)) {
            add_file(out, title, std::move(bytes));
            bytes.clear();
            title = trim(line.substr(heading.size()));
        } else {
            bytes += line;
        }
    }
    add_file(out, title, std::move(bytes));
    drop_impossible(out.own);
    for (auto& [name, tree] : out.repositories) drop_impossible(tree);
    return out;
}

templates::Compilation compile_once(const Case& of) {
    fakes::FakeGit git;
    for (const auto& [name, tree] : of.repositories) {
        const std::string url = fmt::format("https://git.example.com/{}.git", name);
        git.tag(url, "v1", git.commit(url, tree));
    }
    const auto externals = external_repositories(
        git, {.host = "git.example.com", .allow = {"git.example.com/acme/*"}}, {});
    const auto files = templates::files_of_tree(std::make_shared<const drivers::Tree>(of.own));
    return templates::compile(*files, *externals, {.nodes = 500});
}

std::string findings_text(const templates::Compilation& result) {
    std::string out;
    for (const auto* findings : {&result.errors, &result.warnings}) {
        for (const templates::Finding& finding : *findings) {
            out += finding.reason + " " + templates::text_of(finding) + "\n";
        }
        out += "\n";
    }
    return out;
}

std::string json_of(const templates::CompiledOrg& org) {
    return json::text(json::document_of(org));
}

std::string wrong_with_findings(const templates::Compilation& result) {
    if (result.errors.size() > 50 || result.warnings.size() > 1000) return "too many findings";
    for (const auto* findings : {&result.errors, &result.warnings}) {
        for (const templates::Finding& finding : *findings) {
            if (finding.reason.empty() || finding.message.empty()) return "a finding says nothing";
            if (finding.line < 0 || finding.column < 0) return "a finding is nowhere";
            if (as_utf8(templates::text_of(finding)) != templates::text_of(finding))
                return "a finding is not UTF-8";
        }
    }
    return {};
}

std::string wrong_with_nodes(const templates::Compilation& result) {
    std::set<std::string> keys;
    for (const templates::Node& node : result.org.nodes) {
        if (!is_dns_label(node.key)) return fmt::format("the key \"{}\"", node.key);
        if (!node.parent.empty() && !keys.contains(node.parent)) {
            return fmt::format("{} comes before its parent {}", node.key, node.parent);
        }
        if (!keys.insert(node.key).second) return fmt::format("{} is there twice", node.key);
        if (node.tier < 1 || node.tier > 4) return fmt::format("tier {}", node.tier);
        if (node.files.empty() != node.files_digest.empty()) return node.key + ": files";
        const auto tree = result.trees.find(node.files_digest);
        if (node.files.empty()) continue;
        if (tree == result.trees.end()) return node.key + ": its files are nowhere";
        for (const templates::NodeFile& file : node.files) {
            const auto found = tree->second.find(file.path);
            if (found == tree->second.end()) return fmt::format("{} is nowhere", file.path);
            if (!is_safe_relative_path(file.path)) return fmt::format("the path {}", file.path);
            if (sha256_hex(found->second.bytes) != file.sha256) return file.path + ": its digest";
        }
    }
    for (const auto& [digest, tree] : result.trees) {
        if (drivers::digest_of(drivers::manifest_of(tree)) != digest) return "a tree's digest";
        if (!drivers::check_storable(tree)) return "a tree that cannot be stored";
    }
    return {};
}

const crds::Kind& workspace_kind() {
    static const crds::Kinds kinds = [] {
        auto made = crds::atelier_kinds();
        CHECK(made);
        return std::move(*made);
    }();
    return *kinds.find(crds::WorkspaceSpec::resource);
}

class NoLookup final : public crds::Lookup {
  public:
    std::string find(const Key& /*key*/) const override { return {}; }
};

// What compiles can be made: the API would take each workspace of it.
std::string wrong_with_workspaces(const templates::Compilation& result) {
    crds::Org org;
    org.meta.name = "o";
    org.meta.ns = "default";
    org::Observed observed;
    observed.compiled = result.org;
    observed.layers = result.env;
    for (const org::DesiredWorkspace& wanted :
         org::desired_of(org, result.org, observed).workspaces) {
        if (!wanted.problem.empty()) continue;  // told, and not made
        crds::Workspace workspace;
        workspace.meta = wanted.meta;
        workspace.spec = wanted.spec;
        const json::Document document = crds::encode(workspace);
        std::vector<Cause> causes;
        workspace_kind().schema->validate(document, causes);
        workspace_kind().rule(document, nullptr, NoLookup(), causes);
        if (causes.empty()) continue;
        return fmt::format("{}: {}: {}", wanted.name, causes[0].field, causes[0].message);
    }
    return {};
}

std::string wrong_with_artifact(const templates::Compilation& result) {
    const drivers::Tree artifact = templates::artifact_of(result.org);
    const auto document = json::parse(artifact.at(std::string(templates::tree_file)).bytes,
                                      {.depth = 100, .nodes = 20'000'000});
    if (!document) return "the artifact is no JSON";
    const auto org = json::read<templates::CompiledOrg>(static_cast<const json::Value&>(*document));
    if (!org) return "the artifact cannot be read: " + org.error().message;
    if (json_of(*org) != json_of(result.org)) return "the artifact says something else";
    return {};
}

// Other letters and digits in every value of a .env file.
std::string with_other_values(const std::string& env) {
    std::string out = env;
    bool in_value = false;
    for (char& c : out) {
        if (c == '\n') {
            in_value = false;
        } else if (c == '=') {
            in_value = true;
        } else if (in_value && c >= 'a' && c <= 'z') {
            c = c == 'z' ? 'a' : static_cast<char>(c + 1);
        } else if (in_value && c >= '0' && c <= '9') {
            c = c == '9' ? '0' : static_cast<char>(c + 1);
        }
    }
    return out;
}

// Whatever the values of the environment are, everything else that is told is the same.
std::string wrong_with_secrets(const Case& of, const templates::Compilation& result) {
    if (result.env.org.empty() && result.env.nodes.empty()) return {};
    Case other = of;
    for (auto& [path, file] : other.own) {
        if (path == ".env" || path.ends_with("/.env")) file.bytes = with_other_values(file.bytes);
    }
    const templates::Compilation compiled = compile_once(other);
    if (findings_text(compiled) != findings_text(result)) return "a finding tells a secret";
    if (json_of(compiled.org) != json_of(result.org)) return "the artifact tells a secret";
    return {};
}

}  // namespace

std::string wrong_with_template(std::string_view text) {
    const Case the_case = case_of(text);
    const templates::Compilation first = compile_once(the_case);
    const templates::Compilation second = compile_once(the_case);
    if (findings_text(first) != findings_text(second)) return "other findings the second time";
    if (auto wrong = wrong_with_findings(first); !wrong.empty()) return wrong;
    if (!first.errors.empty()) return {};
    if (json_of(first.org) != json_of(second.org)) return "another tree the second time";
    if (first.env.org != second.env.org || first.env.nodes != second.env.nodes) {
        return "another environment the second time";
    }
    if (auto wrong = wrong_with_nodes(first); !wrong.empty()) return wrong;
    if (auto wrong = wrong_with_workspaces(first); !wrong.empty()) return wrong;
    if (auto wrong = wrong_with_artifact(first); !wrong.empty()) return wrong;
    return wrong_with_secrets(the_case, first);
}

}  // namespace atelier::fuzz
