// The server to talk to and the credentials, from the kubeconfig files that kubectl reads too.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/environment.h"
#include "base/result.h"

namespace atelier::cli {

struct Connection {
    std::string server;  // "https://127.0.0.1:7443", without a '/' at the end
    std::string ca_pem;  // CA certificates that may sign the server's; empty: the system's CAs
    bool verify = true;
    std::string token;
    std::string client_certificate_pem;
    std::string client_key_pem;
    std::string ns = "default";
};

// Values of flags; one that is not empty wins over the files.
struct ConnectionFlags {
    std::string kubeconfig;
    std::string context;
    std::string server;
    std::string token;
    std::string certificate_authority;
    std::string ns;
};

// Reads the file of --kubeconfig, else those of $KUBECONFIG (a list, in which earlier files win),
// else $ATELIER_HOME/kubeconfig (~/.atelier when unset) if that exists, else ~/.kube/config.
// Code::not_found says how to get one; Code::invalid names the file and the field.
Result<Connection> find_connection(const ConnectionFlags& flags, const Environment& environment);

}  // namespace atelier::cli
