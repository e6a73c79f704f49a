#include "cli/verbs/verb_table.h"

#include "cli/verbs/verbs.h"

namespace atelier::cli {
namespace {

using Kind = Flag::Kind;

constexpr Flag filename{"filename", 'f', Kind::text, "FILE",
                        "a file, a folder, or - for stdin; may be repeated"};
constexpr Flag recursive{"recursive", 'R', Kind::on, "", "also read the folders below a folder"};
constexpr Flag dry_run{"dry-run", 0, Kind::text, "server",
                       "send the request as a dry run: the server checks it and changes nothing"};
constexpr Flag output{"output", 'o', Kind::text, "FORMAT",
                      "table, wide, yaml, json, name, or jsonpath=PATH"};
constexpr Flag watch{"watch", 'w', Kind::on, "", "keep running and show changes"};
constexpr Flag selector{"selector", 'l', Kind::text, "LABELS",
                        "only objects with these labels: app=x,tier!=2"};
constexpr Flag field_selector{"field-selector", 0, Kind::text, "FIELDS",
                              "only objects with these fields: metadata.name=x"};
constexpr Flag all_namespaces{"all-namespaces", 'A', Kind::on, "", "in all namespaces"};
constexpr Flag timeout{"timeout", 0, Kind::text, "DURATION",
                       "give up after this, with exit code 3: 30s, 5m; 0 never does"};
constexpr Flag yes{"yes", 'y', Kind::on, "", "apply the plan without asking for confirmation"};
constexpr Flag reason{"reason", 0, Kind::text, "TEXT", "why; recorded in the object"};

std::vector<Verb> looking() {
    return {
        {"get",
         "list objects, or show the named ones",
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
         "show an org as a tree, with the state of each workspace",
         "tree [ORG]",
         "atelier tree acme\natelier tree acme -w\natelier tree acme -w --until-ready --timeout 2m",
         {watch,
          {"until-ready", 0, Kind::on, "",
           "exit with 0 once the org and all its workspaces are Ready"},
          timeout,
          all_namespaces},
         run_tree},
        {"history",
         "show the revisions of an org's template, and those that the org applied",
         "history ORG",
         "atelier history acme\natelier history acme -o yaml",
         {output},
         run_history},
        {"diff",
         "show what apply would change, or what changed between two revisions of a template",
         "diff -f FILE | ORG [--since REVISION] [--to REVISION]",
         "atelier diff -f org.yaml\n"
         "atelier diff acme\n"
         "atelier diff acme --since 4f1c2ab\n"
         "atelier diff acme --since 4f1c2ab --to 9d0e35b\n"
         "atelier diff acme --exit-code >/dev/null || echo something changes",
         {{"since", 0, Kind::text, "REVISION",
           "the older revision (default: the one that the org runs)"},
          {"to", 0, Kind::text, "REVISION", "the newer revision (default: the newest)"},
          {"exit-code", 0, Kind::on, "",
           "exit with 1 when something differs, above 1 on errors; with -f always"},
          filename,
          recursive,
          output},
         run_diff},
        {"why",
         "explain what an object waits for, and print the command that helps",
         "why KIND NAME… | KIND/NAME…",
         "atelier why ws acme-pm\natelier why org/acme",
         {},
         run_why},
        {"events",
         "show events: what happened to objects",
         "events [--for KIND/NAME]",
         "atelier events\natelier events --for ws/acme-pm -w",
         {{"for", 0, Kind::text, "KIND/NAME", "only events about this object"},
          watch,
          all_namespaces},
         run_events},
        {"wait",
         "wait until objects meet a condition",
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
         "create or change objects so that they are as files declare",
         "apply -f FILE | --plan TOKEN",
         "atelier apply -f org.yaml\natelier apply -f manifests/ -R\ncat org.yaml | atelier apply "
         "-f -\n"
         "atelier apply -f org.yaml --dry-run=server\natelier apply --plan 1f0c2d3e4a5b6c7d8e9f",
         {filename,
          recursive,
          dry_run,
          {"plan", 0, Kind::text, "TOKEN",
           "apply that plan; fails with 8 when objects have changed since it was made"}},
         run_apply},
        {"plan",
         "show what would happen to each workspace, without changing anything",
         "plan -f FILE | ORG",
         "atelier plan -f org.yaml\natelier plan acme\natelier plan -f org.yaml -o html "
         ">plan.html\n"
         "atelier plan -f org.yaml --exit-code",
         {filename,
          recursive,
          {"output", 'o', Kind::text, "FORMAT", "table, html, yaml, json, or jsonpath=PATH"},
          {"exit-code", 0, Kind::on, "",
           "exit with 1 when something would change, above 1 on errors"}},
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
          {"all", 0, Kind::on, "", "all objects of that kind in the namespace"},
          {"wait", 0, Kind::on, "", "wait until the objects are gone", "true"},
          {"cascade", 0, Kind::text, "HOW",
           "what happens to the objects that they own: background, foreground or orphan",
           "background"},
          {"children", 0, Kind::text, "HOW",
           "what happens to workspaces below a deleted one: delete or leave; without it, a "
           "workspace with children is not deleted"},
          {"keep-volumes", 0, Kind::text, "DURATION",
           "keep the volumes of the workspaces for that long, for undelete: 12h, 7d"},
          {"ignore-not-found", 0, Kind::on, "", "do not fail for objects that do not exist"},
          timeout},
         run_delete},
        {"revert",
         "pin an org to another revision of its template, after showing the plan",
         "revert ORG --to REVISION",
         "atelier revert acme --to 4f1c2ab\natelier revert acme --to 4f1c2ab --yes",
         {{"to", 0, Kind::text, "REVISION", "the revision to pin the org to"}, yes, output},
         run_revert},
        {"follow",
         "let an org follow its template again, after showing the plan",
         "follow ORG",
         "atelier follow acme\natelier follow acme --yes",
         {yes, output},
         run_follow},
        {"undelete",
         "bring a deleted workspace back with its volumes, or list those that can be",
         "undelete [NAME]",
         "atelier undelete\natelier undelete acme-qa\natelier undelete acme-qa.0a1b2c3d --as spare",
         {{"as", 0, Kind::text, "NAME", "the name that the workspace gets"},
          {timeout.name, 0, Kind::text, timeout.value, timeout.help, "1m"}},
         run_undelete},
        {"adopt",
         "let an org whose template has the workspaces control them; volumes stay",
         "adopt WORKSPACE…",
         "atelier adopt acme-qa --org acme",
         {{"org", 0, Kind::text, "ORG",
           "the org (default: the one that the workspace was made for)"},
          {timeout.name, 0, Kind::text, timeout.value, timeout.help, "1m"}},
         run_adopt},
        {"release",
         "end an org's control of workspaces: it does not change them any more",
         "release WORKSPACE…",
         "atelier release acme-qa",
         {{timeout.name, 0, Kind::text, timeout.value, timeout.help, "1m"}},
         run_release},
        {"updates",
         "list plugin updates; those that wait for a decision come first",
         "updates",
         "atelier updates\natelier updates --all",
         {{"all", 0, Kind::on, "", "also list those that have ended"}, all_namespaces},
         run_updates},
        {"approve",
         "approve a plugin update: exactly this digest is installed, or nothing",
         "approve UPDATE",
         "atelier approve reviewer-0a1b2c3 --reason \"read it\"",
         {reason},
         run_approve},
        {"dismiss",
         "dismiss a plugin update: there is no other for it until upstream moves",
         "dismiss UPDATE",
         "atelier dismiss reviewer-0a1b2c3 --reason \"adds a hook\"",
         {reason},
         run_dismiss},
        {"reconcile",
         "reconcile objects now",
         "reconcile KIND NAME… | KIND/NAME…",
         "atelier reconcile orgtemplate acme\natelier reconcile plugin reviewer --wait",
         {{"wait", 0, Kind::on, "", "wait until the server has reconciled them"},
          {timeout.name, 0, Kind::text, timeout.value, timeout.help, "1m"}},
         run_reconcile},
        {"suspend",
         "suspend objects: the server does not reconcile them",
         "suspend KIND NAME… | KIND/NAME…",
         "atelier suspend org acme --reason \"moving house\"",
         {reason},
         run_suspend},
        {"resume",
         "resume objects that were suspended",
         "resume KIND NAME… | KIND/NAME…",
         "atelier resume org acme",
         {},
         run_resume},
    };
}

std::vector<Verb> about_the_server() {
    return {
        {"api-resources",
         "list the kinds that the server serves",
         "api-resources",
         "atelier api-resources",
         {},
         run_api_resources},
        {"completion",
         "print a shell script that completes verbs, flags and names",
         "completion bash",
         "source <(atelier completion bash)\natelier completion bash "
         ">/etc/bash_completion.d/atelier",
         {},
         run_completion},
        {"version",
         "show the versions of this program and of the server",
         "version",
         "atelier version\natelier version -o json",
         {output, {"client", 0, Kind::on, "", "print the version of the client only"}},
         run_version},
        {"healthcheck",
         "exit with 0 when the server is ready, for health checks of containers",
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
         "the namespace (default: the kubeconfig's, else \"default\")"},
        {"kubeconfig", 0, Kind::text, "FILE",
         "the kubeconfig (default: $KUBECONFIG, $ATELIER_HOME/kubeconfig or ~/.kube/config)"},
        {"context", 0, Kind::text, "NAME", "the context of the kubeconfig to use"},
        {"server", 's', Kind::text, "URL", "the server, instead of the kubeconfig's"},
        {"token", 0, Kind::text, "TOKEN", "the token, instead of the kubeconfig's"},
        {"certificate-authority", 0, Kind::text, "FILE",
         "the CA certificates, instead of the kubeconfig's"},
        {"request-timeout", 0, Kind::text, "DURATION", "the time limit of one request", "30s"},
        {"help", 'h', Kind::on, "", "show this help"},
    };
    return flags;
}

}  // namespace atelier::cli
