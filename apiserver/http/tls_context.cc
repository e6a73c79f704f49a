#include "apiserver/http/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <utility>
// After <utility>: Asio 1.74 uses std::exchange without including it.
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>

namespace atelier::apiserver {
namespace {

namespace ssl = boost::asio::ssl;

int choose_http_1_1(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned in_size, void*) {
    static constexpr unsigned char wanted[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, wanted, sizeof wanted - 1, in, in_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

Error unusable(std::string_view what, const boost::system::error_code& ec) {
    return {Code::invalid, "the TLS " + std::string(what) + " cannot be used", ec.message()};
}

}  // namespace

Result<std::shared_ptr<ssl::context>> make_tls_context(const TlsFiles& files) {
    const auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX* const raw = context->native_handle();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    // Idle connections give their buffers back: most of a fleet's connections are idle watches.
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(raw, choose_http_1_1, nullptr);
    static constexpr unsigned char session_context[] = "atelier";
    SSL_CTX_set_session_id_context(raw, session_context, sizeof session_context - 1);
    boost::system::error_code ec;
    context->use_certificate_chain(boost::asio::buffer(files.certificate_pem), ec);
    if (ec) return unusable("certificate", ec);
    context->use_private_key(boost::asio::buffer(files.key_pem), ssl::context::pem, ec);
    if (ec) return unusable("key", ec);
    if (SSL_CTX_check_private_key(raw) != 1) {
        ERR_clear_error();
        return Error{Code::invalid, "the TLS key does not belong to the TLS certificate"};
    }
    if (!files.client_ca_pem.empty()) {
        context->add_certificate_authority(boost::asio::buffer(files.client_ca_pem), ec);
        if (ec) return unusable("client CA", ec);
        SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
    }
    return context;
}

std::string verified_subject(ssl_st* connection) {
    X509* const certificate = SSL_get_peer_certificate(connection);
    if (!certificate) return {};
    std::string out;
    if (SSL_get_verify_result(connection) == X509_V_OK) {
        BIO* const bio = BIO_new(BIO_s_mem());
        X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
        char* text = nullptr;
        const long size = BIO_get_mem_data(bio, &text);
        out.assign(text, static_cast<std::size_t>(size));
        BIO_free(bio);
    }
    X509_free(certificate);
    return out;
}

}  // namespace atelier::apiserver
