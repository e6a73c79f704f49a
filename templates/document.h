// Reading a template's YAML: values with their places, with `!include` and `!external` followed.
// A finding never stops the reading: a value that is wrong counts as absent, so that one
// compilation reports as many mistakes as possible.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "crds/yaml.h"
#include "templates/compile.h"
#include "templates/externals.h"
#include "templates/finding.h"

namespace atelier::templates {

// A set of files: the template itself, or another repository at a commit.
struct Mount {
    std::string identity;  // empty: the template itself
    std::string label;     // "owner/name@ref", shown in places; empty: the template itself
    TemplateFiles* files = nullptr;

    bool is_external() const { return !identity.empty(); }
    std::string shown(const std::string& path) const;  // "owner/name@ref:path"
};

struct YamlFile {
    const Mount* mount = nullptr;
    std::string path;  // inside the mount
    crds::YamlDocument document;
};

// The files that led to a file by `!include` and `!external`, innermost first.
struct Chain {
    const Mount* mount = nullptr;
    std::string path;
    int includes = 0;   // in this chain
    int externals = 0;  // in this chain
    Place referrer;     // of the `!include` or `!external` that led here; none for org.yaml
    std::shared_ptr<const Chain> from;
};

// One YAML value and its place. Valid as long as the Loader that made it.
struct Cursor {
    const YamlFile* file = nullptr;
    const json::Value* value = nullptr;
    std::string pointer;
    std::shared_ptr<const Chain> chain;

    Place place() const;
    // The place, and after it the places of the includes that led to it: of a file that is included
    // twice, the first alone would not tell which one is meant.
    std::string place_with_includes() const;
    Cursor member(std::string_view name, const json::Value& of) const;
    Cursor element(std::size_t index) const;
};

// Reads YAML files, each once, and follows `!include` and `!external` within the limits. Used by
// one thread; owns the parsed documents. What it is made with outlives it.
class Loader {
  public:
    Loader(TemplateFiles& files, Externals& externals, Findings& findings,
           const CompileLimits& limits)
        : externals_(externals),
          findings_(findings),
          limits_(limits),
          root_{.identity = "", .label = "", .files = &files} {}

    std::optional<Cursor> open(const std::string& path);
    // The value that `at` stands for: itself, or what its `!include` or `!external` names. nullopt
    // when it is null, when it cannot be read (which is a finding then), or when it is in a
    // repository that has yet to be fetched.
    std::optional<Cursor> resolve(Cursor at);

    const Mount& root() const { return root_; }
    // One of the errors may pass without a change of the template: a repository was unreachable.
    bool may_pass() const { return may_pass_; }
    // A repository was not fetched: workspaces of the template are missing from what was read.
    bool left_out() const { return left_out_; }
    Findings& findings() { return findings_; }
    const CompileLimits& limits() const { return limits_; }

  private:
    std::optional<Cursor> include(const Cursor& at, const json::Value& argument);
    std::optional<Cursor> external(const Cursor& at, const json::Value& argument);
    std::optional<ExternalTarget> external_target(const Cursor& at, const json::Value& argument);
    // The file that `at` refers to, with the chain of `at` made one longer; `kind` is "include" or
    // "external".
    std::optional<Cursor> enter(const Cursor& at, const Mount& mount, const std::string& path,
                                std::string_view kind);
    const Mount& mount_of(const ExternalTarget& target, ExternalTree& tree);
    const YamlFile* load(const Mount& mount, const std::string& path, const Place& referrer);
    const YamlFile* parse(const Mount& mount, const std::string& path, const std::string& text,
                          const Place& referrer);

    Externals& externals_;
    Findings& findings_;
    const CompileLimits& limits_;
    const Mount root_;
    std::map<std::string, Mount> mounts_;  // by identity
    // By the identity of the mount and the path; nullptr: the file cannot be read.
    std::map<std::pair<std::string, std::string>, std::unique_ptr<YamlFile>> loaded_;
    bool may_pass_ = false;
    bool left_out_ = false;
    std::int64_t bytes_ = 0;
    std::int64_t includes_ = 0;
};

// A mapping whose fields are read by name. warn_unknown() then reports the fields that nobody read.
// A field of a wrong type is an error and reads as absent.
class Mapping {
  public:
    // `at` must be resolved. A value that is no mapping is an error and reads as empty. `what`
    // names the mapping in messages: "a workspace".
    Mapping(Loader& loader, const Cursor& at, std::string_view what);

    std::optional<Cursor> find(std::string_view name);
    std::string text(std::string_view name);
    std::int64_t integer(std::string_view name, std::int64_t otherwise);
    std::optional<bool> boolean(std::string_view name);
    std::optional<double> number(std::string_view name);
    // The elements of a list, includes followed.
    std::vector<Cursor> list(std::string_view name);
    std::vector<std::string> texts(std::string_view name);
    // A field that real templates have and that has no effect here.
    void ignore(std::string_view name) { known_.emplace(name); }
    bool has(std::string_view name) const;
    // The field is a number, a boolean or a list: reading it as text gave an error already.
    bool has_other_than_text(std::string_view name) const;

    Place place_of(std::string_view name) const;    // the field's, or the mapping's own
    Cursor cursor_of(std::string_view name) const;  // likewise
    const Cursor& at() const { return at_; }
    // What paths in this mapping are relative to.
    const Mount& mount() const { return *at_.file->mount; }
    Loader& loader() { return loader_; }

    void warn_unknown();

  private:
    void wrong_type(const Cursor& field, std::string_view name, std::string_view wanted);

    Loader& loader_;
    Cursor at_;
    std::string what_;
    std::set<std::string, std::less<>> known_;
};

}  // namespace atelier::templates
