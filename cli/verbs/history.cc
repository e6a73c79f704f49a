// history: the revisions of an Org's template, and those that the Org has applied.
#include <algorithm>
#include <ostream>

#include "base/fields.h"
#include "base/text.h"
#include "cli/objects/org_revisions.h"
#include "cli/output/output.h"
#include "cli/output/text_table.h"
#include "cli/verbs/verbs.h"
#include "crds/template_revision.h"

namespace atelier::cli {
namespace {

std::string age_of(const std::optional<Instant>& at, Instant now) {
    return at ? human_age(std::max(Duration::zero(), now - *at)) : "-";
}

std::string or_dash(const std::string& text) {
    return text.empty() ? "-" : text;
}

// What the revision is to the Org: newest, running, pinned.
std::string state_of(const OrgRevisions& all, std::size_t index) {
    const crds::TemplateRevision& entry = all.source.status.history[index];
    std::vector<std::string> states;
    if (index == 0) states.emplace_back("newest");
    if (all.runs(entry)) states.emplace_back("runs");
    const std::string& pin = all.org.spec.revision;
    if (!pin.empty()) {
        const auto pinned =
            crds::find_revision(all.source.status.history, pin, all.org.status.artifact_digest);
        if (pinned && pinned->revision == entry.revision &&
            pinned->artifact_digest == entry.artifact_digest) {
            states.emplace_back("pinned");
        }
    }
    return or_dash(join(states, ", "));
}

void show(Session& session, const OrgRevisions& all) {
    TextTable revisions(
        {"REVISION", "ARTIFACT", "WORKSPACES", "AGE", "AUTHOR", "SUBJECT", "STATE"});
    const auto& history = all.source.status.history;
    for (std::size_t i = 0; i < history.size(); ++i) {
        const crds::TemplateRevision& entry = history[i];
        revisions.add({crds::short_revision(entry.revision), entry.artifact_digest.substr(0, 12),
                       std::to_string(entry.workspaces), age_of(entry.compiled_at, session.now()),
                       or_dash(entry.author), or_dash(entry.subject), state_of(all, i)});
    }
    session.out() << revisions.take_text(true);
    if (all.org.status.history.empty()) return;
    TextTable applied({"APPLIED", "REVISION", "ARTIFACT", "BY"});
    for (const crds::AppliedRevision& entry : all.org.status.history) {
        applied.add({age_of(entry.applied_at, session.now()), crds::short_revision(entry.revision),
                     entry.artifact_digest.substr(0, 12), or_dash(entry.by)});
    }
    session.out() << "\n" << applied.take_text(true);
}

json::Document document_of(const OrgRevisions& all) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::set(out, "apiVersion", crds::api_version, allocator);
    json::set(out, "kind", "OrgHistory", allocator);
    json::set(out, "org", all.org.meta.name, allocator);
    json::set(out, "template", all.source.meta.name, allocator);
    if (!all.org.spec.revision.empty()) {
        json::set(out, "pinned", all.org.spec.revision, allocator);
    }
    const auto add = [&](std::string_view name, const auto& entries) {
        json::Value list(rapidjson::kArrayType);
        for (const auto& entry : entries) {
            const json::Document one = json::document_of(entry);
            list.PushBack(json::Value(one, allocator), allocator);
        }
        json::set(out, name, std::move(list), allocator);
    };
    add("revisions", all.source.status.history);
    add("applied", all.org.status.history);
    return out;
}

Result<int> history(Session& session) {
    const Format format = TRY(format_of(session.arguments.text("output")));
    const OrgRevisions all = TRY(org_revisions(session, session.arguments.words[0]));
    if (!format.is_table()) {
        session.out() << object_text(format, document_of(all));
    } else if (all.source.status.history.empty()) {
        session.err() << "OrgTemplate " << all.source.meta.name << " has no revision yet.\n";
    } else {
        show(session, all);
    }
    return exit_code::fine;
}

}  // namespace

int run_history(Session& session) {
    if (session.arguments.words.size() != 1) return session.usage("name one org");
    const auto code = history(session);
    return code ? *code : session.fail(code.error());
}

}  // namespace atelier::cli
