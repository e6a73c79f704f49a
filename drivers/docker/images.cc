#include "drivers/docker/images.h"

#include <pthread.h>

#include <algorithm>

namespace atelier::drivers {

namespace {

using json::Document;
using json::Value;

constexpr std::size_t most_pulls = 3;
constexpr std::size_t most_known = 64;
constexpr std::size_t most_layers = 1000;
constexpr Duration failure_is_kept = std::chrono::seconds(10);

Result<void> check_image_name(const std::string& name) {
    constexpr std::string_view others = "._-/:@";
    const bool fine = !name.empty() && name.size() <= 512 && name.front() != '/' &&
                      name.find("..") == std::string::npos &&
                      std::all_of(name.begin(), name.end(), [&](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                 (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
                      });
    if (fine) return {};
    return Error{Code::invalid, "\"" + name + "\" is not the name of an image"};
}

// Without a tag the engine would pull every one.
std::pair<std::string, std::string> name_and_tag(const std::string& name) {
    if (name.find('@') != std::string::npos) return {name, ""};
    const std::size_t slash = name.rfind('/');
    const std::size_t colon = name.rfind(':');
    if (colon != std::string::npos && (slash == std::string::npos || colon > slash)) {
        return {name.substr(0, colon), name.substr(colon + 1)};
    }
    return {name, "latest"};
}

std::int64_t bytes_at(const Document& line, std::string_view name) {
    const Value* number = json::find(line, {"progressDetail", name});
    return number && number->IsInt64() ? std::max<std::int64_t>(number->GetInt64(), 0) : 0;
}

Error not_here(const std::string& name, std::string_view why, std::string detail) {
    return {Code::not_found,
            "image \"" + name + "\" is not on the Docker host and cannot be pulled (" +
                std::string(why) +
                "): build or load it there, or check its name and the way to its registry",
            std::move(detail)};
}

}  // namespace

// --- progress ------------------------------------------------------------------------------

void PullProgress::take(std::string_view line) {
    const auto parsed = json::parse(line);
    if (!parsed || !parsed->IsObject()) return;
    const std::string failure = json::string_at(*parsed, {"error"});
    if (!failure.empty()) failure_ = failure;
    const std::string id = json::string_at(*parsed, {"id"});
    const std::string status = json::string_at(*parsed, {"status"});
    if (id.empty() || (layers_.size() >= most_layers && !layers_.contains(id))) return;
    if (status == "Downloading") {
        Layer& layer = layers_[id];
        layer.got = bytes_at(*parsed, "current");
        layer.size = std::max(layer.size, bytes_at(*parsed, "total"));
    } else if (status == "Download complete" || status == "Pull complete") {
        Layer& layer = layers_[id];
        layer.got = layer.size;
    }
}

std::string PullProgress::text() const {
    constexpr std::int64_t megabyte = 1'000'000;
    std::int64_t got = 0;
    std::int64_t size = 0;
    for (const auto& [id, layer] : layers_) {
        got += std::min(layer.got, layer.size) / 1000;
        size += layer.size / 1000;
    }
    if (size == 0) return {};
    return std::to_string(got * 1000 / megabyte) + " of " + std::to_string(size * 1000 / megabyte) +
           " MB";
}

// --- pulls ---------------------------------------------------------------------------------

DockerImages::DockerImages(const DockerApi& api, const Clock& clock, bool pull, Duration deadline)
    : api_(api), clock_(clock), may_pull_(pull), deadline_(deadline) {}

DockerImages::~DockerImages() {
    for (std::jthread& thread : threads_) thread.request_stop();
}

Result<std::optional<std::string>> DockerImages::inspect(const std::string& name) const {
    const DockerReply reply = TRY(api_.get("/images/" + name + "/json"));
    if (reply.status == 404) return std::optional<std::string>();
    if (!reply.ok()) return docker_error(reply, "image \"" + name + "\" cannot be inspected");
    const Document body = TRY(reply.json());
    return std::optional(json::string_at(body, {"Id"}));
}

Result<Image> DockerImages::find(const std::string& name) {
    TRY(check_image_name(name));
    if (auto id = TRY(inspect(name))) return Image{*std::move(id), {}};
    if (!may_pull_) {
        return Error{Code::not_found, "image \"" + name +
                                          "\" is not on the Docker host, and pulling is switched "
                                          "off: build or load it there"};
    }
    return join_or_begin(name);
}

Result<Image> DockerImages::join_or_begin(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto it = pulls_.find(name);
    if (it != pulls_.end()) {
        Pull& known = it->second;
        if (!known.failed) return Image{{}, known.progress};
        if (!known.answered || clock_.now() < known.failed_at + failure_is_kept) {
            known.answered = true;
            return *known.failed;
        }
        pulls_.erase(it);
    }
    if (pulls_.size() >= most_known) {
        // Only failures make room: a pull that is forgotten would be begun a second time.
        std::erase_if(pulls_, [](const auto& pull) { return pull.second.failed.has_value(); });
    }
    if (pulls_.size() >= most_known) {
        return Error{Code::exhausted, "image \"" + name +
                                          "\" cannot be pulled yet: " + std::to_string(most_known) +
                                          " other images are being pulled or wait for that"};
    }
    pulls_[name].progress = "waiting for its turn";
    waiting_.push_back(name);
    if (threads_.size() < most_pulls) {
        threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
    wake_.notify_one();
    return Image{{}, pulls_[name].progress};
}

void DockerImages::work(const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "docker-pull");
    std::unique_lock lock(mutex_);
    while (wake_.wait(lock, stop, [&] { return !waiting_.empty(); })) {
        const std::string name = waiting_.front();
        waiting_.pop_front();
        pulls_[name].progress.clear();
        lock.unlock();
        auto failed = pull(name, stop);
        lock.lock();
        if (failed) {
            Pull& ended = pulls_[name];
            ended.failed = std::move(failed);
            ended.failed_at = clock_.now();
        } else {
            pulls_.erase(name);
        }
    }
}

std::optional<Error> DockerImages::pull(const std::string& name, const std::stop_token& stop) {
    const auto [repository, tag] = name_and_tag(name);
    PullProgress progress;
    LineStream lines([&](std::string_view line) {
        progress.take(line);
        const std::lock_guard lock(mutex_);
        pulls_[name].progress = progress.text();
    });
    const auto reply = api_.http.call(
        {.method = "POST",
         .path = "/images/create?fromImage=" + url_escape(repository) + "&tag=" + url_escape(tag),
         .sink = [&](std::string_view bytes) { lines.feed(bytes); },
         .deadline = deadline_,
         .stop = stop});
    lines.feed("\n");
    if (!reply) return reply.error().in("image \"" + name + "\" cannot be pulled");
    const std::string failure = reply->ok() ? progress.failure() : reply->message();
    if (reply->ok() && failure.empty()) return std::nullopt;
    return not_here(name, engine_words(failure), failure);
}

}  // namespace atelier::drivers
