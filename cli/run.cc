#include "cli/run.h"

#include <exception>
#include <ostream>

#include "base/text.h"
#include "cli/output/text_table.h"
#include "cli/verbs/verb_table.h"

namespace atelier::cli {
namespace {

const Verb* find_verb(std::string_view name) {
    for (const Verb& verb : verbs()) {
        if (verb.name == name) return &verb;
    }
    return nullptr;
}

std::string flags_text(const std::vector<Flag>& flags) {
    TextTable table({});
    for (const Flag& flag : flags) {
        std::string name = flag.letter != 0 ? std::string("  -") + flag.letter + ", " : "      ";
        name += "--" + std::string(flag.name);
        if (flag.kind == Flag::Kind::text) name += " " + std::string(flag.value);
        std::string help(flag.help);
        if (!flag.otherwise.empty() && flag.kind == Flag::Kind::text) {
            help += " (default " + std::string(flag.otherwise) + ")";
        } else if (flag.otherwise == "true") {
            help += " (the default; --" + std::string(flag.name) + "=false)";
        }
        table.add({name, help});
    }
    return table.take_text(false);
}

std::string help_text() {
    std::string out =
        "atelier keeps a fleet of agent workspaces as declared.\n\nusage: atelier VERB [FLAGS]\n\n";
    TextTable table({});
    table.add({"  server", "run the server: API, controllers, workspaces"});
    table.add({"  rekey", "encrypt every Secret under a new key; the server must be stopped"});
    table.add({"  validate", "check a template in a folder, without a server"});
    for (const Verb& verb : verbs()) {
        table.add({"  " + std::string(verb.name), std::string(verb.summary)});
    }
    out += table.take_text(false) + "\nflags of every verb but server, rekey and validate:\n" +
           flags_text(global_flags());
    return out +
           "\nExit codes: 0 fine, 1 error, 2 usage, 3 timed out, 4 stalled, 5 rolled back,\n"
           "6 waiting for approval, 7 forbidden, 8 conflict, 130 interrupted.\n"
           "`atelier VERB --help` describes a verb.\n";
}

std::string help_text(const Verb& verb) {
    std::string out = std::string(verb.summary) + "\n\nusage: atelier " + std::string(verb.usage) +
                      "\n\nexamples:\n";
    for (const std::string& line : split(verb.examples, '\n')) out += "  " + line + "\n";
    if (!verb.flags.empty()) out += "\nflags:\n" + flags_text(verb.flags);
    return out + "\nglobal flags:\n" + flags_text(global_flags());
}

int unknown_verb(const std::string& name, const ProcessContext& process) {
    std::vector<std::string> names = {"server", "rekey", "validate", "help"};
    for (const Verb& verb : verbs()) names.emplace_back(verb.name);
    process.terminal.err << "error: unknown verb \"" << printable(name) << "\"";
    if (const auto near = did_you_mean(name, names)) {
        process.terminal.err << ", did you mean \"" << *near << "\"?";
    }
    process.terminal.err << "\nsee: atelier --help\n";
    return exit_code::usage;
}

int help_about(const std::vector<std::string>& words, const ProcessContext& process) {
    if (words.empty()) {
        process.terminal.out << help_text();
        return exit_code::fine;
    }
    const Verb* const verb = find_verb(words[0]);
    if (!verb) return unknown_verb(words[0], process);
    process.terminal.out << help_text(*verb);
    return exit_code::fine;
}

int run_verb(const Verb& verb, const std::vector<std::string>& rest,
             const ProcessContext& process) {
    std::vector<Flag> flags = verb.flags;
    flags.insert(flags.end(), global_flags().begin(), global_flags().end());
    auto arguments = parse_arguments(rest, flags);
    if (!arguments) {
        return Session(process, std::string(verb.name), {}).usage(arguments.error().message);
    }
    if (arguments->on("help")) return help_about({std::string(verb.name)}, process);
    Session session(process, std::string(verb.name), *std::move(arguments));
    const int code = verb.run(session);
    session.out().flush();
    session.err().flush();
    return code;
}

}  // namespace

int run(const std::vector<std::string>& arguments, const ProcessContext& process) {
    try {
        const std::size_t at = find_first_word(arguments, global_flags());
        if (at == std::string::npos) {
            auto flags = parse_arguments(arguments, global_flags());
            if (!flags) return Session(process, "", {}).usage(flags.error().message);
            return help_about({}, process);
        }
        std::vector<std::string> rest = arguments;
        const std::string name = rest[at];
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(at));
        if (name == "help") return help_about(rest, process);
        const Verb* const verb = find_verb(name);
        return verb ? run_verb(*verb, rest, process) : unknown_verb(name, process);
    } catch (const std::exception& e) {
        process.terminal.err << "error: this is a defect of atelier: " << printable(e.what())
                             << "\n";
        return exit_code::error;
    }
}

}  // namespace atelier::cli
