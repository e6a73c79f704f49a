#include "apiserver/identity/pki.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "apiserver/identity/x509.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"

namespace atelier::apiserver {
namespace {

namespace fs = std::filesystem;

constexpr Duration day = std::chrono::hours(24);
constexpr Duration ca_lifetime = 3653 * day;
constexpr Duration ca_renewal = 366 * day;  // no certificate may outlive the CA that signed it
constexpr Duration leaf_lifetime = 365 * day;
constexpr Duration leaf_renewal = 30 * day;

// As certificates spell them, so that names can be compared: "::0001" is "::1".
Result<std::string> canonical_name(const std::string& name) {
    unsigned char bytes[16];
    char text[INET6_ADDRSTRLEN];
    for (const int family : {AF_INET, AF_INET6}) {
        if (::inet_pton(family, name.c_str(), bytes) == 1) {
            return std::string(::inet_ntop(family, bytes, text, sizeof text));
        }
    }
    std::string host = lower(name);
    if (!is_dns_subdomain(host)) {
        return Error{
            Code::invalid,
            "\"" + name + "\" is neither a DNS name nor an IP address for the certificate"};
    }
    return host;
}

struct PairFiles {
    fs::path certificate;
    fs::path key;
};

// Nothing when neither file exists. One without the other is an error: somebody may be replacing
// them.
Result<std::optional<KeyPair>> read_pair(const PairFiles& files) {
    auto certificate = read_file(files.certificate);
    auto key = read_file(files.key);
    const bool no_certificate = !certificate && certificate.error().code == Code::not_found;
    const bool no_key = !key && key.error().code == Code::not_found;
    // A crash between the two writes leaves the key alone, which says nothing without a
    // certificate.
    if (no_certificate) return std::optional<KeyPair>{};
    if (!certificate) return certificate.error();
    if (no_key) {
        return Error{Code::not_found, "pki/" + files.certificate.filename().string() +
                                          " is there, but its key is not: restore the key, or "
                                          "remove the certificate to have new ones made"};
    }
    if (!key) return key.error();
    return std::optional<KeyPair>(KeyPair{std::move(*certificate), std::move(*key)});
}

Result<void> write_pair(const PairFiles& files, const KeyPair& pair) {
    TRY(write_file_atomically(files.key, pair.key_pem, 0600));
    return write_file_atomically(files.certificate, pair.certificate_pem, 0644);
}

// Moves a certificate that cannot be read, and its key, to names of their own, and says so; empty
// when the certificate can be read.
Result<std::string> set_aside_damaged(const PairFiles& files, const KeyPair& pair) {
    if (is_certificate(pair.certificate_pem)) return std::string();
    for (const fs::path& file : {files.certificate, files.key}) {
        std::error_code error;
        fs::rename(file, file.string() + ".damaged", error);
        if (error) {
            return Error{Code::unavailable, "a damaged file cannot be moved: " + error.message(),
                         file.string()};
        }
    }
    const std::string name = "pki/" + files.certificate.filename().string();
    return name + " is not a certificate in PEM: it and its key were moved to " + name +
           ".damaged, and new ones were made";
}

Result<KeyPair> ensure_ca(const PairFiles& files, const fs::path& signed_by_it, Instant now,
                          Random& random) {
    std::optional<KeyPair> pair = TRY(read_pair(files));
    std::error_code ignored;
    if (!pair && fs::exists(signed_by_it, ignored)) {
        return Error{
            Code::not_found,
            "pki/ca.crt is missing, but pki/" + signed_by_it.filename().string() +
                ", which it signed, is there: restore it, or remove the folder pki to have "
                "a new authority made, which no client trusts yet"};
    }
    if (pair) {
        const auto facts = read_key_pair(*pair);
        if (!facts) return facts.error().in("pki/ca.crt");
        if (facts->not_after - now > ca_renewal) return *std::move(pair);
    }
    const std::string name = "atelier CA " + random_text(random, 8, name_suffix_alphabet);
    KeyPair made = TRY(make_ca(name, now, ca_lifetime, random));
    TRY(write_pair(files, made));
    return made;
}

bool still_good(const KeyPair& pair, const CertificateFacts& facts, const KeyPair& ca,
                const std::vector<std::string>& names, Instant now) {
    const auto is_named = [&](const std::string& name) {
        return std::find(facts.names.begin(), facts.names.end(), name) != facts.names.end();
    };
    return facts.not_after - now > leaf_renewal &&
           std::all_of(names.begin(), names.end(), is_named) &&
           is_signed_by(pair.certificate_pem, ca.certificate_pem);
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

}  // namespace

Result<Pki> ensure_pki(const fs::path& home, const std::vector<std::string>& names, Instant now,
                       Random& random) {
    std::vector<std::string> wanted = {"localhost", "127.0.0.1", "::1"};
    for (const std::string& name : names) {
        std::string canonical = TRY(canonical_name(name));
        if (std::find(wanted.begin(), wanted.end(), canonical) == wanted.end()) {
            wanted.push_back(std::move(canonical));
        }
    }
    const fs::path folder = home / "pki";
    TRY(make_directories(folder, 0700));
    const PairFiles files{folder / "server.crt", folder / "server.key"};
    const KeyPair ca =
        TRY(ensure_ca({folder / "ca.crt", folder / "ca.key"}, files.certificate, now, random));
    std::optional<KeyPair> pair = TRY(read_pair(files));
    std::string set_aside;
    Instant not_after;
    if (pair) {
        set_aside = TRY(set_aside_damaged(files, *pair));
        // A crash while it was made again leaves a new key beside the old certificate.
        const auto facts = read_key_pair(*pair);
        if (facts) not_after = facts->not_after;
        if (!facts || !still_good(*pair, *facts, ca, wanted, now)) pair.reset();
    }
    if (!pair) {
        pair = TRY(make_server_certificate(ca, wanted, now, leaf_lifetime, random));
        TRY(write_pair(files, *pair));
        not_after = now + leaf_lifetime;
    }
    return Pki{{pair->certificate_pem, pair->key_pem, {}},
               ca.certificate_pem,
               not_after - leaf_renewal,
               std::move(set_aside)};
}

std::string host_name() {
    char name[256] = "";
    if (::gethostname(name, sizeof name - 1) != 0) return {};
    const std::string host = lower(name);
    return is_dns_subdomain(host) ? host : std::string();
}

Result<std::string> ensure_token(const fs::path& file, Random& random) {
    auto text = read_file(file, 4096);
    if (text) {
        const std::string token(trim(*text));
        if (token.size() < 16) {
            return Error{Code::invalid, "the token in " + file.filename().string() +
                                            " is shorter than 16 characters: remove the file to "
                                            "have a new one made"};
        }
        return token;
    }
    if (text.error().code != Code::not_found) return text.error();
    std::string token =
        random_text(random, 43, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    TRY(write_file_atomically(file, token + "\n", 0600));
    return token;
}

std::string kubeconfig_text(std::string_view server_url, std::string_view ca_pem,
                            std::string_view token) {
    std::string out = "apiVersion: v1\nkind: Config\ncurrent-context: atelier\nclusters:\n";
    out += "- name: atelier\n  cluster:\n    server: " + quoted(server_url) + "\n";
    if (!ca_pem.empty()) out += "    certificate-authority-data: " + base64(ca_pem) + "\n";
    out += "users:\n- name: atelier\n  user:\n    token: " + quoted(token) + "\n";
    out += "contexts:\n- name: atelier\n  context:\n    cluster: atelier\n    user: atelier\n";
    out += "    namespace: default\n";
    return out;
}

Result<void> ensure_kubeconfig(const fs::path& file, std::string_view server_url,
                               std::string_view ca_pem, std::string_view token) {
    const std::string text = kubeconfig_text(server_url, ca_pem, token);
    if (const auto present = read_file(file); present && *present == text) return {};
    return write_file_atomically(file, text, 0600);
}

}  // namespace atelier::apiserver
