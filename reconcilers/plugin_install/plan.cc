#include "reconcilers/plugin_install/plan.h"

#include "base/text.h"
#include "reconcilers/common/classify.h"
#include "reconcilers/common/text.h"

namespace atelier::reconcilers::plugin_install {
namespace {

using crds::ChangeClass;

bool has_leftovers(const drivers::PluginState& state) {
    return !state.staged.empty() || !state.previous.empty();
}

Plan plan_deletion(const Observed& observed) {
    Plan plan;
    switch (observed.place) {
        case Observed::Place::gone:
        case Observed::Place::duplicate:
        case Observed::Place::external:
            plan.actions.push_back(Release{});
            break;
        case Observed::Place::here:
            if (observed.state.live) plan.actions.push_back(Remove{});
            if (has_leftovers(observed.state)) plan.actions.push_back(Collect{});
            plan.actions.push_back(Release{});
            break;
        case Observed::Place::no_backend:
        case Observed::Place::not_running:
        case Observed::Place::unknown:
            break;  // the files cannot be removed now
    }
    return plan;
}

// The live tree is the desired one, but the status does not say so: its write was lost. What the
// agent had before is what the status says, and the tree store knows how that differs.
std::optional<ChangeClass> unrecorded_change(const crds::PluginInstall& install,
                                             const Observed& observed) {
    if (install.status.delivered == install.spec.version.digest) return std::nullopt;
    if (!observed.recorded || !observed.desired) return ChangeClass::cold;
    return classify(*observed.recorded, *observed.desired);
}

ChangeClass change_of_live(const Observed& observed) {
    const drivers::PluginState& state = observed.state;
    if (!state.live || !state.problem.empty()) return ChangeClass::cold;
    return classify(state.manifest, *observed.desired);
}

}  // namespace

Plan plan(const crds::PluginInstall& install, const Observed& observed) {
    if (install.being_deleted()) return plan_deletion(observed);
    Plan plan;
    if (install.spec.suspend || observed.place != Observed::Place::here) return plan;
    const drivers::PluginState& state = observed.state;
    if (!observed.denied_by.empty()) {
        if (state.live) plan.actions.push_back(Remove{});
        if (has_leftovers(state)) plan.actions.push_back(Collect{});
        return plan;
    }
    const std::string& digest = install.spec.version.digest;
    if (!digest.empty() && state.delivered() == digest) {
        if (has_leftovers(state)) plan.actions.push_back(Collect{});
        plan.change = unrecorded_change(install, observed);
        return plan;
    }
    if (!state.live && !state.previous.empty()) plan.actions.push_back(Restore{});
    if (has_leftovers(state)) plan.actions.push_back(Collect{});
    if (digest.empty() || !observed.desired) return plan;
    plan.actions.push_back(Stage{digest});
    plan.actions.push_back(Swap{});
    plan.actions.push_back(Collect{});
    plan.change = change_of_live(observed);
    return plan;
}

std::string text(const Action& action) {
    struct Words {
        std::string operator()(const Restore&) const { return "restore"; }
        std::string operator()(const Stage& stage) const {
            return "stage " + short_digest(stage.digest);
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
