// Images of a Docker engine, and pulls of those that are not there.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "drivers/docker/api.h"
#include "drivers/docker/stream.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// How far a pull is, from the lines of JSON that the engine reports it with. Knows at most 1,000
// layers.
class PullProgress {
  public:
    void take(std::string_view line);
    // "12 of 34 MB"; empty before the size of a layer is known.
    std::string text() const;
    // What the engine says has failed. It says so in the stream, under a status of success.
    const std::string& failure() const { return failure_; }

  private:
    struct Layer {
        std::int64_t got = 0;
        std::int64_t size = 0;
    };
    std::map<std::string, Layer> layers_;
    std::string failure_;
};

// Finds images, and pulls in threads of its own: three pulls at a time, 64 that wait. Thread-safe;
// no call waits for a pull. When it is destroyed, pulls under way are given up.
class DockerImages {
  public:
    // `deadline`: of one pull. Without `pull`, an image that is not there is not_found.
    DockerImages(const DockerApi& api, const Clock& clock, bool pull, Duration deadline);
    ~DockerImages();

    // As Runtime::image.
    Result<Image> find(const std::string& name);

  private:
    struct Pull {
        std::string progress;
        std::optional<Error> failed;  // it has ended
        Instant failed_at;
        bool answered = false;  // a caller was given the failure
    };

    Result<std::optional<std::string>> inspect(const std::string& name) const;
    Result<Image> join_or_begin(const std::string& name);
    void work(const std::stop_token& stop);
    std::optional<Error> pull(const std::string& name, const std::stop_token& stop);

    const DockerApi api_;
    const Clock& clock_;
    const bool may_pull_;
    const Duration deadline_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::map<std::string, Pull> pulls_;  // by image: waiting, under way, or failed
    std::deque<std::string> waiting_;
    std::vector<std::jthread> threads_;  // made with the first pull; they use all members above
};

}  // namespace atelier::drivers
