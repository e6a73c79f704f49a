// What each kind demands beyond its schema. Inside crds/ only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "crds/kind.h"

namespace atelier::crds {

// The rule of one of Atelier's kinds, by its resource.
Rule rule_of(std::string_view resource, const KindOptions& options);

// Writes causes in Kubernetes' words.
class Findings {
  public:
    explicit Findings(std::vector<Cause>& causes) : causes_(causes) {}

    void invalid(std::string_view field, std::string_view value, std::string_view why);
    void required(std::string_view field, std::string_view why);
    void forbidden(std::string_view field, std::string_view why);
    void not_found(std::string_view field, std::string_view value, std::string_view why);
    void duplicate(std::string_view field, std::string_view value);
    // An Error of a parser, as what is wrong with the value.
    void check(std::string_view field, std::string_view value, const Result<void>& result);
    // A spec that the typed form cannot hold.
    void unreadable(const Error& error);

  private:
    void add(std::string_view field, std::string_view reason, std::string message);
    std::vector<Cause>& causes_;
};

// A string of the spec that was set may not change any more. `path` is below spec, with dots.
void check_immutable_field(const json::Value& object, const json::Value* old, std::string_view path,
                           Findings& findings);

// True when the text holds a control character; a line break is one unless `lines`.
bool has_control(std::string_view text, bool lines);

// An UpdateTier that exists, or one of the two that every server has.
void check_update_tier(std::string_view field, const std::string& tier, const Lookup& lookup,
                       Findings& findings);

void org_template_rule(const json::Value& object, const json::Value* old, const Lookup& lookup,
                       std::vector<Cause>& causes);
void org_rule(const json::Value& object, const json::Value* old, const Lookup& lookup,
              std::vector<Cause>& causes);
void workspace_rule(const json::Value& object, const json::Value* old, const Lookup& lookup,
                    std::vector<Cause>& causes);
void deleted_workspace_rule(const json::Value& object, const json::Value* old, const Lookup& lookup,
                            std::vector<Cause>& causes);
void plugin_rule(const json::Value& object, bool allow_unpinned, std::vector<Cause>& causes);
void plugin_install_rule(const json::Value& object, const json::Value* old, const Lookup& lookup,
                         std::vector<Cause>& causes);
void plugin_update_rule(const json::Value& object, const json::Value* old, const Lookup& lookup,
                        std::vector<Cause>& causes);

}  // namespace atelier::crds
