#include "tests/apiserver/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/text.h"

namespace atelier::apiserver::test {
namespace {

SSL_CTX* context_trusting(const std::string& ca_pem) {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    BIO* const bio = BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size()));
    X509* const ca = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
    X509_free(ca);
    BIO_free(bio);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    return context;
}

}  // namespace

struct RawClient::State {
    int fd = -1;
    SSL_CTX* context = nullptr;
    SSL* ssl = nullptr;
    bool good = false;
    bool ended = false;
    std::string buffered;

    // False at the end of the connection or after the time limit of the socket.
    bool fill(std::size_t most = 65536) {
        std::string bytes(most, '\0');
        const int size = static_cast<int>(most);
        errno = 0;
        const ssize_t n =
            ssl ? SSL_read(ssl, bytes.data(), size) : ::recv(fd, bytes.data(), most, 0);
        if (n <= 0) {
            const bool bad_tls =
                ssl && n < 0 && SSL_get_error(ssl, static_cast<int>(n)) == SSL_ERROR_SSL;
            ended = n == 0 || bad_tls || errno == ECONNRESET;
            return false;
        }
        buffered.append(bytes, 0, static_cast<std::size_t>(n));
        return true;
    }
};

RawClient::RawClient(std::uint16_t port, const std::string& ca_pem, const std::string& host,
                     const std::string& alpn)
    : state_(std::make_unique<State>()) {
    State& s = *state_;
    s.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval bound{10, 0};
    ::setsockopt(s.fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
    ::setsockopt(s.fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s.good = ::connect(s.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    if (!s.good || ca_pem.empty()) return;
    s.context = context_trusting(ca_pem);
    s.ssl = SSL_new(s.context);
    if (!alpn.empty()) {
        std::string list;
        for (const auto& name : split(alpn, ',')) list += static_cast<char>(name.size()) + name;
        SSL_set_alpn_protos(s.ssl, reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned>(list.size()));
    }
    in_addr ignored{};
    if (::inet_pton(AF_INET, host.c_str(), &ignored) == 1) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s.ssl), host.c_str());
    } else {
        SSL_set1_host(s.ssl, host.c_str());
    }
    SSL_set_fd(s.ssl, s.fd);
    s.good = SSL_connect(s.ssl) == 1;
}

RawClient::~RawClient() {
    if (state_->ssl) SSL_free(state_->ssl);
    if (state_->context) SSL_CTX_free(state_->context);
    ::close(state_->fd);
}

bool RawClient::connected() const {
    return state_->good;
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = state_->ssl
                              ? SSL_write(state_->ssl, bytes.data(), static_cast<int>(bytes.size()))
                              : ::send(state_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

void RawClient::end_sending() {
    ::shutdown(state_->fd, SHUT_WR);
}

void RawClient::shrink_receive_buffer() {
    const int size = 4096;
    ::setsockopt(state_->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

std::string RawClient::read_some(std::size_t most) {
    if (state_->buffered.empty()) state_->fill(most);
    return std::exchange(state_->buffered, {});
}

bool RawClient::at_end() {
    while (state_->fill()) {
    }
    return state_->ended;
}

std::string RawClient::read_until(std::string_view text) {
    while (state_->buffered.find(text) == std::string::npos && state_->fill()) {
    }
    return std::exchange(state_->buffered, {});
}

bool RawClient::read_until_or(std::string_view text, std::chrono::milliseconds bound) {
    const auto wait = [&](std::chrono::milliseconds most) {
        const timeval limit{most.count() / 1000, (most.count() % 1000) * 1000};
        ::setsockopt(state_->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    };
    wait(bound);
    bool found = false;
    while (!(found = state_->buffered.find(text) != std::string::npos) && state_->fill()) {
    }
    wait(std::chrono::seconds(10));
    return found;
}

RawResponse RawClient::response(bool head_only) {
    RawResponse out;
    std::string& in = state_->buffered;
    std::size_t end = 0;
    while ((end = in.find("\r\n\r\n")) == std::string::npos) {
        if (!state_->fill()) return out;
    }
    out.head = in.substr(0, end + 2);
    in.erase(0, end + 4);
    out.status = std::stoi(out.head.substr(9, 3));
    for (const std::string& line : split(out.head, '\n')) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) continue;
        out.headers[lower(line.substr(0, colon))] = trim(line.substr(colon + 1));
    }
    if (head_only || out.status == 304 || out.status == 204 || out.status == 100) {
        out.complete = true;
    } else if (out.headers.contains("content-length")) {
        const std::size_t size = std::stoul(out.headers["content-length"]);
        while (in.size() < size && state_->fill()) {
        }
        out.complete = in.size() >= size;
        out.body = in.substr(0, size);
        in.erase(0, out.body.size());
    } else if (out.headers.contains("transfer-encoding")) {
        while (true) {
            while ((end = in.find("\r\n")) == std::string::npos) {
                if (!state_->fill()) return out;
            }
            const std::size_t size = std::stoul(in.substr(0, end), nullptr, 16);
            while (in.size() < end + 2 + size + 2) {
                if (!state_->fill()) return out;
            }
            out.body += in.substr(end + 2, size);
            in.erase(0, end + 2 + size + 2);
            if (size == 0) break;
        }
        out.complete = true;
    } else {
        while (state_->fill()) {
        }
        out.body = std::exchange(in, {});
        out.complete = state_->ended;
    }
    return out;
}

std::string RawClient::alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(state_->ssl, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

std::string get(std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

}  // namespace atelier::apiserver::test
