// Plans, as the server answers them, and as people read them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/fields.h"
#include "cli/session.h"

namespace atelier::cli {

struct PlanItem {
    std::string kind;
    std::string name;
    std::string action;
    std::vector<std::string> reasons;
    std::string parent;
    std::string old_parent;
    std::string kept;
    bool held = false;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("kind", self.kind);
        v("name", self.name);
        v("action", self.action);
        v("reasons", self.reasons);
        v("parent", self.parent);
        v("oldParent", self.old_parent);
        v("kept", self.kept);
        v("held", self.held);
    }
    // Where it moves, what is kept, and why: a line each.
    std::vector<std::string> details() const;
};

struct PlanBlocker {
    std::string about;
    std::string reason;
    std::string message;
    std::string command;
    bool blocks = false;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("about", self.about);
        v("reason", self.reason);
        v("message", self.message);
        v("command", self.command);
        v("blocks", self.blocks);
    }
};

struct PlanStatus {
    std::vector<PlanItem> items;
    std::vector<PlanBlocker> blockers;
    std::map<std::string, std::int64_t> counts;
    std::int64_t unchanged = 0;
    std::string summary;
    std::string token;
    std::string expires_at;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("items", self.items);
        v("blockers", self.blockers);
        v("counts", self.counts);
        v("unchanged", self.unchanged);
        v("summary", self.summary);
        v("token", self.token);
        v("expiresAt", self.expires_at);
    }
};

// "↻ restart", or "* restart" where the terminal has no such letters.
std::string glyph_and_word(const std::string& action, bool unicode);

std::string plan_text(const PlanStatus& plan, const std::string& ns, bool unicode);
// One page that needs nothing else: light and dark, all text escaped, nothing that runs.
std::string plan_html(const PlanStatus& plan, const std::string& ns, const std::string& made_at);

// `objects`: whole, as they are to be. Code::invalid and others as the server says.
Result<json::Document> make_plan(Session& session, const std::string& ns,
                                 const std::vector<json::Document>& objects,
                                 const std::string& org);
// Prints it in the format of -o; the exit code, as --exit-code has it.
int show_plan(Session& session, const std::string& ns, const json::Document& plan);
// Has exactly that happen. Tells what moved; the exit code.
int apply_plan(Session& session, const std::string& token);

}  // namespace atelier::cli
