// The server's own certificate authority, certificate and token, and the kubeconfig that names
// them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/http/server.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace atelier::apiserver {

struct Pki {
    TlsFiles tls;         // for HttpOptions; no client CA
    std::string ca_pem;   // what clients must trust
    Instant renew_after;  // ask again then: the certificate is near its end
    // A sentence for the log when a damaged server.crt and its key were moved to *.damaged; else
    // empty.
    std::string set_aside = {};
};

// Reads, and where needed makes, <home>/pki/{ca.crt,ca.key,server.crt,server.key}: ECDSA P-256, a
// CA for ten years and a certificate for one. The certificate stands for localhost, 127.0.0.1, ::1
// and `names` (DNS names or IP addresses), and is made again when it ends within 30 days, when it
// does not name one of them, or when the CA has changed. A CA that ends within a year is made again
// too; clients must then read the new one. Keys are written with mode 0600. A damaged ca.crt or
// ca.key is an error that names the file, and so is a missing one beside what it signed; a damaged
// server.crt is moved to server.crt.damaged.
Result<Pki> ensure_pki(const std::filesystem::path& home, const std::vector<std::string>& names,
                       Instant now, Random& random);

// The name of this machine, for `names`; empty when it cannot be known or is no DNS name.
std::string host_name();

// The token in the file, or a new one of 43 letters and digits (256 bits), written with mode 0600.
Result<std::string> ensure_token(const std::filesystem::path& file, Random& random);

// A kubeconfig with one context, "atelier", for kubectl and atelier alike.
std::string kubeconfig_text(std::string_view server_url, std::string_view ca_pem,
                            std::string_view token);
// Writes it with mode 0600, and only when it differs from what is there.
Result<void> ensure_kubeconfig(const std::filesystem::path& file, std::string_view server_url,
                               std::string_view ca_pem, std::string_view token);

}  // namespace atelier::apiserver
