#include "apiserver/identity/x509.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>

#include "base/text.h"

namespace atelier::apiserver {
namespace {

template <auto free_function>
struct Freer {
    template <class T>
    void operator()(T* p) const {
        free_function(p);
    }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Freer<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Freer<GENERAL_NAMES_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;

Error failed(std::string_view doing) {
    char text[256] = "";
    ERR_error_string_n(ERR_get_error(), text, sizeof text);
    ERR_clear_error();
    return {Code::internal, "cannot " + std::string(doing), text};
}

BioPtr reading(std::string_view pem) {
    return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

std::string written(BIO* bio) {
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    return {text, static_cast<std::size_t>(size)};
}

Result<KeyPair> to_pem(X509* certificate, EVP_PKEY* key) {
    const BioPtr certificate_out(BIO_new(BIO_s_mem()));
    const BioPtr key_out(BIO_new(BIO_s_mem()));
    if (PEM_write_bio_X509(certificate_out.get(), certificate) != 1 ||
        PEM_write_bio_PKCS8PrivateKey(key_out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) !=
            1) {
        return failed("write a certificate");
    }
    return KeyPair{written(certificate_out.get()), written(key_out.get())};
}

CertificatePtr certificate_of(std::string_view pem) {
    return CertificatePtr(PEM_read_bio_X509(reading(pem).get(), nullptr, nullptr, nullptr));
}
KeyPtr key_of(std::string_view pem) {
    return KeyPtr(PEM_read_bio_PrivateKey(reading(pem).get(), nullptr, nullptr, nullptr));
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

void set_time(ASN1_TIME* time, Instant instant) {
    ASN1_TIME_set(
        time, std::chrono::duration_cast<std::chrono::seconds>(instant.time_since_epoch()).count());
}

// Version, serial number, subject, validity and key: what both sorts of certificate have.
Result<CertificatePtr> begin_certificate(EVP_PKEY* key, std::string_view common_name, Instant now,
                                         Duration lifetime, Random& random) {
    CertificatePtr certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    const std::uint64_t serial = random.next() >> 1 | 1;
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial);
    set_time(X509_getm_notBefore(certificate.get()), now - std::chrono::hours(1));
    set_time(X509_getm_notAfter(certificate.get()), now + lifetime);
    X509_NAME* const name = X509_get_subject_name(certificate.get());
    const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
    if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text,
                                   static_cast<int>(common_name.size()), -1, 0) != 1 ||
        X509_set_pubkey(certificate.get(), key) != 1) {
        return failed("make a certificate");
    }
    return certificate;
}

bool is_address(const std::string& name) {
    unsigned char bytes[16];
    return ::inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
           ::inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

std::string address_text(const ASN1_OCTET_STRING& address) {
    char text[INET6_ADDRSTRLEN] = "";
    ::inet_ntop(address.length == 4 ? AF_INET : AF_INET6, address.data, text, sizeof text);
    return text;
}

}  // namespace

Result<KeyPair> make_ca(std::string_view common_name, Instant now, Duration lifetime,
                        Random& random) {
    const KeyPtr key(EVP_EC_gen("P-256"));
    if (!key) return failed("make a key");
    const CertificatePtr ca = TRY(begin_certificate(key.get(), common_name, now, lifetime, random));
    X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
    const bool extended =
        add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
        add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
        add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
    if (!extended || X509_sign(ca.get(), key.get(), EVP_sha256()) == 0) {
        return failed("sign the certificate authority");
    }
    return to_pem(ca.get(), key.get());
}

Result<KeyPair> make_server_certificate(const KeyPair& ca, const std::vector<std::string>& names,
                                        Instant now, Duration lifetime, Random& random) {
    const CertificatePtr issuer = certificate_of(ca.certificate_pem);
    const KeyPtr issuer_key = key_of(ca.key_pem);
    const KeyPtr key(EVP_EC_gen("P-256"));
    if (!issuer || !issuer_key || !key) return failed("make a server certificate");
    std::string alternatives;
    for (const std::string& name : names) {
        alternatives += alternatives.empty() ? "" : ",";
        alternatives += (is_address(name) ? "IP:" : "DNS:") + name;
    }
    const CertificatePtr certificate =
        TRY(begin_certificate(key.get(), "atelier", now, lifetime, random));
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
    X509* const raw = certificate.get();
    const bool extended =
        add_extension(raw, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(raw, issuer.get(), NID_key_usage, "critical,digitalSignature") &&
        add_extension(raw, issuer.get(), NID_ext_key_usage, "serverAuth") &&
        add_extension(raw, issuer.get(), NID_subject_key_identifier, "hash") &&
        add_extension(raw, issuer.get(), NID_authority_key_identifier, "keyid:always") &&
        add_extension(raw, issuer.get(), NID_subject_alt_name, alternatives);
    if (!extended || X509_sign(raw, issuer_key.get(), EVP_sha256()) == 0) {
        return failed("sign the server certificate");
    }
    return to_pem(raw, key.get());
}

Result<CertificateFacts> read_key_pair(const KeyPair& pair) {
    const CertificatePtr certificate = certificate_of(pair.certificate_pem);
    if (!certificate) {
        ERR_clear_error();
        return Error{Code::invalid, "it is not a certificate in PEM"};
    }
    const KeyPtr key = key_of(pair.key_pem);
    if (!key || X509_check_private_key(certificate.get(), key.get()) != 1) {
        ERR_clear_error();
        return Error{Code::invalid, "the key is not that of the certificate"};
    }
    CertificateFacts facts;
    std::tm end{};
    ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end);
    facts.not_after = Instant(std::chrono::seconds(::timegm(&end)));
    const NamesPtr names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_IPADD) facts.names.push_back(address_text(*name->d.iPAddress));
        if (name->type == GEN_DNS) {
            const ASN1_IA5STRING& text = *name->d.dNSName;
            facts.names.push_back(lower(
                {reinterpret_cast<const char*>(text.data), static_cast<std::size_t>(text.length)}));
        }
    }
    return facts;
}

bool is_certificate(std::string_view pem) {
    const bool readable = certificate_of(pem) != nullptr;
    ERR_clear_error();
    return readable;
}

bool is_signed_by(std::string_view certificate_pem, std::string_view ca_pem) {
    const CertificatePtr certificate = certificate_of(certificate_pem);
    const CertificatePtr ca = certificate_of(ca_pem);
    const bool good =
        certificate && ca && X509_verify(certificate.get(), X509_get0_pubkey(ca.get())) == 1;
    ERR_clear_error();
    return good;
}

}  // namespace atelier::apiserver
