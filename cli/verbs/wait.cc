#include <ostream>

#include "base/text.h"
#include "cli/objects/await.h"
#include "cli/objects/conditions.h"
#include "cli/output/output.h"
#include "cli/verbs/verbs.h"
#include "crds/json_path.h"

namespace atelier::cli {
namespace {

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
        // In "{.status.phase}=Applied" the value begins at the '=' after the closing brace: a path
        // may hold an '=' itself.
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

// What the last state of the object says about a wait whose condition was not met.
struct Verdict : Holdup {
    bool final = false;  // the condition can never be met any more
};

// Only a PluginUpdate has final states: it never leaves a phase in which it has ended.
Verdict verdict_on(const json::Value& object) {
    Verdict verdict{holdup_of(object)};
    if (json::string_at(object, {"kind"}) != "PluginUpdate") return verdict;
    const std::string phase = json::string_at(object, {"status", "phase"});
    verdict.final =
        phase == "Applied" || phase == "Dismissed" || phase == "Superseded" || phase == "Failed";
    if (verdict.final) {
        verdict.code = phase == "Failed" ? exit_code::stalled : exit_code::conflict;
        verdict.words = ": it has ended: " + phase + verdict.words;
    }
    return verdict;
}

Result<int> wait_for(Session& session, const Target& target, const Met& met,
                     const Deadline& deadline) {
    Client* const client = TRY(session.client());
    const std::string ns = TRY(session.ns());
    Verdict verdict;
    bool was_met = false;
    auto done = await(session, *client, {target.resource, ns, target.name}, deadline,
                      [&](const json::Value* object) {
                          was_met = met(object);
                          verdict = object ? verdict_on(*object) : Verdict();
                          return was_met || verdict.final;
                      });
    const std::string name = name_of_object(target.resource, target.name);
    if (done && was_met) {
        session.out() << name << " condition met\n" << std::flush;
        return exit_code::fine;
    }
    if (!done && done.error().code != Code::timeout) return done.error();
    const std::string what =
        done ? name + " can no longer meet the condition" : done.error().message;
    session.fail(Error{Code::timeout, what + verdict.words});
    return verdict.code;
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
