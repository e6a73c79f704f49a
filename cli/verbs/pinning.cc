#include "cli/verbs/pinning.h"

#include <istream>
#include <ostream>

#include "base/text.h"
#include "cli/objects/person.h"
#include "cli/objects/server_fields.h"
#include "cli/verbs/plan.h"
#include "crds/template_revision.h"

namespace atelier::cli {
namespace {

// A copy of the Org with spec.revision set, or removed when `revision` is empty.
json::Document with_revision(const json::Value& live, const std::string& revision,
                             const std::string& person) {
    json::Document out = json::copy(live);
    auto& allocator = out.GetAllocator();
    remove_written_fields(out);
    json::Value& metadata = json::object_at(out, "metadata", allocator);
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

}  // namespace

Result<int> pin_org(Session& session, const OrgRevisions& all, const std::string& revision) {
    const std::string ns = TRY(session.ns());
    Client* const client = TRY(session.client());
    const Resource orgs = TRY(client->resolve(crds::OrgSpec::resource));
    const json::Document live = TRY(client->get(orgs, ns, all.org.meta.name));
    std::vector<json::Document> objects;
    objects.push_back(with_revision(live, revision, user_name(session.process.environment)));
    const json::Document plan = TRY(make_plan(session, ns, objects, ""));
    if (const int code = show_plan(session, ns, plan); code != exit_code::fine) return code;
    const std::string token = json::string_at(plan, {"status", "token"});
    if (token.empty()) return exit_code::fine;  // the plan that was printed says what blocks it
    const bool sure =
        session.arguments.on("yes") || is_confirmed(session, "Have exactly that happen?");
    if (!sure) {
        session.err() << "nothing was changed\n";
        return exit_code::fine;
    }
    return apply_plan(session, token);
}

}  // namespace atelier::cli
