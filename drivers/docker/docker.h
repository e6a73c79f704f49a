// Units as containers of a Docker Engine (API 1.40 or newer, 1.41 where there is more).
//
// Containers are made with the few capabilities that an entry point needs to hand its files to a
// user and become it, no way to gain privileges, no restart policy (restarting is the reconcilers'
// business) and a log of bounded size.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "drivers/docker/http.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

struct DockerOptions {
    std::string host = "unix:///var/run/docker.sock";  // or tcp://host:port
    std::optional<DockerTls> tls;                      // for tcp
    bool pull = true;  // an image that is not there is pulled from its registry
    Duration deadline = std::chrono::seconds(60);  // of one call; a stop has its grace added
    Duration pull_deadline = std::chrono::minutes(15);
    // A folder of the server. Whether containers see it is found out by FileSystemProbe; without a
    // folder `shares_file_system` is false.
    std::string probe_folder;
    Labels probe_labels;  // of the probe's container, beside atelier.dev/probe: whose it is
};

// Does not connect: the daemon may be away, and come later; each call then says unavailable.
// invalid when the host is of a wrong form. `clock` and `random` must outlive the runtime.
Result<std::unique_ptr<Runtime>> connect_docker(const DockerOptions& options, const Clock& clock,
                                                Random& random);

}  // namespace atelier::drivers
