#include "cli/output/plan_html.h"

#include "base/text.h"
#include "base/utf8.h"

namespace atelier::cli {
namespace {

// Escapes `text` for HTML. Control characters, which HTML does not allow, become spaces.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : as_utf8(text)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
        }
    }
    return out;
}

constexpr std::string_view style = R"css(
:root { color-scheme: light dark; --ink: #1d2126; --soft: #5b6570; --paper: #ffffff; --card: #f4f6f8;
  --line: #d9dee4; --good: #1a7f42; --change: #8a5a00; --bad: #b3261e; --move: #2b5fb8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #9aa5b1; --paper: #14171a;
  --card: #1d2226; --line: #333b43; --good: #5fcf8b; --change: #e3b35a; --bad: #ff8a80;
  --move: #8ab4f8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; }
.soft { color: var(--soft); }
.chips { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0; padding: 0; list-style: none; }
.chips li { background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
  padding: .15rem .75rem; }
code, pre { font: .9em/1.5 ui-monospace, monospace; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .75rem 1rem; overflow-x: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
td:first-child { white-space: nowrap; font-weight: 600; }
td ul { margin: 0; padding-left: 1.1rem; }
.create, .start { color: var(--good); }
.restart, .configure, .update, .hotReload { color: var(--change); }
.delete, .recreate, .stop { color: var(--bad); }
.reparent { color: var(--move); }
.note { background: var(--card); border: 1px solid var(--line); border-left: .3rem solid var(--soft);
  border-radius: .5rem; padding: .6rem 1rem; margin: .5rem 0; overflow-wrap: anywhere; }
.blocks { border-left-color: var(--bad); }
)css";

std::string name_of_class(const std::string& action) {
    for (const char c : action) {
        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')) return "other";
    }
    return action;
}

std::string row(const ForecastItem& item) {
    std::string out = "<tr><td class=\"" + name_of_class(item.action) + "\">" +
                      escaped(glyph_and_word(item.action, true)) + (item.held ? " (held)" : "") +
                      "</td><td>" + escaped(item.kind) + " <code>" + escaped(item.name) +
                      "</code></td><td>";
    const auto details = details_of(item);
    if (details.size() == 1) out += escaped(details[0]);
    if (details.size() > 1) {
        out += "<ul>";
        for (const std::string& line : details) out += "<li>" + escaped(line) + "</li>";
        out += "</ul>";
    }
    return out + "</td></tr>\n";
}

std::string notes(const ForecastStatus& plan, bool blocks, std::string_view title) {
    std::string out;
    for (const ForecastBlocker& blocker : plan.blockers) {
        if (blocker.blocks != blocks) continue;
        if (out.empty()) out = "<h2>" + std::string(title) + "</h2>\n";
        out += std::string("<div class=\"note") + (blocks ? " blocks" : "") + "\"><p><strong>" +
               escaped(blocker.about) + "</strong> <span class=\"soft\">" +
               escaped(blocker.reason) + "</span></p><p>" + escaped(blocker.message) + "</p>";
        if (!blocker.command.empty()) out += "<pre>" + escaped(blocker.command) + "</pre>";
        out += "</div>\n";
    }
    return out;
}

}  // namespace

std::string plan_html(const ForecastStatus& plan, const std::string& ns,
                      const std::string& made_at) {
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>Plan for " +
        escaped(ns) + "</title>\n<style>" + std::string(style) +
        "</style>\n</head>\n<body>\n<h1>Plan for the namespace " + escaped(ns) +
        "</h1>\n<p class=\"soft\">made at " + escaped(made_at) + "</p>\n";
    if (plan.items.empty()) {
        out += "<p>Nothing would change.</p>\n";
    } else {
        out += "<ul class=\"chips\">";
        for (const auto& [action, count] : plan.counts) {
            out += "<li><span class=\"" + name_of_class(action) + "\">" +
                   escaped(glyph_and_word(action, true)) + "</span> " + std::to_string(count) +
                   "</li>";
        }
        out += "<li>= nothing " + std::to_string(plan.unchanged) + "</li></ul>\n";
    }
    out += notes(plan, true, "Blocked");
    if (!plan.items.empty()) {
        out +=
            "<h2>What would happen</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th>Action</th>"
            "<th>Object</th><th>Why</th></tr></thead>\n<tbody>\n";
        for (const ForecastItem& item : plan.items) out += row(item);
        out += "</tbody>\n</table></div>\n";
    }
    out += notes(plan, false, "To know");
    if (!plan.token.empty()) {
        out += "<h2>To have exactly this happen</h2>\n<pre>atelier apply -n " + escaped(ns) +
               " --plan " + escaped(plan.token) + "</pre>\n<p class=\"soft\">until " +
               time_text(plan) + "; it fails if anything has moved by then</p>\n";
    }
    return out + "</body>\n</html>\n";
}

}  // namespace atelier::cli
