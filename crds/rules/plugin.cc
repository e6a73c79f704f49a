#include "crds/plugin.h"

#include <fmt/format.h>

#include "base/text.h"
#include "crds/plugin_install.h"
#include "crds/plugin_source.h"
#include "crds/plugin_update.h"
#include "crds/rules/rules.h"

namespace atelier::crds {
namespace {

// Labels carry the names of plugins.
constexpr std::size_t longest_plugin_name = 63;

void check_source(const PluginSpec& spec, bool allow_unpinned, Findings& findings) {
    const auto source = parse_plugin_source(spec.source);
    if (!source) {
        return findings.invalid("spec.source", without_credentials(spec.source),
                                source.error().message);
    }
    if (source->scheme == PluginSource::Scheme::github && source->ref.empty() && !allow_unpinned) {
        findings.invalid(
            "spec.source", spec.source,
            "the source is not pinned: what it installs would change with every push to "
            "the repository; add the tag, branch or commit to begin with, as in "
            "github://owner/repo#v1.0.0");
    }
    const auto track = parse_track(spec.track);
    if (!track) return findings.invalid("spec.track", spec.track, track.error().message);
    if (source->scheme == PluginSource::Scheme::local && track->kind != Track::Kind::none) {
        findings.invalid("spec.track", spec.track,
                         "a local plugin has no tags, branches or commits to follow; write none");
    }
}

}  // namespace

void plugin_rule(const json::Value& object, bool allow_unpinned, std::vector<Cause>& causes) {
    Findings findings(causes);
    const auto spec = json::read<PluginSpec>(object["spec"]);
    if (!spec) return findings.unreadable(spec.error());
    const std::string name = json::string_at(object, {"metadata", "name"});
    if (name.size() > longest_plugin_name) {
        findings.invalid("metadata.name", name,
                         fmt::format("the name of a Plugin may have at most {} characters",
                                     longest_plugin_name));
    }
    check_source(*spec, allow_unpinned, findings);
    if (!spec->path.empty() &&
        (!is_safe_relative_path(spec->path) || has_control(spec->path, false))) {
        findings.invalid("spec.path", spec->path,
                         "must be relative, without \"..\", \".\" or empty parts");
    }
    if (spec->interval < std::chrono::seconds(1)) {
        findings.invalid("spec.interval", format_duration(spec->interval), "must be at least 1s");
    }
}

void plugin_install_rule(const json::Value& object, const json::Value* old, const Lookup&,
                         std::vector<Cause>& causes) {
    Findings findings(causes);
    check_immutable_field(object, old, "workspace", findings);
    check_immutable_field(object, old, "plugin", findings);
}

void plugin_update_rule(const json::Value& object, const json::Value* old, const Lookup&,
                        std::vector<Cause>& causes) {
    Findings findings(causes);
    for (const std::string_view path :
         {"plugin", "from.commit", "from.digest", "from.ref", "to.commit", "to.digest", "to.ref"}) {
        check_immutable_field(object, old, path, findings);
    }
    if (!old) return;
    const std::string before = json::string_at(*old, {"spec", "decision"});
    const std::string now = json::string_at(object, {"spec", "decision"});
    if (before.empty() || before == now) return;
    findings.forbidden(
        "spec.decision",
        fmt::format("it was decided already ({}), and a decision is never taken back; "
                    "a later version makes a new PluginUpdate",
                    before));
}

}  // namespace atelier::crds
