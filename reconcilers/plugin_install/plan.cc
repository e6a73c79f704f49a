#include "reconcilers/plugin_install/plan.h"

#include "base/text.h"
#include "reconcilers/classify.h"

namespace atelier::reconcilers::plugin_install {
namespace {

using crds::ChangeClass;

bool has_leftovers(const drivers::PluginState& state) {
    return !state.staged.empty() || !state.previous.empty();
}

Plan plan_deletion(const Seen& seen) {
    Plan plan;
    switch (seen.place) {
        case Seen::Place::gone:
        case Seen::Place::external:
            plan.actions.push_back(Release{});
            break;
        case Seen::Place::here:
            if (seen.state.live) plan.actions.push_back(Remove{});
            if (has_leftovers(seen.state)) plan.actions.push_back(Collect{});
            plan.actions.push_back(Release{});
            break;
        case Seen::Place::no_backend:
        case Seen::Place::not_running:
        case Seen::Place::unknown:
            break;  // what lies there cannot be taken away now
    }
    return plan;
}

// The live tree is what was asked for, but status does not say so: a report was lost. What the
// agent had before is what status says; the tree store knows how it differs.
std::optional<ChangeClass> unrecorded_change(const crds::PluginInstall& install, const Seen& seen) {
    if (install.status.delivered == install.spec.version.digest) return std::nullopt;
    if (!seen.recorded || !seen.desired) return ChangeClass::cold;
    return classify(*seen.recorded, *seen.desired);
}

ChangeClass change_of_live(const Seen& seen) {
    const drivers::PluginState& state = seen.state;
    if (!state.live || !state.problem.empty()) return ChangeClass::cold;
    return classify(state.manifest, *seen.desired);
}

}  // namespace

Plan plan(const crds::PluginInstall& install, const Seen& seen) {
    if (install.being_deleted()) return plan_deletion(seen);
    Plan plan;
    if (install.spec.suspend || seen.place != Seen::Place::here) return plan;
    const drivers::PluginState& state = seen.state;
    if (!seen.denied_by.empty()) {
        if (state.live) plan.actions.push_back(Remove{});
        if (has_leftovers(state)) plan.actions.push_back(Collect{});
        return plan;
    }
    const std::string& digest = install.spec.version.digest;
    if (!digest.empty() && state.delivered() == digest) {
        if (has_leftovers(state)) plan.actions.push_back(Collect{});
        plan.change = unrecorded_change(install, seen);
        return plan;
    }
    if (!state.live && !state.previous.empty()) plan.actions.push_back(Restore{});
    if (has_leftovers(state)) plan.actions.push_back(Collect{});
    if (digest.empty() || !seen.desired) return plan;
    plan.actions.push_back(Stage{digest});
    plan.actions.push_back(Swap{});
    plan.actions.push_back(Collect{});
    plan.change = change_of_live(seen);
    return plan;
}

std::string text(const Action& action) {
    struct Words {
        std::string operator()(const Restore&) const { return "restore"; }
        std::string operator()(const Stage& stage) const {
            return "stage " + stage.digest.substr(0, 7);
        }
        std::string operator()(const Swap&) const { return "swap"; }
        std::string operator()(const Remove&) const { return "remove"; }
        std::string operator()(const Collect&) const { return "collect"; }
        std::string operator()(const Release&) const { return "release"; }
    };
    return std::visit(Words(), action);
}

std::string text(const Plan& plan) {
    std::vector<std::string> words;
    for (const Action& action : plan.actions) words.push_back(text(action));
    std::string out = join(words, ", ");
    if (plan.change) {
        out += (out.empty() ? "(" : " (") + lower(json::name_of(*plan.change)) + ")";
    }
    return out;
}

}  // namespace atelier::reconcilers::plugin_install
