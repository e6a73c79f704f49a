// What a compilation has to say about a template: errors and warnings, each with its place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crds/org_template.h"
#include "crds/yaml.h"

namespace atelier::templates {

// Reason, file, line, column and message. Line 0: the finding concerns the whole file.
using Finding = crds::TemplateWarning;
// "teams/platform.yaml:12:5: message"; the message alone without a file.
std::string text_of(const Finding& finding);

struct Place {
    std::string file;
    crds::Position position;
    std::string text() const;  // "teams/a.yaml:3:5"
};

// Collects findings in the order in which they are met. Used by one thread.
class Findings {
  public:
    // Ignored once there are 50 errors.
    void error(const Place& place, std::string_view reason, std::string message);
    // Ignored once there are 1000 warnings.
    void warn(const Place& place, std::string_view reason, std::string message);
    // No further error is kept: reading on is useless.
    bool full() const { return errors_.size() >= most_errors; }
    std::vector<Finding> take_errors() { return std::move(errors_); }
    std::vector<Finding> take_warnings() { return std::move(warnings_); }

  private:
    static constexpr std::size_t most_errors = 50;
    static constexpr std::size_t most_warnings = 1000;
    std::vector<Finding> errors_;
    std::vector<Finding> warnings_;
};

}  // namespace atelier::templates
