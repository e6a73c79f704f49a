// Reading a template's YAML: values with their places, includes followed, findings collected.
// A finding never stops the reading: what is wrong counts as absent, so that one compilation tells
// as many mistakes as it can.
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

namespace atelier::templates {

struct Place {
    std::string file;
    crds::Position position;
    std::string text() const;  // "teams/a.yaml:3:5"
};

class Findings {
  public:
    void error(const Place& place, std::string_view reason, std::string message);
    void warn(const Place& place, std::string_view reason, std::string message);
    bool full() const { return errors_.size() >= most_errors; }
    std::vector<Finding> take_errors() { return std::move(errors_); }
    std::vector<Finding> take_warnings() { return std::move(warnings_); }

  private:
    static constexpr std::size_t most_errors = 50;
    static constexpr std::size_t most_warnings = 1000;
    std::vector<Finding> errors_;
    std::vector<Finding> warnings_;
};

// Where files are: the template itself, or another repository at a commit.
struct Mount {
    std::string identity;  // empty: the template itself
    std::string label;     // for places; empty: the template itself
    TemplateFiles* files = nullptr;

    bool is_external() const { return !identity.empty(); }
    std::string shown(const std::string& path) const;  // "owner/name@ref:path"
};

struct YamlFile {
    const Mount* mount = nullptr;
    std::string path;  // inside the mount
    crds::YamlDocument document;
};

// How a file came to be read: the files that lead to it, innermost first.
struct Chain {
    const Mount* mount = nullptr;
    std::string path;
    int includes = 0;   // on the way
    int externals = 0;  // on the way
    std::shared_ptr<const Chain> from;
};

// One value and where it stands.
struct Cursor {
    const YamlFile* file = nullptr;
    const json::Value* value = nullptr;
    std::string pointer;
    std::shared_ptr<const Chain> chain;

    Place place() const;
    Cursor member(std::string_view name, const json::Value& of) const;
    Cursor element(std::size_t index) const;
};

// Reads YAML files, each once, and follows `!include` and `!external`.
class Loader {
  public:
    Loader(TemplateFiles& files, Externals& externals, Findings& findings,
           const CompileLimits& limits)
        : externals_(externals),
          findings_(findings),
          limits_(limits),
          root_{.identity = "", .label = "", .files = &files} {}

    std::optional<Cursor> open(const std::string& path);
    // The value that `at` stands for: itself, or what its `!include` or `!external` names. Nothing
    // when it is null, cannot be had, or is yet to be fetched.
    std::optional<Cursor> resolve(Cursor at);

    const Mount& root() const { return root_; }
    // An error among the findings may pass by itself.
    bool may_pass() const { return may_pass_; }
    Findings& findings() { return findings_; }
    const CompileLimits& limits() const { return limits_; }

  private:
    std::optional<Cursor> include(const Cursor& at, const json::Value& argument);
    std::optional<Cursor> external(const Cursor& at, const json::Value& argument);
    std::optional<ExternalTarget> external_target(const Cursor& at, const json::Value& argument);
    // Follows the chain of `at` one further; `kind` is "include" or "external".
    std::optional<Cursor> enter(const Cursor& at, const Mount& mount, const std::string& path,
                                std::string_view kind);
    const Mount& mount_of(const ExternalTarget& target, ExternalTree& tree);
    const YamlFile* load(const Mount& mount, const std::string& path, const Place& asked_from);
    const YamlFile* parse(const Mount& mount, const std::string& path, const std::string& text,
                          const Place& asked_from);

    Externals& externals_;
    Findings& findings_;
    const CompileLimits& limits_;
    const Mount root_;
    std::map<std::string, Mount> mounts_;  // by identity
    // By the identity of the mount and the path; nullptr: cannot be read.
    std::map<std::pair<std::string, std::string>, std::unique_ptr<YamlFile>> loaded_;
    bool may_pass_ = false;
    std::int64_t bytes_ = 0;
    std::int64_t includes_ = 0;
};

// A mapping whose fields are taken by name. What nobody asked for is warned about at the end.
class Mapping {
  public:
    // `at` is resolved already; anything but a mapping is an error and reads as empty.
    Mapping(Loader& loader, const Cursor& at, std::string_view what);

    std::optional<Cursor> find(std::string_view name);
    std::string text(std::string_view name);
    std::int64_t integer(std::string_view name, std::int64_t otherwise);
    std::optional<bool> boolean(std::string_view name);
    std::optional<double> number(std::string_view name);
    // The elements of a list, includes followed.
    std::vector<Cursor> list(std::string_view name);
    std::vector<std::string> texts(std::string_view name);
    // A field that exists in real templates and is not acted on.
    void ignore(std::string_view name) { known_.emplace(name); }
    bool has(std::string_view name) const;
    // True when the field is there and no text; a warning about its type was recorded already.
    bool has_other_than_text(std::string_view name) const;

    Place place_of(std::string_view name) const;  // the field's, or the mapping's own
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
