// The server's certificate over time: renewed before it ends, and read again when somebody changed
// the files, without a restart.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "apiserver/identity/pki.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"

namespace atelier::cmd {

class Certificates {
  public:
    // Puts a certificate into use. After an Error the same is tried again at the next look.
    using Use = std::function<Result<void>(const apiserver::Pki&)>;

    // `names` as for apiserver::ensure_pki. Clock and random outlive it.
    Certificates(std::filesystem::path home, std::vector<std::string> names, const Clock& clock,
                 Random& random, Log log);
    ~Certificates();  // ends what keep() began

    // What is to be used now, made or renewed where needed, and taken for used.
    Result<apiserver::Pki> current(Instant now);
    // Looks again; true when another certificate or authority was put into use.
    Result<bool> look(Instant now, const Use& use);
    // Looks every hour on a thread of its own, the first time in an hour. After current().
    void keep(Use use);
    // Has the thread of keep() look at once. Thread-safe.
    void look_soon();

  private:
    const std::filesystem::path home_;
    const std::vector<std::string> names_;
    const Clock& clock_;
    Random& random_;
    const Log log_;
    std::optional<apiserver::Pki> used_;  // of keep()'s thread once that runs
    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool look_now_ = false;  // guarded by mutex_
    std::jthread thread_;
};

}  // namespace atelier::cmd
