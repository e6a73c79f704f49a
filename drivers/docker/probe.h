// The proof that a container sees the server's files: whether the server and the Docker engine
// share a file system cannot be asked, and a wrong guess would mount an empty folder.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "drivers/docker/api.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// Thread-safe. `clock` and `random` must outlive it.
class FileSystemProbe {
  public:
    // `folder`: of the server, where a file is made; empty: nothing is shared. `labels`: of the
    // container, beside atelier.dev/probe.
    FileSystemProbe(const DockerApi& api, const Clock& clock, Random& random,
                    std::filesystem::path folder, Labels labels)
        : api_(api),
          clock_(clock),
          random_(random),
          folder_(std::move(folder)),
          labels_(std::move(labels)) {}

    // Whether a container sees that file. Found out once, by a container that is made over the file
    // from an empty image, never started, and removed again. An error when the engine did not
    // answer, or not clearly: nothing is known then. A later call tries again: at once when the
    // engine could not be reached, else after ten seconds.
    Result<bool> shared();

  private:
    Result<bool> once();
    Result<bool> with_image(const std::string& folder, const std::string& nonce);
    Result<bool> with_unit(const std::string& image, const std::string& folder,
                           const std::string& nonce);
    Result<std::string> make_image();
    Result<void> clear_old();
    std::string owner() const;

    const DockerApi api_;
    const Clock& clock_;
    Random& random_;
    const std::filesystem::path folder_;
    const Labels labels_;
    std::timed_mutex mutex_;  // guards what follows, and is held during a probe
    std::optional<bool> shared_;
    std::optional<Error> failed_;  // of the last probe
    Instant failed_at_;
};

}  // namespace atelier::drivers
