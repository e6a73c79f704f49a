// The agent's own HTTP server: GET and HEAD of /health and /plugins, nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace boost::asio {
class io_context;
}

namespace atelier::agent {

// Serves on the thread that runs the context. At most 32 connections at a time, 10 seconds and 8
// KiB for a request. Closes everything when destroyed, which must be on that thread or after it.
class Server {
  public:
    // `address`: an IP address, with a port (0 takes a free one), or the absolute path of a socket,
    // which only its owner may use; a socket that is there is replaced. `plugins` gives the body of
    // /plugins.
    static Result<std::unique_ptr<Server>> listen(boost::asio::io_context& context,
                                                  const std::string& address, std::uint16_t port,
                                                  std::function<std::string()> plugins);
    virtual ~Server() = default;
    virtual std::uint16_t port() const = 0;  // 0 for a socket
};

}  // namespace atelier::agent
