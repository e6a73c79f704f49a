// Conditions of an object of any kind, read as kstatus says.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "cli/run.h"

namespace atelier::cli {

// By type, whatever its case; nullptr when there is none.
const json::Value* find_condition(const json::Value& object, std::string_view type);
// Whether it has that status for the generation that is there now: a condition that speaks of an
// older spec says nothing about this one.
bool has_condition(const json::Value& object, std::string_view type, std::string_view status);

// The most telling condition of an object that is not in order: Stalled, else Ready.
const json::Value* telling_condition(const json::Value& object);
// "Reason: message" of that condition; empty when it says nothing.
std::string last_words(const json::Value& object);

// A decision of a person is what it waits for: a PluginUpdate that is Pending, an Org whose pruning
// waits to be confirmed.
bool waits_for_approval(const json::Value& object);

// Why a wait for an object was in vain: the exit code for it, and ": Reason: message", or nothing.
struct Holdup {
    int code = exit_code::timed_out;
    std::string words;
};
Holdup holdup_of(const json::Value& object);

}  // namespace atelier::cli
