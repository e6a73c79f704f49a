// Conditions of an object of any kind, read by the rules of kstatus
// (github.com/kubernetes-sigs/cli-utils, pkg/kstatus).
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "cli/session/exit_code.h"

namespace atelier::cli {

// The condition of that type, in any case; nullptr when there is none.
const json::Value* find_condition(const json::Value& object, std::string_view type);
// Whether the condition has that status for the current generation. A condition with an older
// observedGeneration says nothing about the current spec, and counts as absent.
bool has_condition(const json::Value& object, std::string_view type, std::string_view status);

// The condition that explains best why an object is not Ready: Stalled when it has a message, else
// Ready; nullptr when neither has one.
const json::Value* telling_condition(const json::Value& object);
// "Reason: message" of telling_condition(); empty when there is none.
std::string last_words(const json::Value& object);

// Whether the object waits for the decision of a person: a PluginUpdate that is Pending, or an Org
// whose pruning must be confirmed.
bool waits_for_approval(const json::Value& object);

// Why a wait for an object ended without success: the exit code, and ": Reason: message" of the
// condition that explains it (empty when there is none).
struct Holdup {
    int code = exit_code::timed_out;
    std::string words;
};
Holdup holdup_of(const json::Value& object);

}  // namespace atelier::cli
