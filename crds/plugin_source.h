// The two small languages of a Plugin's spec: where it comes from, and what of it to follow.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::crds {

struct PluginSource {
    enum class Scheme {
        local,   // a folder of the server's plugins directory
        github,  // a public repository of GitHub
        git      // any repository that git reaches by http or https
    };
    Scheme scheme = Scheme::local;
    std::string name;  // local: of the folder; github: "owner/repo"
    std::string url;   // git: "https://host/path", without credentials
    std::string ref;   // behind '#': tag, branch or commit; may be empty

    // "github://owner/repo#v1": what a source without its scheme means, too.
    std::string text() const;
};

// local://name (or just name), github://owner/repo[#ref], git+http(s)://host/path[#ref].
Result<PluginSource> parse_plugin_source(std::string_view text);

struct Track {
    enum class Kind {
        none,            // never looks for updates
        tag,             // a tag that should not move
        latest_version,  // tag:latest, the highest version among the tags
        branch,
        commit
    };
    Kind kind = Kind::none;
    std::string name;  // of the tag or branch; 40 hexadecimal digits of the commit
};

// none, tag:<name>, tag:latest, branch:<name>, sha:<40 hexadecimal digits>. Empty is none.
Result<Track> parse_track(std::string_view text);

// Whether git may be asked for this ref: no leading '-', no "..", no "@{", plain characters. The
// message says what is wrong with it.
Result<void> check_git_ref(std::string_view ref);
// http:// or https:// with a host and without credentials.
Result<void> check_git_url(std::string_view url);
// The same, and that it names a repository: a path, without "..", and no query.
Result<void> check_repository_url(std::string_view url);
// What may be shown of a URL or source that is refused: without credentials that are in it.
std::string without_credentials(std::string_view url);
// ^[a-z0-9][a-z0-9._-]{0,127}$
bool is_plugin_name(std::string_view name);

}  // namespace atelier::crds
