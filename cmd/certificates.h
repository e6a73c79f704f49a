// The server's certificate while the server runs: it is renewed before it expires, and read again
// when its files have changed, without a restart.
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
    // Puts a certificate into use. After an Error the same one is offered again at the next check.
    using Use = std::function<Result<void>(const apiserver::Pki&)>;

    // `names` as for apiserver::ensure_pki. Clock and random must outlive this object.
    Certificates(std::filesystem::path home, std::vector<std::string> names, const Clock& clock,
                 Random& random, Log log);
    ~Certificates();  // ends the thread of keep()

    // The certificate to start with; made, or renewed, when needed.
    Result<apiserver::Pki> current(Instant now);
    // Checks the files once, renews what expires soon, and calls `use` when the certificate or the
    // authority differs from the one in use; true then.
    Result<bool> check(Instant now, const Use& use);
    // Starts a thread that calls check() every hour. Call current() before.
    void keep(Use use);
    // Has that thread check now. Thread-safe.
    void check_now();

  private:
    Result<apiserver::Pki> read(Instant now);

    const std::filesystem::path home_;
    const std::vector<std::string> names_;
    const Clock& clock_;
    Random& random_;
    const Log log_;
    std::optional<apiserver::Pki> used_;  // only keep()'s thread uses it once that runs
    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool due_ = false;  // guarded by mutex_: check_now() was called
    std::jthread thread_;
};

}  // namespace atelier::cmd
