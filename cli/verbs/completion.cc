// completion: a script that tells bash the verbs, their flags, and the names that the server has.
#include <ostream>
#include <set>

#include "base/text.h"
#include "cli/verbs/verb_table.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {
namespace {

// Verbs whose words are a kind and then names of that kind.
constexpr std::string_view of_objects[] = {"get", "describe",  "delete",  "wait",
                                           "why", "reconcile", "suspend", "resume"};
// Verbs whose words are names of one kind.
constexpr std::pair<std::string_view, std::string_view> of_names[] = {
    {"tree", "orgs"},
    {"plan", "orgs"},
    {"history", "orgs"},
    {"diff", "orgs"},
    {"revert", "orgs"},
    {"follow", "orgs"},
    {"adopt", "workspaces"},
    {"release", "workspaces"},
    {"undelete", "deletedworkspaces"},
    {"approve", "pluginupdates"},
    {"dismiss", "pluginupdates"}};

std::string flags_of(const std::vector<Flag>& flags) {
    std::vector<std::string> words;
    for (const Flag& flag : flags) words.push_back("--" + std::string(flag.name));
    return join(words, " ");
}

// The flags whose next word is their value.
std::string texts_of_all() {
    std::set<std::string> words;
    const auto add = [&](const std::vector<Flag>& flags) {
        for (const Flag& flag : flags) {
            if (flag.kind != Flag::Kind::text) continue;
            words.insert("--" + std::string(flag.name));
            if (flag.letter != 0) words.insert(std::string("-") + flag.letter);
        }
    };
    add(global_flags());
    for (const Verb& verb : verbs()) add(verb.flags);
    return join(std::vector<std::string>(words.begin(), words.end()), " ");
}

std::string script() {
    std::vector<std::string> names = {"server", "rekey", "validate", "help"};
    std::string cases;
    for (const Verb& verb : verbs()) {
        names.emplace_back(verb.name);
        cases += "    " + std::string(verb.name) + ") flags=\"" + flags_of(verb.flags) + "\" ;;\n";
    }
    std::vector<std::string> with_kind(std::begin(of_objects), std::end(of_objects));
    std::string out = R"bash(# bash completion of atelier: source <(atelier completion bash)
_atelier_names() {
  atelier get "$1" -o name 2>/dev/null | sed 's|.*/||'
}
_atelier() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb='' kind='' flags='' i
  local texts="@"
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case " $texts " in *" ${COMP_WORDS[i-1]} "*) continue ;; esac
    case ${COMP_WORDS[i]} in
      -*) ;;
      *) if [ -z "$verb" ]; then verb=${COMP_WORDS[i]}; elif [ -z "$kind" ]; then kind=${COMP_WORDS[i]}; fi ;;
    esac
  done
  case $before in
    -f | --filename | --kubeconfig | --certificate-authority) COMPREPLY=($(compgen -f -- "$word")); return ;;
    -o | --output) COMPREPLY=($(compgen -W "table wide yaml json html name jsonpath=" -- "$word")); return ;;
    -n | --namespace) COMPREPLY=($(compgen -W "$(_atelier_names namespaces)" -- "$word")); return ;;
  esac
)bash";
    out.replace(out.find('@'), 1, texts_of_all());
    out += "  local verbs=\"" + join(names, " ") + "\"\n";
    out += "  case $verb in\n" + cases + "  esac\n";
    out += "  flags=\"$flags " + flags_of(global_flags()) + "\"\n";
    out += R"bash(  if [ -z "$verb" ]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$word"))
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  else
    case $verb in
)bash";
    out += "    " + join(with_kind, " | ") + R"bash()
      if [ -z "$kind" ]; then
        COMPREPLY=($(compgen -W "$(atelier api-resources 2>/dev/null | awk 'NR > 1 {print $1}')" -- "$word"))
      else
        COMPREPLY=($(compgen -W "$(_atelier_names "$kind")" -- "$word"))
      fi ;;
)bash";
    for (const auto& [verb, kind] : of_names) {
        out += "    " + std::string(verb) + ") COMPREPLY=($(compgen -W \"$(_atelier_names " +
               std::string(kind) + ")\" -- \"$word\")) ;;\n";
    }
    out += "    completion) COMPREPLY=($(compgen -W bash -- \"$word\")) ;;\n";
    return out +
           "    help) COMPREPLY=($(compgen -W \"$verbs\" -- \"$word\")) ;;\n    esac\n  fi\n}\n" +
           "complete -F _atelier atelier\n";
}

}  // namespace

int run_completion(Session& session) {
    const auto& words = session.arguments.words;
    if (words.size() != 1) return session.usage("name a shell: bash");
    if (words[0] != "bash") {
        return session.usage("there is completion for bash, not for \"" + words[0] + "\"");
    }
    session.out() << script() << std::flush;
    return exit_code::fine;
}

}  // namespace atelier::cli
