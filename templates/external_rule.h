// The rules for what an `!external` of a template may name. They are checked before anything else:
// a reference that is refused here causes no request and touches no disk. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::templates {

// The operator's settings for other repositories.
struct ExternalPolicy {
    // The host of repositories for which the template names none: "host", "host:port", or with
    // "https://" or "http://" in front.
    std::string host;  // empty: every !external must name its url
    // "host/path" prefixes, matched on whole path segments; a trailing "/" or "/*" changes nothing.
    // A host without TLS is allowed only by an entry with "http://" in front.
    std::vector<std::string> allow;  // empty: nothing is allowed
};

// As written in the template.
struct ExternalRequest {
    std::string repo;  // "owner/name"
    std::string ref;   // branch, tag or full commit
    std::string path;  // of a file in the repository
    std::string url;   // host; empty: the policy's
};

// As it is fetched.
struct ExternalTarget {
    std::string origin;  // "https://git.example.com:3000"
    std::string url;     // of the repository
    std::string ref;
    std::string path;
    std::string label;  // "owner/name@ref", with the host in front unless it is the policy's
};

// Errors: forbidden when the policy does not allow the repository; unsupported for a path that
// leads out of the repository; invalid for everything else.
Result<ExternalTarget> check_external(const ExternalRequest& request, const ExternalPolicy& policy);

// Code::invalid for a host or an entry that cannot match any repository. Both may be empty.
Result<void> check_external_policy(const ExternalPolicy& policy);

// "https://Git.Example.com:443/" -> "https://git.example.com"; https where no scheme is given.
// Code::invalid for one with a path or a user, or that is no host.
Result<std::string> external_origin(std::string_view host);
// The origin of a repository's URL; empty for a URL without a scheme.
std::string origin_of_url(std::string_view url);

}  // namespace atelier::templates
