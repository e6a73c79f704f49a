// Which server, as whom: the kubeconfig files that kubectl reads too.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/environment.h"
#include "base/result.h"

namespace atelier::cli {

struct Connection {
    std::string server;  // "https://127.0.0.1:7443", without a '/' at the end
    std::string ca_pem;  // what the server's certificate must be signed by; empty: the system's CAs
    bool verify = true;
    std::string token;
    std::string client_certificate_pem;
    std::string client_key_pem;
    std::string ns = "default";
};

// What flags say; each wins over the files.
struct ConnectionFlags {
    std::string kubeconfig;
    std::string context;
    std::string server;
    std::string token;
    std::string certificate_authority;
    std::string ns;
};

// The files are those of --kubeconfig, else of $KUBECONFIG (a list, in which earlier files win),
// else $ATELIER_HOME/kubeconfig (~/.atelier when unset) if it is there, else ~/.kube/config.
// Code::not_found says how to get one; Code::invalid names file and field.
Result<Connection> find_connection(const ConnectionFlags& flags, const Environment& environment);

}  // namespace atelier::cli
