#include "cmd/store_guard.h"

#include <fmt/format.h>
#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/field_codec.h"
#include "base/file.h"
#include "crds/workspace.h"
#include "reconcilers/common/runtimes.h"

namespace atelier::cmd {
namespace {

constexpr std::chrono::seconds mark_every{5};

struct MarkFields {
    std::string identity;
    std::int64_t revision = 0;
    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("store", self.identity);
        v("revision", self.revision);
    }
};

Error damaged(const std::filesystem::path& file, std::string detail) {
    return {
        Code::invalid,
        fmt::format("\"{}\" in the home folder is damaged: put it back from a backup, or remove "
                    "it when the store is the right one",
                    file.filename().string()),
        std::move(detail)};
}

std::string label(const drivers::Unit& unit, std::string_view name) {
    const auto it = unit.labels.find(std::string(name));
    return it == unit.labels.end() ? std::string() : it->second;
}

std::string what_differs(const std::optional<StoreMark>& known, const FoundStore& found) {
    if (!known) {
        if (found.workspaces > 0 || found.strangers.empty()) return {};
        return "the store has no Workspaces, but units of this server run";
    }
    if (known->identity != found.mark.identity) {
        return fmt::format("the store is not the one that this home worked with (it was {})",
                           known->identity);
    }
    if (found.mark.revision < known->revision) {
        return fmt::format(
            "the store is at revision {}, but was at {} already: an older copy was "
            "put in its place, or a part of it was lost",
            found.mark.revision, known->revision);
    }
    return {};
}

}  // namespace

Result<std::optional<StoreMark>> read_store_mark(const std::filesystem::path& file) {
    const auto text = read_file(file);
    if (!text && text.error().code == Code::not_found) return std::optional<StoreMark>();
    if (!text) return text.error();
    const auto document = json::parse(*text);
    if (!document) return damaged(file, document.error().message);
    const auto fields = json::read<MarkFields>(*document);
    if (!fields) return damaged(file, fields.error().message);
    if (fields->identity.empty()) return damaged(file, "it names no store");
    return std::optional(StoreMark{fields->identity, fields->revision});
}

Result<void> write_store_mark(const std::filesystem::path& file, const StoreMark& mark) {
    const MarkFields fields{mark.identity, mark.revision};
    return write_file_atomically(file, json::pretty(json::document_of(fields)) + "\n", 0600);
}

StoreMarkKeeper::StoreMarkKeeper(std::filesystem::path file, const store::Store& store, Log log)
    : file_(std::move(file)), store_(store), log_(std::move(log)) {
    if (store_.identity().empty()) return;
    thread_ = std::jthread([this](const std::stop_token& stop) {
        pthread_setname_np(pthread_self(), "store-mark");
        std::mutex mutex;
        std::condition_variable_any ended;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
            write();
            ended.wait_for(lock, stop, mark_every, [] { return false; });
        }
        write();
    });
}

StoreMarkKeeper::~StoreMarkKeeper() {
    thread_.request_stop();
}

void StoreMarkKeeper::write() {
    const Revision newest = store_.revision();
    if (newest == written_) return;
    if (const auto kept = write_store_mark(file_, {store_.identity(), newest}); !kept) {
        log_.error("cannot note how far the store is", kept.error());
        return;
    }
    written_ = newest;
}

FoundStore find_strangers(const store::Store& store, OwnedRuntimes& runtimes,
                          const drivers::Labels& ours) {
    FoundStore found;
    found.mark = {store.identity(), store.revision()};
    found.workspaces = store.list(crds::WorkspaceSpec::resource)->objects.size();
    for (auto& [backend, runtime] : runtimes.by_name) {
        const auto units = runtime->list(ours);
        if (!units) found.units_known = false;
        if (!units) continue;
        for (const drivers::Unit& unit : *units) {
            const std::string ns = label(unit, reconcilers::unit_label::ns);
            const std::string name = label(unit, reconcilers::unit_label::name);
            const auto object = store.get({std::string(crds::WorkspaceSpec::resource), ns, name});
            if (object && object->meta.uid == label(unit, reconcilers::unit_label::uid)) continue;
            found.strangers.push_back(fmt::format("{}/{} of {}/{}", backend, unit.name, ns, name));
        }
    }
    return found;
}

std::string why_hold(const std::optional<StoreMark>& known, const FoundStore& found,
                     const std::string& accepted) {
    const std::string differs = what_differs(known, found);
    // With nothing that runs, there is nothing to lose; with a runtime that is silent, there may
    // be.
    if (differs.empty() || (found.strangers.empty() && found.units_known)) return {};
    if (accepted == found.mark.identity) return {};
    return fmt::format(
        "{}; nothing is started, stopped or removed. If the store is right, start the "
        "server with --accept-store={}, which lets it remove what the store does not "
        "have; else stop it and put the right store back",
        differs, found.mark.identity);
}

}  // namespace atelier::cmd
