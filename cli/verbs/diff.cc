// diff: what a template changed between two of its revisions, workspace by workspace; with files,
// what `apply` would change (diff_files.cc).
#include <ostream>

#include "cli/objects/org_revisions.h"
#include "cli/output/output.h"
#include "cli/output/revision_diff.h"
#include "cli/output/text_table.h"
#include "cli/verbs/diff_files.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {
namespace {

// ": Reason: message" of a template whose source holds something newer that is no revision, because
// it cannot be read or does not compile; empty when its newest revision is what the source holds.
std::string unread_source(const crds::OrgTemplate& source) {
    const crds::Condition* const ready = source.status.find(crds::condition::ready);
    if (!ready || ready->status != crds::ConditionStatus::no) return {};
    return ": " + ready->reason + ": " + ready->message;
}

Result<int> diff(Session& session) {
    const Format format = TRY(format_of(session.arguments.text("output")));
    const OrgRevisions all = TRY(org_revisions(session, session.arguments.words[0]));
    Query query;
    for (const char* side : {"since", "to"}) {
        const std::string text = session.arguments.text(side);
        if (!text.empty()) query.emplace_back(side, TRY(all.name_of(text)));
    }
    Client* const client = TRY(session.client());
    const Resource orgs = TRY(client->resolve(crds::OrgSpec::resource));
    const std::string ns = TRY(session.ns());
    const std::string path = orgs.path(ns, all.org.meta.name) + "/diff";
    const json::Document answer = TRY(client->call({"GET", path, query}));
    session.out() << (format.is_table() ? diff_text(answer) : object_text(format, answer));
    if (session.arguments.text("to").empty()) {
        if (const std::string why = unread_source(all.source); !why.empty()) {
            session.err() << "error: the source of orgtemplate.atelier.dev/" << all.source.meta.name
                          << " now holds something that is no revision; compared is the newest "
                             "revision that compiled"
                          << printable(why) << "\n";
            return exit_code::stalled;
        }
    }
    return session.arguments.on("exit-code") && has_changes(answer) ? exit_code::error
                                                                    : exit_code::fine;
}

}  // namespace

int run_diff(Session& session) {
    const bool files = session.arguments.given("filename");
    const std::size_t words = session.arguments.words.size();
    if (files ? words != 0 : words != 1) {
        return session.usage(
            "name files by -f, or one org: atelier diff -f FILE | ORG --since REVISION");
    }
    const auto code = files ? diff_files(session) : diff(session);
    if (code) return *code;
    // 1 means that there are changes: an error must be another code.
    const int failed = session.fail(code.error());
    return failed == exit_code::error ? exit_code::usage : failed;
}

}  // namespace atelier::cli
