// OrgTemplate: where an org's description is, and what was compiled from it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crds/meta.h"

namespace atelier::crds {

struct GitSource {
    std::string url;   // http(s)://…
    std::string ref;   // branch, tag or full commit; empty: the remote's HEAD
    std::string path;  // folder of org.yaml inside the repository; empty: its root
    std::optional<LocalRef>
        secret_ref;  // Secret with `token`, or `username` and `password`; `ca.crt`
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("url", self.url);
        v("ref", self.ref);
        v("path", self.path);
        v("secretRef", self.secret_ref);
    }
};

struct TemplateSource {
    std::optional<GitSource> git;
    std::string directory;    // a folder below the server's --org-templates directory
    std::string inline_yaml;  // the text of an org.yaml; file references are refused
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("git", self.git);
        v("directory", self.directory);
        v("inline", self.inline_yaml);
    }
};

// Whoever calls the template's webhook must know the key `token` of that Secret.
struct TemplateWebhook {
    LocalRef secret_ref;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("secretRef", self.secret_ref);
    }
};

struct OrgTemplateSpec {
    static constexpr std::string_view kind = "OrgTemplate";
    static constexpr std::string_view resource = "orgtemplates.atelier.dev";
    TemplateSource source;  // exactly one member
    Duration interval = std::chrono::minutes(5);
    std::optional<TemplateWebhook> webhook;
    std::int64_t revision_history_limit = 10;  // revisions that an Org can go back to
    bool suspend = false;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("source", self.source);
        v("interval", self.interval);
        v("webhook", self.webhook);
        v("revisionHistoryLimit", self.revision_history_limit);
        v("suspend", self.suspend);
    }
};

struct TemplateWarning {
    std::string reason;  // UnknownField, …
    std::string file;
    std::int64_t line = 0;    // from 1
    std::int64_t column = 0;  // from 1
    std::string message;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("reason", self.reason);
        v("file", self.file);
        v("line", self.line);
        v("column", self.column);
        v("message", self.message);
    }
};

struct TemplateCounts {
    std::int64_t declared = 0;  // every node
    std::int64_t spawning = 0;  // without the subtrees of `spawning: false`
    std::int64_t skipped = 0;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("declared", self.declared);
        v("spawning", self.spawning);
        v("skipped", self.skipped);
    }
};

// Another repository that the template was put together from.
struct TemplateExternal {
    std::string url;
    std::string ref;     // as the template says it
    std::string commit;  // what that was
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("url", self.url);
        v("ref", self.ref);
        v("commit", self.commit);
    }
};

// One requirement: any one of the names satisfies it.
struct EnvRequirement {
    std::vector<std::string> any_of;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("anyOf", self.any_of);
    }
};

// One that was compiled.
struct TemplateRevision {
    std::string revision;
    std::string artifact_digest;
    std::optional<Instant> compiled_at;
    std::string author;   // of the commit; empty where there is none
    std::string subject;  // first line of the commit's message
    std::int64_t workspaces = 0;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("revision", self.revision);
        v("artifactDigest", self.artifact_digest);
        v("compiledAt", self.compiled_at);
        v("author", self.author);
        v("subject", self.subject);
        v("workspaces", self.workspaces);
    }
};

struct OrgTemplateStatus : StatusBase {
    std::string revision;         // commit, or digest of what was read
    std::string artifact_digest;  // the compiled tree in the tree store
    std::string template_name;
    TemplateCounts counts;
    std::vector<TemplateExternal> externals;
    std::vector<EnvRequirement> required_env;
    std::vector<EnvRequirement> recommended_env;
    std::string needs;                       // required_env in words: "A, B or C"
    std::vector<TemplateWarning> warnings;   // the first 100
    std::optional<Instant> last_fetch_time;  // of the revision above
    std::vector<TemplateRevision> history;   // the newest first; the one above among them
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        StatusBase::base_fields(self, v);
        v("revision", self.revision);
        v("artifactDigest", self.artifact_digest);
        v("templateName", self.template_name);
        v("counts", self.counts);
        v("externals", self.externals);
        v("requiredEnv", self.required_env);
        v("recommendedEnv", self.recommended_env);
        v("needs", self.needs);
        v("warnings", self.warnings);
        v("lastFetchTime", self.last_fetch_time);
        v("history", self.history);
    }
};

using OrgTemplate = Typed<OrgTemplateSpec, OrgTemplateStatus>;

}  // namespace atelier::crds
