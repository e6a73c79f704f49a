// The TLS settings of the server.
#pragma once

#include <memory>
#include <string>

#include "apiserver/http/server.h"
#include "base/result.h"

struct ssl_st;

namespace boost::asio::ssl {
class context;
}

namespace atelier::apiserver {

// TLS 1.2 and later, HTTP/1.1 by ALPN, client certificates if `files` has a CA for them.
// Code::invalid when certificate, key or CA cannot be read or do not belong together.
Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const TlsFiles& files);

// The subject of the client's verified certificate as RFC 2253 writes it; empty without one.
std::string verified_subject(ssl_st* ssl);

}  // namespace atelier::apiserver
