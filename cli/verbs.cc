#include "cli/explain.h"
#include "cli/revisions.h"
#include "cli/verb.h"

namespace atelier::cli {
namespace {

using Kind = Flag::Kind;

constexpr Flag filename{"filename", 'f', Kind::text, "FILE",
                        "a file, a folder, or - for stdin; may be repeated"};
constexpr Flag recursive{"recursive", 'R', Kind::on, "", "also the folders below a folder"};
constexpr Flag dry_run{"dry-run", 0, Kind::text, "server",
                       "let the server check it, and change nothing"};
constexpr Flag output{"output", 'o', Kind::text, "FORMAT",
                      "table, wide, yaml, json, name, or jsonpath=PATH"};
constexpr Flag watch{"watch", 'w', Kind::on, "", "go on and show what changes"};
constexpr Flag selector{"selector", 'l', Kind::text, "LABELS",
                        "only objects with these labels: app=x,tier!=2"};
constexpr Flag field_selector{"field-selector", 0, Kind::text, "FIELDS",
                              "only objects with these fields: metadata.name=x"};
constexpr Flag all_namespaces{"all-namespaces", 'A', Kind::on, "", "of all namespaces"};
constexpr Flag timeout{"timeout", 0, Kind::text, "DURATION",
                       "give up after this, with exit code 3: 30s, 5m; 0 never does"};
constexpr Flag yes{"yes", 'y', Kind::on, "", "apply the plan without asking"};
constexpr Flag reason{"reason", 0, Kind::text, "TEXT", "why, for whoever looks later"};

std::vector<Verb> looking() {
    return {
        {"get",
         "list objects, or show some",
         "get KIND[,KIND…] [NAME…] | KIND/NAME…",
         "atelier get workspaces\natelier get ws acme-pm -o yaml\natelier get ws,plugins -A -o "
         "wide\n"
         "atelier get ws -l atelier.dev/org=acme -w",
         {output, watch, selector, field_selector, all_namespaces},
         run_get},
        {"describe",
         "show objects in full, with their conditions and events",
         "describe KIND [NAME…] | KIND/NAME…",
         "atelier describe ws acme-pm\natelier describe pluginupdate/reviewer-0a1b2c3",
         {selector, all_namespaces},
         run_describe},
        {"tree",
         "show an org as the tree that it is, with the state of each workspace",
         "tree [ORG]",
         "atelier tree acme\natelier tree acme -w\natelier tree acme -w --until-ready --timeout 2m",
         {watch,
          {"until-ready", 0, Kind::on, "",
           "end with 0 once the org and all its workspaces are Ready"},
          timeout,
          all_namespaces},
         run_tree},
        {"history",
         "show the revisions of an org's template, and those that the org ran",
         "history ORG",
         "atelier history acme\natelier history acme -o yaml",
         {output},
         run_history},
        {"diff",
         "show what apply would change, or what a template changed between two of its revisions",
         "diff -f FILE | ORG [--since REVISION] [--to REVISION]",
         "atelier diff -f org.yaml\n"
         "atelier diff acme\n"
         "atelier diff acme --since 4f1c2ab\n"
         "atelier diff acme --since 4f1c2ab --to 9d0e35b\n"
         "atelier diff acme --exit-code >/dev/null || echo something changes",
         {{"since", 0, Kind::text, "REVISION", "from here; else from what the org runs"},
          {"to", 0, Kind::text, "REVISION", "to here; else to the newest"},
          {"exit-code", 0, Kind::on, "",
           "end with 1 when something differs, above 1 on errors; with -f that is always so"},
          filename,
          recursive,
          output},
         run_diff},
        {"why",
         "explain what objects wait for, and the command that helps",
         "why KIND NAME… | KIND/NAME…",
         "atelier why ws acme-pm\natelier why org/acme",
         {},
         run_why},
        {"events",
         "show what happened",
         "events [--for KIND/NAME]",
         "atelier events\natelier events --for ws/acme-pm -w",
         {{"for", 0, Kind::text, "KIND/NAME", "only about this object"}, watch, all_namespaces},
         run_events},
        {"wait",
         "wait until objects are as they should be",
         "wait KIND NAME… | KIND/NAME… --for=condition=TYPE[=STATUS] | delete | "
         "jsonpath=PATH=VALUE",
         "atelier wait ws acme-pm --for=condition=Ready\natelier wait org acme --for=delete "
         "--timeout 1m\natelier wait pu reviewer-0a1b2c3 --for=jsonpath='{.status.phase}'=Applied",
         {{"for", 0, Kind::text, "WHAT", "what to wait for"},
          {timeout.name, 0, Kind::text, timeout.value, timeout.help, "30s"}},
         run_wait},
    };
}

std::vector<Verb> changing() {
    return {
        {"apply",
         "create or change objects as files declare them",
         "apply -f FILE | --plan TOKEN",
         "atelier apply -f org.yaml\natelier apply -f manifests/ -R\ncat org.yaml | atelier apply "
         "-f -\n"
         "atelier apply -f org.yaml --dry-run=server\natelier apply --plan 1f0c2d3e4a5b6c7d8e9f",
         {filename,
          recursive,
          dry_run,
          {"plan", 0, Kind::text, "TOKEN",
           "do exactly what that plan says, or fail with 8 and what has moved"}},
         run_apply},
        {"plan",
         "show what would happen, workspace by workspace, and change nothing",
         "plan -f FILE | ORG",
         "atelier plan -f org.yaml\natelier plan acme\natelier plan -f org.yaml -o html "
         ">plan.html\n"
         "atelier plan -f org.yaml --exit-code",
         {filename,
          recursive,
          {"output", 'o', Kind::text, "FORMAT", "table, html, yaml, json, or jsonpath=PATH"},
          {"exit-code", 0, Kind::on, "",
           "end with 1 if anything would change, with more for errors"}},
         run_plan},
        {"delete",
         "delete objects",
         "delete KIND NAME… | KIND/NAME… | -f FILE | KIND -l LABELS",
         "atelier delete org acme --wait --timeout 1m\natelier delete -f org.yaml\n"
         "atelier delete ws -l atelier.dev/org=acme\natelier delete ws lead --children=delete "
         "--keep-volumes 7d",
         {filename,
          recursive,
          dry_run,
          selector,
          {"all", 0, Kind::on, "", "all of that kind in the namespace"},
          {"wait", 0, Kind::on, "", "wait until they are gone", "true"},
          {"cascade", 0, Kind::text, "HOW",
           "what becomes of objects they own: background, foreground or orphan", "background"},
          {"children", 0, Kind::text, "HOW",
           "what becomes of workspaces below a deleted one: delete or leave; without it, a "
           "workspace with children is not deleted"},
          {"keep-volumes", 0, Kind::text, "DURATION",
           "keep the volumes of workspaces for so long, for undelete: 12h, 7d"},
          {"ignore-not-found", 0, Kind::on, "", "what is not there is no error"},
          timeout},
         run_delete},
        {"revert",
         "bring an org to another revision of its template, by a plan to look at first",
         "revert ORG --to REVISION",
         "atelier revert acme --to 4f1c2ab\natelier revert acme --to 4f1c2ab --yes",
         {{"to", 0, Kind::text, "REVISION", "the org is pinned to this one"}, yes, output},
         run_revert},
        {"follow",
         "have an org follow its template again, by a plan to look at first",
         "follow ORG",
         "atelier follow acme\natelier follow acme --yes",
         {yes, output},
         run_follow},
        {"undelete",
         "bring a deleted workspace back with its volumes, or list what can be",
         "undelete [NAME]",
         "atelier undelete\natelier undelete acme-qa\natelier undelete acme-qa.0a1b2c3d --as spare",
         {{"as", 0, Kind::text, "NAME", "under another name"},
          {timeout.name, 0, Kind::text, timeout.value, timeout.help, "1m"}},
         run_undelete},
        {"adopt",
         "put workspaces under an org whose template has them; volumes stay",
         "adopt WORKSPACE…",
         "atelier adopt acme-qa --org acme",
         {{"org", 0, Kind::text, "ORG", "which one; else the one that it was made for"},
          {timeout.name, 0, Kind::text, timeout.value, timeout.help, "1m"}},
         run_adopt},
        {"release",
         "take workspaces out of their org: it leaves them alone from then on",
         "release WORKSPACE…",
         "atelier release acme-qa",
         {{timeout.name, 0, Kind::text, timeout.value, timeout.help, "1m"}},
         run_release},
        {"updates",
         "list plugin updates, those that wait for a decision first",
         "updates",
         "atelier updates\natelier updates --all",
         {{"all", 0, Kind::on, "", "also those that have ended"}, all_namespaces},
         run_updates},
        {"approve",
         "let a plugin update be installed: exactly its digest, or nothing",
         "approve UPDATE",
         "atelier approve reviewer-0a1b2c3 --reason \"read it\"",
         {reason},
         run_approve},
        {"dismiss",
         "refuse a plugin update; it is not asked again until upstream moves",
         "dismiss UPDATE",
         "atelier dismiss reviewer-0a1b2c3 --reason \"adds a hook\"",
         {reason},
         run_dismiss},
        {"reconcile",
         "have the server look at objects now",
         "reconcile KIND NAME… | KIND/NAME…",
         "atelier reconcile orgtemplate acme\natelier reconcile plugin reviewer --wait",
         {{"wait", 0, Kind::on, "", "wait until it has"},
          {timeout.name, 0, Kind::text, timeout.value, timeout.help, "1m"}},
         run_reconcile},
        {"suspend",
         "have the server leave objects alone",
         "suspend KIND NAME… | KIND/NAME…",
         "atelier suspend org acme --reason \"moving house\"",
         {reason},
         run_suspend},
        {"resume",
         "end what suspend began",
         "resume KIND NAME… | KIND/NAME…",
         "atelier resume org acme",
         {},
         run_resume},
    };
}

std::vector<Verb> about_the_server() {
    return {
        {"api-resources",
         "list the kinds that the server has",
         "api-resources",
         "atelier api-resources",
         {},
         run_api_resources},
        {"completion",
         "print a script that completes verbs, flags and names",
         "completion bash",
         "source <(atelier completion bash)\natelier completion bash "
         ">/etc/bash_completion.d/atelier",
         {},
         run_completion},
        {"version",
         "show the versions of this program and of the server",
         "version",
         "atelier version\natelier version -o json",
         {output, {"client", 0, Kind::on, "", "do not ask the server"}},
         run_version},
        {"healthcheck",
         "end with 0 if the server is ready, for health checks of containers",
         "healthcheck",
         "atelier healthcheck",
         {},
         run_healthcheck},
    };
}

}  // namespace

const std::vector<Verb>& verbs() {
    static const std::vector<Verb> all = [] {
        std::vector<Verb> out;
        for (auto part : {looking, changing, about_the_server}) {
            for (auto& verb : part()) out.push_back(std::move(verb));
        }
        return out;
    }();
    return all;
}

const std::vector<Flag>& global_flags() {
    static const std::vector<Flag> flags = {
        {"namespace", 'n', Kind::text, "NAME",
         "the namespace; else the kubeconfig's, else default"},
        {"kubeconfig", 0, Kind::text, "FILE",
         "else $KUBECONFIG, else $ATELIER_HOME/kubeconfig, else ~/.kube/config"},
        {"context", 0, Kind::text, "NAME", "of the kubeconfig"},
        {"server", 's', Kind::text, "URL", "over the kubeconfig's"},
        {"token", 0, Kind::text, "TOKEN", "over the kubeconfig's"},
        {"certificate-authority", 0, Kind::text, "FILE", "over the kubeconfig's"},
        {"request-timeout", 0, Kind::text, "DURATION", "for one request", "30s"},
        {"help", 'h', Kind::on, "", "show this"},
    };
    return flags;
}

}  // namespace atelier::cli
