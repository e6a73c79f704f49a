#include "apiserver/verbs/watch.h"

#include <algorithm>

#include "apiserver/request/collection.h"

namespace atelier::apiserver {
namespace {

constexpr std::int64_t shortest_seconds = 30 * 60;  // when the client names no timeout
constexpr std::int64_t longest_seconds = 60 * 60;

// A client that names no timeout gets a random one, so that streams do not all end together.
Instant deadline_of(Services& services, const ListOptions& options) {
    std::int64_t seconds =
        std::min<std::int64_t>(options.timeout_seconds.value_or(0), 24 * 60 * 60);
    if (seconds <= 0) {
        const auto spread = static_cast<std::uint64_t>(longest_seconds - shortest_seconds);
        seconds = shortest_seconds + static_cast<std::int64_t>(services.random.next() % spread);
    }
    return services.clock.now() + std::chrono::seconds(seconds);
}

void begin(Services& services, const CallPtr& call, const ListOptions& options, Selection selection,
           Revision revision) {
    WatchStart start;
    start.kind = &call->kind();
    start.selection = std::move(selection);
    start.view = call->view;
    start.bookmarks = options.bookmarks;
    start.deadline = deadline_of(services, options);
    start.after = revision;
    if (revision == 0 || options.send_initial_events) {
        start.initial = services.objects.list(call->kind());
        start.after = start.initial->revision;
        start.initial_end = options.send_initial_events && options.bookmarks;
    }
    services.watches.add(std::move(start), call->stream());
}

}  // namespace

void watch_objects(Services& services, const CallPtr& call) {
    const auto options = read_list_options(call->request, true);
    if (!options) return call->fail(options_failure(options.error(), "ListOptions"));
    auto selection = read_selection(*call, *options);
    if (!selection) return call->fail(selection.error());
    const auto revision = parse_revision(options->resource_version);
    if (!revision) return call->fail(revision.error());
    if (*revision <= services.objects.revision()) {
        return begin(services, call, *options, std::move(*selection), *revision);
    }
    services.watches.when(*revision, services.clock.now() + freshness_wait,
                          [&services, call, options = *options, selection = std::move(*selection),
                           revision = *revision](bool reached) mutable {
                              if (reached) {
                                  return begin(services, call, options, std::move(selection),
                                               revision);
                              }
                              call->fail(too_large_revision(revision, services.objects.revision()));
                          });
}

}  // namespace atelier::apiserver
