// Certificates by OpenSSL, in PEM.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace atelier::apiserver {

struct KeyPair {
    std::string certificate_pem;
    std::string key_pem;
};

struct CertificateFacts {
    Instant not_after;
    std::vector<std::string> names;  // DNS names and IP addresses it stands for, in lower case
};

// A new self-signed CA, and a server certificate signed by one. ECDSA P-256 with SHA-256; valid
// from an hour before `now`, since clocks differ.
Result<KeyPair> make_ca(std::string_view common_name, Instant now, Duration lifetime,
                        Random& random);
Result<KeyPair> make_server_certificate(const KeyPair& ca, const std::vector<std::string>& names,
                                        Instant now, Duration lifetime, Random& random);

// Code::invalid when the text is not a certificate with its own key.
Result<CertificateFacts> read_key_pair(const KeyPair& pair);
bool is_certificate(std::string_view pem);
bool is_signed_by(std::string_view certificate_pem, std::string_view ca_pem);

}  // namespace atelier::apiserver
