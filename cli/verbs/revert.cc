// revert, follow: an org is brought to another revision by a plan that is looked at first.
#include <istream>
#include <ostream>

#include "base/text.h"
#include "cli/output/text_table.h"
#include "cli/person.h"
#include "cli/revisions.h"
#include "cli/verbs/plan.h"
#include "crds/template_revision.h"

namespace atelier::cli {
namespace {

// The Org as it is to be. An empty revision: it follows its template.
json::Document with_revision(const json::Value& live, const std::string& revision,
                             const std::string& person) {
    json::Document out = json::copy(live);
    auto& allocator = out.GetAllocator();
    json::remove(out, "status");
    json::Value& metadata = json::object_at(out, "metadata", allocator);
    for (const std::string_view own : {"resourceVersion", "managedFields", "generation"}) {
        json::remove(metadata, own);
    }
    json::Value& spec = json::object_at(out, "spec", allocator);
    json::Value& notes = json::object_at(metadata, "annotations", allocator);
    if (revision.empty()) {
        json::remove(spec, "revision");
        json::remove(notes, crds::annotation::revision_by);
    } else {
        json::set(spec, "revision", revision, allocator);
        json::set(notes, crds::annotation::revision_by, crds::revision_by_text(revision, person),
                  allocator);
    }
    return out;
}

// Whether a person at a terminal types "yes".
bool is_confirmed(Session& session, const std::string& question) {
    if (!session.terminal.out_is_terminal) return false;
    session.err() << question << " Type yes: " << std::flush;
    std::string line;
    return std::getline(session.terminal.in, line) && trim(line) == "yes";
}

Result<int> turn_to(Session& session, const OrgRevisions& all, const std::string& revision) {
    const std::string ns = TRY(session.ns());
    Client* const client = TRY(session.client());
    const Resource orgs = TRY(client->resolve(crds::OrgSpec::resource));
    const json::Document live = TRY(client->get(orgs, ns, all.org.meta.name));
    std::vector<json::Document> objects;
    objects.push_back(with_revision(live, revision, user_name(session.process.environment)));
    const json::Document plan = TRY(make_plan(session, ns, objects, ""));
    if (const int code = show_plan(session, ns, plan); code != exit_code::fine) return code;
    const std::string token = json::string_at(plan, {"status", "token"});
    if (token.empty()) return exit_code::fine;  // the plan has told why
    const bool sure =
        session.arguments.on("yes") || is_confirmed(session, "Have exactly that happen?");
    if (!sure) {
        session.err() << "nothing was changed\n";
        return exit_code::fine;
    }
    return apply_plan(session, token);
}

Result<int> revert(Session& session) {
    const OrgRevisions all = TRY(org_revisions(session, session.arguments.words[0]));
    const std::string revision = TRY(all.name_of(session.arguments.text("to")));
    if (all.org.spec.revision == revision) {
        session.out() << "org.atelier.dev/" << all.org.meta.name << " is pinned to "
                      << printable(crds::short_revision(revision)) << " already\n";
        return exit_code::fine;
    }
    return turn_to(session, all, revision);
}

Result<int> follow(Session& session) {
    const OrgRevisions all = TRY(org_revisions(session, session.arguments.words[0]));
    if (all.org.spec.revision.empty()) {
        session.out() << "org.atelier.dev/" << all.org.meta.name
                      << " follows its template already\n";
        return exit_code::fine;
    }
    return turn_to(session, all, "");
}

}  // namespace

int run_revert(Session& session) {
    if (session.arguments.words.size() != 1 || session.arguments.text("to").empty()) {
        return session.usage(
            "name an org and a revision: atelier revert ORG --to REVISION; "
            "`atelier history ORG` lists them");
    }
    const auto code = revert(session);
    return code ? *code : session.fail(code.error());
}

int run_follow(Session& session) {
    if (session.arguments.words.size() != 1) return session.usage("name one org");
    const auto code = follow(session);
    return code ? *code : session.fail(code.error());
}

}  // namespace atelier::cli
