#include "apiserver/verbs/list.h"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/request/collection.h"
#include "apiserver/request/page.h"
#include "base/json_text.h"

namespace atelier::apiserver {
namespace {

// A run of objects in a sorted list.
struct Run {
    const store::ObjectList& list;
    std::size_t begin = 0;
    std::size_t end = 0;
};

// The text that sorts next after `text`.
std::string successor(const std::string& text) {
    return text + '\0';
}

// The part of a list that is in one namespace; all of it when `ns` is empty.
Run in_namespace(const store::ObjectList& list, const std::string& ns) {
    if (ns.empty()) return {list, 0, list.size()};
    return {list, list.lower_bound(ns, ""), list.lower_bound(successor(ns), "")};
}

struct Picked {
    std::vector<const store::Object*> objects;
    bool more = false;
    std::size_t remaining = 0;  // objects after the last picked; known without a selector only
};

Picked pick(const Run& run, const Selection& selection, std::int64_t limit) {
    Picked out;
    const bool all = selection.plain();
    const std::size_t size = run.end - run.begin;
    const auto most = limit > 0 ? static_cast<std::size_t>(limit) : size;
    out.objects.reserve(all ? std::min(most, size) : 0);
    auto at = run.list.begin() + static_cast<std::ptrdiff_t>(run.begin);
    for (std::size_t i = run.begin; i < run.end; ++i, ++at) {
        const store::Object& object = **at;
        if (!all && !selection.matches(object)) continue;
        if (out.objects.size() == most) {
            out.more = true;
            out.remaining = run.end - i;
            break;
        }
        out.objects.push_back(&object);
    }
    return out;
}

std::string list_metadata(const Picked& picked, const Selection& selection, Revision revision) {
    std::string out = fmt::format("{{\"resourceVersion\":\"{}\"", revision);
    if (picked.more) {
        const Key& last = picked.objects.back()->key;
        out += ",\"continue\":";
        append_quoted(out, encode_page({revision, last.ns, last.name}));
        if (selection.plain()) out += fmt::format(",\"remainingItemCount\":{}", picked.remaining);
    }
    return out + "}";
}

std::string list_text(Services& services, Call& call, const Picked& picked, std::string out,
                      std::size_t size) {
    if (call.view.as.form == Form::object) out.reserve(out.size() + size + 8);
    const Instant now = services.clock.now();
    bool first = true;
    for (const store::Object* object : picked.objects) {
        if (!first) out += ',';
        first = false;
        services.presenter.append_element(out, call.kind(), *object, call.view, now);
    }
    return out += Presenter::tail();
}

void send_list(Call& call, Frame body) {
    call.body(200, "application/json", std::move(body), {{"Cache-Control", "no-cache, private"}});
}

void answer_list(Services& services, Call& call, const store::Snapshot& snapshot,
                 const std::optional<Page>& page, const Selection& selection,
                 const ListOptions& options) {
    Run run = in_namespace(snapshot.objects, selection.ns);
    if (page) {
        const std::size_t next = snapshot.objects.lower_bound(page->ns, successor(page->name));
        run.begin = std::clamp(next, run.begin, run.end);
    }
    std::optional<ListKey> key;
    // A table shows ages, so its text holds for a moment only.
    if (call.view.as.form != Form::table) {
        key = {&call.kind(),           snapshot.revision, selection.key(), page ? page->ns : "",
               page ? page->name : "", options.limit,     call.view.as};
        if (Frame body = services.lists.find(*key)) return send_list(call, std::move(body));
    }
    const Picked picked = pick(run, selection, options.limit);
    std::size_t size = 0;
    for (const store::Object* object : picked.objects) size += object->body.size() + 1;
    auto room = services.lists.reserve(size);
    if (!room) {
        return call.fail(too_many_requests(
            "the lists that wait for their readers fill the memory that is kept for them: try "
            "again in a moment, or list in pages (limit)"));
    }
    const std::string metadata = list_metadata(picked, selection, snapshot.revision);
    std::string text = list_text(services, call, picked,
                                 services.presenter.head(call.kind(), call.view, metadata), size);
    send_list(call, services.lists.keep(std::move(room), std::move(text), key));
}

// Which state of the collection is asked for.
struct Wanted {
    Revision revision = 0;  // 0: the newest
    bool exact = false;
};

Result<Wanted> wanted_of(const ListOptions& options) {
    Wanted out;
    out.revision = TRY(parse_revision(options.resource_version));
    out.exact = out.revision > 0 && (options.resource_version_match == "Exact" ||
                                     (options.resource_version_match.empty() && options.limit > 0));
    return out;
}

void answer_page(Services& services, const CallPtr& call, const Page& page,
                 const Selection& selection, const ListOptions& options) {
    const auto snapshot = page.revision < 0
                              ? Result<store::SnapshotPtr>(services.objects.list(call->kind()))
                              : services.objects.list_at(call->kind(), page.revision);
    if (snapshot) return answer_list(services, *call, **snapshot, page, selection, options);
    if (snapshot.error().code != Code::gone) return call->fail(snapshot.error());
    Failure failure = expired(
        "The provided continue parameter is too old to display a consistent list result. You can "
        "start a new list without the continue parameter, or use the continue token in this "
        "response to retrieve the remainder of the results at the newest revision.");
    failure.continue_token = encode_page({-1, page.ns, page.name});
    call->fail(failure);
}

void answer_wanted(Services& services, const CallPtr& call, const Wanted& wanted,
                   const Selection& selection, const ListOptions& options) {
    if (!wanted.exact) {
        const store::SnapshotPtr snapshot = services.objects.list(call->kind());
        return answer_list(services, *call, *snapshot, std::nullopt, selection, options);
    }
    const auto snapshot = services.objects.list_at(call->kind(), wanted.revision);
    if (snapshot) {
        return answer_list(services, *call, **snapshot, std::nullopt, selection, options);
    }
    if (snapshot.error().code != Code::gone) return call->fail(snapshot.error());
    call->fail(expired(
        fmt::format("The resourceVersion for the provided list is too old: {}", wanted.revision)));
}

}  // namespace

void list_objects(Services& services, const CallPtr& call) {
    const auto options = read_list_options(call->request, false);
    if (!options) return call->fail(options_failure(options.error(), "ListOptions"));
    auto selection = read_selection(*call, *options);
    if (!selection) return call->fail(selection.error());
    if (!options->continue_token.empty()) {
        const auto page = decode_page(options->continue_token);
        if (!page) return call->fail(page.error());
        return answer_page(services, call, *page, *selection, *options);
    }
    const auto wanted = wanted_of(*options);
    if (!wanted) return call->fail(wanted.error());
    if (wanted->revision <= services.objects.revision()) {
        return answer_wanted(services, call, *wanted, *selection, *options);
    }
    services.watches.when(
        wanted->revision, services.clock.now() + freshness_wait,
        [&services, call, wanted = *wanted, selection = std::move(*selection),
         options = *options](bool reached) {
            if (reached) return answer_wanted(services, call, wanted, selection, options);
            call->fail(too_large_revision(wanted.revision, services.objects.revision()));
        });
}

}  // namespace atelier::apiserver
