#include "reconcilers/tree_garbage.h"

#include <algorithm>
#include <string_view>

#include "crds/plugin_update_conditions.h"
#include "templates/compiled.h"

namespace atelier::reconcilers {
namespace {

constexpr std::size_t digest_length = 64;

bool is_hexadecimal(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// Every run of 64 hexadecimal digits counts as a digest. A list of fields could miss one, and a
// tree would be lost; a number that only looks like a digest costs nothing.
void add_digests(std::string_view text, const std::set<std::string>& there,
                 std::set<std::string>& named) {
    for (std::size_t at = 0; at < text.size();) {
        if (!is_hexadecimal(text[at])) {
            ++at;
            continue;
        }
        const auto* end = std::find_if_not(text.begin() + at, text.end(), is_hexadecimal);
        const auto length = static_cast<std::size_t>(end - (text.begin() + at));
        if (length == digest_length) {
            std::string digest(text.substr(at, digest_length));
            if (there.contains(digest)) named.insert(std::move(digest));
        }
        at += length;
    }
}

bool has_ended(const store::Object& object) {
    if (object.key.resource != crds::PluginUpdateSpec::resource) return false;
    const auto update = crds::decode<crds::PluginUpdate>(object.body);
    return update && crds::has_ended(update->status.phase);
}

}  // namespace

Result<std::set<std::string>> trees_in_use(const store::Store& store, const crds::Kinds& kinds,
                                           drivers::TreeCollection& trees,
                                           const std::set<std::string>& there) {
    std::set<std::string> named;
    for (const auto& kind : kinds.all()) {
        if (kind->group.empty()) continue;
        const auto snapshot = store.list(kind->resource());
        for (const auto& object : snapshot->objects) {
            if (!has_ended(*object)) add_digests(object->body, there, named);
        }
    }
    for (const std::string& artifact : std::set<std::string>(named)) {
        const auto compiled = trees.read(artifact, std::string(templates::tree_file));
        if (compiled) {
            add_digests(*compiled, there, named);
        } else if (compiled.error().code != Code::not_found) {
            return compiled.error();
        }
    }
    return named;
}

TreeGarbage::TreeGarbage(const store::Store& store, const crds::Kinds& kinds,
                         drivers::TreeCollection& trees, Metrics& metrics, Log log, Options options)
    : store_(store),
      kinds_(kinds),
      trees_(trees),
      kept_(metrics.gauge("atelier_trees", "Trees kept: versions of plugins and templates.")),
      collected_(metrics.counter("atelier_trees_collected_total",
                                 "Trees removed because nothing named them any more.")),
      log_(std::move(log)),
      options_(options) {}

void TreeGarbage::collect(Instant now) {
    if (now < next_) return;
    next_ = now + options_.interval;
    if (const auto done = sweep(now); !done) {
        log_.warning("trees were not collected; the next sweep tries again",
                     {{"err", done.error().message}});
    }
}

Result<void> TreeGarbage::sweep(Instant now) {
    const std::set<std::string> there = TRY(trees_.digests());
    const std::set<std::string> wanted = TRY(trees_in_use(store_, kinds_, trees_, there));
    const auto gone = TRY(trees_.collect(wanted, now, options_.grace));
    kept_.set(static_cast<double>(there.size() - std::min(gone.size(), there.size())));
    collected_.add(static_cast<double>(gone.size()));
    for (const std::string& digest : gone) log_.info("removed a tree", {{"digest", digest}});
    return {};
}

}  // namespace atelier::reconcilers
