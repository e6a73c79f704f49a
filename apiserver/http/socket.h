// Opens a Connection over an accepted socket, plain or with TLS.
#pragma once

#include <memory>
#include <string>

#include "apiserver/http/connection.h"

namespace boost::asio::ssl {
class context;
}

namespace atelier::apiserver {

// Takes the descriptor over. `tls` may be null (plain), and else lives at least as long as the
// connection by being shared. On the loop's thread.
void open_connection(Loop& loop, HttpShared& shared, int descriptor,
                     const std::shared_ptr<boost::asio::ssl::context>& tls);

}  // namespace atelier::apiserver
