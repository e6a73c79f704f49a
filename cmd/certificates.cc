#include "cmd/certificates.h"

#include <pthread.h>

namespace atelier::cmd {
namespace {

// Renewal begins 30 days before the end; a clock that was set is noticed soon enough.
constexpr Duration look_every = std::chrono::hours(1);

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

Result<apiserver::Pki> Certificates::current(Instant now) {
    used_ = TRY(apiserver::ensure_pki(home_, names_, now, random_));
    return *used_;
}

Result<bool> Certificates::look(Instant now, const Use& use) {
    const apiserver::Pki pki = TRY(apiserver::ensure_pki(home_, names_, now, random_));
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
                wake_.wait_for(lock, stop, look_every, [this] { return look_now_; });
                look_now_ = false;
            }
            if (stop.stop_requested()) return;
            const auto renewed = look(clock_.now(), use);
            if (!renewed) {
                log_.error("the certificate cannot be renewed", renewed.error());
            } else if (*renewed) {
                log_.info("another certificate is used from now on");
            }
        }
    });
}

void Certificates::look_soon() {
    {
        const std::lock_guard lock(mutex_);
        look_now_ = true;
    }
    wake_.notify_one();
}

}  // namespace atelier::cmd
