// An Org that is bound to one artifact and one environment: somebody applied a forecast that
// promised exactly these (forecast/). Until the template has them, and when it has something else,
// the Org stays as it is. Pure.
#pragma once

#include <optional>
#include <string>

#include "crds/org.h"
#include "reconcilers/org/observe.h"

namespace atelier::reconcilers {

namespace annotation {
// The digest of the artifact that the forecast promised. Removed once the Org runs it.
inline constexpr std::string_view planned_artifact = "atelier.dev/planned-artifact";
// The keyed digest of the values that come with it (environment/planned_values.h).
inline constexpr std::string_view planned_environment = "atelier.dev/planned-environment";
}  // namespace annotation

namespace org {

// What an Org is bound to.
struct Binding {
    std::string artifact;
    std::string environment;  // empty: the forecast promised nothing about it
    bool operator==(const Binding&) const = default;
};
bool is_bound(const crds::Meta& org);
Binding binding_of(const crds::Meta& org);
void bind(crds::Meta& org, const Binding& binding);
void unbind(crds::Meta& org);

// Why a bound Org stays as it is, although its template may have something new for it.
struct Hold {
    bool moved = false;  // the template has gone past the promise; else it is not there yet
    std::string reason;  // only with `moved`
    std::string message;
};

// nullopt: the Org is not bound, or the template has what was promised.
std::optional<Hold> hold_of(const crds::Org& org, const Observed& observed);

}  // namespace org
}  // namespace atelier::reconcilers
