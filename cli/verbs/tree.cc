#include <algorithm>
#include <map>
#include <ostream>

#include "base/text.h"
#include "cli/output/org_tree.h"
#include "cli/output/output.h"
#include "cli/output/text_table.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {
namespace {

// A copy of the objects of one kind that a watch keeps up to date.
template <class T>
class Mirror {
  public:
    Mirror(Client& client, Resource resource, std::string ns)
        : client_(client), resource_(std::move(resource)), ns_(std::move(ns)) {}

    Result<void> load() {
        objects_.clear();
        for (const auto& item : TRY(client_.items(resource_, ns_, {}, &revision_))) {
            TRY(put(item));
        }
        return {};
    }
    Result<void> follow() {
        watch_ = TRY(client_.watch(resource_, ns_, {}, revision_));
        return {};
    }
    // Takes one event of the watch, waiting for `patience` at most; true when an object has
    // changed.
    Result<bool> advance(Duration patience) {
        auto event = watch_->next(patience);
        if (!event && event.error().code == Code::gone) {
            TRY(load());
            TRY(follow());
            return true;
        }
        if (!event) return event.error();
        if (!*event) return false;
        const json::Value& object = (*event)->object;
        if ((*event)->type == "DELETED") {
            objects_.erase(key_of(object));
        } else {
            TRY(put(object));
        }
        return true;
    }
    const std::map<std::string, T>& objects() const { return objects_; }

  private:
    static std::string key_of(const json::Value& object) {
        return json::string_at(object, {"metadata", "namespace"}) + "/" +
               json::string_at(object, {"metadata", "name"});
    }
    Result<void> put(const json::Value& object) {
        objects_.insert_or_assign(key_of(object), TRY(crds::decode<T>(object)));
        return {};
    }

    Client& client_;
    const Resource resource_;
    const std::string ns_;
    std::string revision_;
    std::unique_ptr<Watch> watch_;
    std::map<std::string, T> objects_;
};

std::string clipped(const std::string& line, std::size_t columns) {
    std::string out;
    std::size_t width = 0;
    for (const char c : line) {
        if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++width > columns) break;
        out += c;
    }
    return out;
}

// `text` with the cell of the state in its colour.
std::string painted(const std::string& text, const TreeLine& line) {
    const std::string& cell = line.cells[1];
    const std::size_t at = cell.empty() ? text.npos : text.find(cell, line.cells[0].size());
    if (at == text.npos) return text;
    const char* colour = nullptr;
    switch (line.state) {
        case State::ready:
            colour = "32";
            break;
        case State::reconciling:
            colour = "33";
            break;
        case State::stalled:
            colour = "31";
            break;
        default:
            return text;
    }
    return text.substr(0, at) + "\x1b[" + colour + "m" + cell + "\x1b[0m" +
           text.substr(at + cell.size());
}

class TreeView {
  public:
    TreeView(Session& session, std::string org) : session_(session), org_(std::move(org)) {
        unicode_ = speaks_unicode(session.process.environment);
        const bool dumb = session.process.environment.get("TERM") == "dumb";
        redraws_ = session.terminal.out_is_terminal && !dumb;
        // NO_COLOR as https://no-color.org has it.
        paints_ = redraws_ && session.process.environment.get("NO_COLOR").empty();
    }

    Result<void> load() {
        Client* const client = TRY(session_.client());
        const std::string ns = TRY(session_.ns());
        orgs_.emplace(*client, TRY(client->resolve(crds::OrgSpec::resource)), ns);
        workspaces_.emplace(*client, TRY(client->resolve(crds::WorkspaceSpec::resource)), ns);
        TRY(orgs_->load());
        TRY(workspaces_->load());
        if (!org_.empty() && fleet().orgs.empty()) {
            return Error{Code::not_found, "there is no org \"" + org_ + "\""};
        }
        return {};
    }
    Result<void> follow() {
        TRY(orgs_->follow());
        return workspaces_->follow();
    }
    Result<bool> advance() {
        bool changed = TRY(workspaces_->advance(glance));
        while (TRY(workspaces_->advance(Duration::zero()))) changed = true;
        while (TRY(orgs_->advance(Duration::zero()))) changed = true;
        return changed;
    }

    Fleet fleet() const {
        Fleet out;
        for (const auto& [key, org] : orgs_->objects()) {
            if (org_.empty() || org.meta.name == org_) out.orgs.push_back(org);
        }
        for (const auto& [key, workspace] : workspaces_->objects()) {
            if (org_.empty() || workspace.spec.org == org_) out.workspaces.push_back(workspace);
        }
        return out;
    }

