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
#include "reconcilers/org_template/compile.h"

namespace atelier::reconcilers {

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

struct YamlFile {
    std::string path;
    crds::YamlDocument document;
};

// How a file came to be read: the files that include it, innermost first.
struct Chain {
    std::string path;
    int depth = 0;  // includes on the way; 0: org.yaml
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

// Reads YAML files, each once, and follows `!include`.
class Loader {
  public:
    Loader(TemplateFiles& files, Findings& findings, const CompileLimits& limits)
        : files_(files), findings_(findings), limits_(limits) {}

    std::optional<Cursor> open(const std::string& path);
    // The value that `at` stands for: itself, or what its `!include` names. Nothing when it is null
    // or cannot be had.
    std::optional<Cursor> resolve(Cursor at);

    TemplateFiles& files() { return files_; }
    Findings& findings() { return findings_; }
    const CompileLimits& limits() const { return limits_; }

  private:
    std::optional<Cursor> include(const Cursor& at, const json::Value& argument);
    const YamlFile* load(const std::string& path, const Place& asked_from);

    TemplateFiles& files_;
    Findings& findings_;
    const CompileLimits& limits_;
    std::map<std::string, std::unique_ptr<YamlFile>> loaded_;  // nullptr: cannot be read
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

    Place place_of(std::string_view name) const;  // the field's, or the mapping's own
    const Cursor& at() const { return at_; }
    Loader& loader() { return loader_; }

    void warn_unknown();

  private:
    void wrong_type(const Cursor& field, std::string_view name, std::string_view wanted);

    Loader& loader_;
    Cursor at_;
    std::string what_;
    std::set<std::string, std::less<>> known_;
};

}  // namespace atelier::reconcilers
