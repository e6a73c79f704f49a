#include "cmd/certificates.h"

#include <pthread.h>

namespace atelier::cmd {
namespace {

// Certificates are renewed 30 days before they expire, so an hour is early enough, also after the
// clock was set.
constexpr Duration check_every = std::chrono::hours(1);

}  // namespace

Certificates::Certificates(std::filesystem::path home, std::vector<std::string> names,
                           const Clock& clock, Random& random, Log log)
    : home_(std::move(home)),
      names_(std::move(names)),
      clock_(clock),
      random_(random),
      log_(std::move(log)) {}

Certificates::~Certificates() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

Result<apiserver::Pki> Certificates::read(Instant now) {
    apiserver::Pki pki = TRY(apiserver::ensure_pki(home_, names_, now, random_));
    if (!pki.set_aside.empty()) log_.warning(pki.set_aside);
    return pki;
}

void Certificates::check_now() {
    {
        const std::lock_guard lock(mutex_);
        due_ = true;
    }
    wake_.notify_all();
}

Result<apiserver::Pki> Certificates::current(Instant now) {
    used_ = TRY(read(now));
    return *used_;
}

Result<bool> Certificates::check(Instant now, const Use& use) {
    const apiserver::Pki pki = TRY(read(now));
    if (used_ && used_->tls.certificate_pem == pki.tls.certificate_pem &&
        used_->tls.key_pem == pki.tls.key_pem && used_->ca_pem == pki.ca_pem) {
        return false;
    }
    TRY(use(pki));
    used_ = pki;
    return true;
}

void Certificates::keep(Use use) {
    thread_ = std::jthread([this, use = std::move(use)](const std::stop_token& stop) {
        pthread_setname_np(pthread_self(), "certificates");
        while (true) {
            {
                std::unique_lock lock(mutex_);
                wake_.wait_for(lock, stop, check_every, [this] { return due_; });
                due_ = false;
            }
            if (stop.stop_requested()) return;
            const auto renewed = check(clock_.now(), use);
            if (!renewed) {
                log_.error("the certificate cannot be renewed; it is tried again in an hour",
                           renewed.error());
            } else if (*renewed) {
                log_.info("the server uses another certificate from now on");
            }
        }
    });
}

}  // namespace atelier::cmd