    void print() {
        const auto lines = tree_lines(fleet(), session_.now(), unicode_);
        if (lines.empty()) {
            session_.err()
                << "There is no org and no workspace yet. To make one: atelier apply -f FILE\n";
            return;
        }
        for (const std::string& text : rows(lines)) session_.out() << text << "\n";
        session_.out() << std::flush;
        remember(lines);
    }

    // On a terminal the tree is drawn again in its place; elsewhere only the lines that differ are
    // printed.
    void print_changes() {
        const auto lines = tree_lines(fleet(), session_.now(), unicode_);
        if (!redraws_) {
            TextTable table(tree_header());
            for (const TreeLine& line : lines) {
                const auto old = shown_.find(line.key);
                if (old == shown_.end() || old->second != without_age(line)) table.add(line.cells);
            }
            std::string text = table.take_text(false);
            for (const auto& [key, cells] : shown_) {
                const bool there = std::any_of(lines.begin(), lines.end(),
                                               [&](const auto& line) { return line.key == key; });
                if (!there) text += key.substr(key.find('/') + 1) + " is gone\n";
            }
            session_.out() << text << std::flush;
        } else {
            if (drawn_ > 0) session_.out() << "\x1b[" << drawn_ << "A\x1b[J";
            drawn_ = 0;
            for (const std::string& text : rows(lines)) {
                session_.out() << text << "\n";
                ++drawn_;
            }
            session_.out() << std::flush;
        }
        remember(lines);
    }

  private:
    // The header and the lines. Where the tree is drawn again in its place they are clipped to the
    // width of the terminal: a line that wraps would break the count of lines to go up.
    std::vector<std::string> rows(const std::vector<TreeLine>& lines) const {
        TextTable table(tree_header());
        for (const TreeLine& line : lines) table.add(line.cells);
        std::vector<std::string> out = split(table.take_text(true), '\n');
        out.resize(lines.size() + 1);
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (redraws_ && session_.arguments.on("watch")) {
                out[i] = clipped(out[i], static_cast<std::size_t>(session_.terminal.columns));
            }
            if (paints_ && i > 0) out[i] = painted(out[i], lines[i - 1]);
        }
        return out;
    }
    // A line whose age alone has changed counts as unchanged.
    static std::string without_age(const TreeLine& line) {
        std::vector<std::string> cells = line.cells;
        cells[4].clear();
        return join(cells, "\n");
    }
    void remember(const std::vector<TreeLine>& lines) {
        shown_.clear();
        for (const TreeLine& line : lines) shown_[line.key] = without_age(line);
    }

    Session& session_;
    const std::string org_;
    bool unicode_ = false;
    bool redraws_ = false;
    bool paints_ = false;
    std::size_t drawn_ = 0;
    std::map<std::string, std::string> shown_;
    std::optional<Mirror<crds::Org>> orgs_;
    std::optional<Mirror<crds::Workspace>> workspaces_;
};

std::string resume_command(const Session& session) {
    return "atelier tree " + join(session.arguments.words, " ") +
           (session.arguments.words.empty() ? "-w" : " -w");
}

int timed_out(Session& session, const Fleet& fleet) {
    session.err() << "error: timed out before the org and all its workspaces were Ready\n";
    for (const auto& line : not_ready(fleet)) session.err() << "  " << printable(line) << "\n";
    return any_stalled(fleet) ? exit_code::stalled : exit_code::timed_out;
}

Result<int> show_tree(Session& session, const Deadline& deadline) {
    const auto& words = session.arguments.words;
    const bool watching = session.arguments.on("watch");
    const bool until_ready = session.arguments.on("until-ready");
    TreeView view(session, words.empty() ? "" : words[0].substr(words[0].find('/') + 1));
    TRY(view.load());
    if (!watching && !until_ready) {
        view.print();
        return exit_code::fine;
    }
    if (watching) {
        view.print_changes();
    }
    TRY(view.follow());
    while (!session.interrupted()) {
        if (until_ready && all_ready(view.fleet())) {
            if (!watching) view.print();
            return exit_code::fine;
        }
        if (deadline.passed(session.now())) {
            if (!watching) view.print();
            return until_ready ? timed_out(session, view.fleet()) : exit_code::timed_out;
        }
        const bool changed = TRY(view.advance());
        if (changed && watching) view.print_changes();
    }
    return session.interrupted_watching(resume_command(session));
}

}  // namespace

int run_tree(Session& session) {
    if (session.arguments.words.size() > 1) return session.usage("tree takes one org, or none");
    const auto deadline = Deadline::of(session);
    if (!deadline) return session.usage(deadline.error().message);
    const auto code = show_tree(session, *deadline);
    return code ? *code : session.fail(code.error());
}

}  // namespace atelier::cli
