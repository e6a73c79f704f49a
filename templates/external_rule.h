// What an `!external` of a template may name. Every rule is older than any call: what is refused
// here causes no request and touches no disk.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::templates {

// The operator's word on other repositories.
struct ExternalPolicy {
    // Where a repository is when the template does not say: "host", "host:port", or with "https://"
    // or "http://" in front.
    std::string host = "git.moleculesai.app";
    // "host/path" prefixes, matched on whole segments; a trailing "/" or "/*" says nothing more. A
    // host without TLS needs "http://" in front: no entry without it allows that.
    std::vector<std::string> allow = {"git.moleculesai.app/molecule-ai/"};
};

// As the template says it.
struct ExternalRequest {
    std::string repo;  // "owner/name"
    std::string ref;   // branch, tag or full commit
    std::string path;  // of a file in the repository
    std::string url;   // host; empty: the policy's
};

// As it is asked for.
struct ExternalTarget {
    std::string origin;  // "https://git.example.com:3000"
    std::string url;     // of the repository
    std::string ref;
    std::string path;
    std::string label;  // "owner/name@ref", with the host in front unless it is the policy's
};

// forbidden: the repository is not allowed; the other errors are invalid, or, for a path that leads
// out of the repository, unsupported.
Result<ExternalTarget> check_external(const ExternalRequest& request, const ExternalPolicy& policy);

// That an operator's settings have a meaning.
Result<void> check_external_policy(const ExternalPolicy& policy);

// "https://Git.Example.com:443/" -> "https://git.example.com"; https where no scheme is given.
// invalid: it has a path, a user, or is no host.
Result<std::string> external_origin(std::string_view host);
// The origin of a URL of a repository; empty when it has none.
std::string origin_of_url(std::string_view url);

}  // namespace atelier::templates
