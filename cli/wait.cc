#include <ostream>

#include "base/text.h"
#include "cli/await.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "crds/json_path.h"

namespace atelier::cli {
namespace {

const json::Value* find_condition(const json::Value& object, std::string_view type) {
    const json::Value* const conditions = json::find(object, {"status", "conditions"});
    if (!conditions || !conditions->IsArray()) return nullptr;
    for (const auto& condition : conditions->GetArray()) {
        if (lower(json::string_at(condition, {"type"})) == lower(type)) return &condition;
    }
    return nullptr;
}

// A condition that speaks of an older spec says nothing about this one.
bool is_current(const json::Value& condition, const json::Value& object) {
    const json::Value* const observed = json::find(condition, {"observedGeneration"});
    const json::Value* const generation = json::find(object, {"metadata", "generation"});
    return !observed || !generation || !observed->IsInt64() || !generation->IsInt64() ||
           observed->GetInt64() >= generation->GetInt64();
}

bool has_condition(const json::Value& object, std::string_view type, std::string_view status) {
    const json::Value* const condition = find_condition(object, type);
    return condition && is_current(*condition, object) &&
           lower(json::string_at(*condition, {"status"})) == lower(status);
}

using Met = std::function<bool(const json::Value*)>;

Result<Met> met_of(const std::string& text) {
    if (text == "delete") return Met([](const json::Value* object) { return !object; });
    if (text.starts_with("condition=")) {
        const std::string rest = text.substr(10);
        const std::size_t equals = rest.find('=');
        const std::string status = equals == rest.npos ? "True" : rest.substr(equals + 1);
        return Met([type = rest.substr(0, equals), status](const json::Value* object) {
            return object && has_condition(*object, type, status);
        });
    }
    if (text.starts_with("jsonpath=")) {
        const std::string rest = text.substr(9);
        // "{.status.phase}=Applied": the '=' after the path, not one inside of it.
        const std::size_t brace = rest.starts_with('{') ? rest.find('}') : 0;
        const std::size_t equals = brace == rest.npos ? rest.npos : rest.find('=', brace);
        auto path = crds::JsonPath::compile(rest.substr(0, equals));
        if (!path) return path.error().in("--for");
        std::optional<std::string> wanted;
        if (equals != rest.npos) wanted = rest.substr(equals + 1);
        return Met([path = *path, wanted](const json::Value* object) {
            const json::Value* const value = object ? path.first(*object) : nullptr;
            return value && (!wanted || cell_text(value) == *wanted);
        });
    }
    return Error{Code::invalid,
                 "--for is condition=TYPE, delete or jsonpath=PATH=VALUE, not \"" + text + "\""};
}

// What the object itself says of why it is not there yet.
std::string last_words(const json::Value& object) {
    for (const char* type : {"Stalled", "Ready"}) {
        const json::Value* const condition = find_condition(object, type);
        if (!condition || json::string_at(*condition, {"message"}).empty()) continue;
        return ": " + json::string_at(*condition, {"reason"}) + ": " +
               json::string_at(*condition, {"message"});
    }
    return {};
}

Result<int> wait_for(Session& session, const Target& target, const Met& met,
                     const Deadline& deadline) {
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    bool stalled = false;
    std::string words;
    auto done = await(session, *client, {target.resource, ns, target.name}, deadline,
                      [&](const json::Value* object) {
                          stalled = object && has_condition(*object, "Stalled", "True");
                          words = object ? last_words(*object) : "";
                          return met(object);
                      });
    if (done) {
        session.out() << name_of_object(target.resource, target.name) << " condition met\n"
                      << std::flush;
        return exit_code::fine;
    }
    Error error = done.error();
    if (error.code != Code::timeout) return error;
    error.message += words;
    session.fail(error);
    return stalled ? exit_code::stalled : exit_code::timed_out;
}

}  // namespace

int run_wait(Session& session) {
    const std::string text = session.arguments.text("for");
    if (text.empty()) return session.usage("say what to wait for by --for");
    const auto met = met_of(text);
    if (!met) return session.usage(met.error().message);
    const auto deadline = Deadline::of(session);
    if (!deadline) return session.usage(deadline.error().message);
    const auto targets = targets_of(session, session.arguments.words);
    if (!targets) return session.fail(targets.error());
    for (const Target& target : *targets) {
        const auto code = wait_for(session, target, *met, *deadline);
        if (!code && code.error().code == Code::cancelled) {
            return session.interrupted_watching(
                "atelier wait " + join(session.arguments.words, " ") + " --for=" + text);
        }
        if (!code) return session.fail(code.error());
        if (*code != exit_code::fine) return *code;
    }
    return exit_code::fine;
}

}  // namespace atelier::cli
