// A real Docker engine for tests: which one, and an image of our own that needs no registry.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::fakes {

inline constexpr std::string_view test_image = "atelier-test/busybox:1";

// ATELIER_TEST_DOCKER, such as "unix:///tmp/dk/docker.sock".
std::optional<std::string> test_docker_host();
// True when ATELIER_TEST_REQUIRE=1: a missing service is then a failure, not a skip.
bool services_are_required();

// Makes `test_image` of this machine's static busybox if it is not there: all applets in /bin, and
// a command that runs until SIGTERM. Other files (by path without the first '/') may be added under
// a name of one's own.
Result<void> make_test_image(const std::string& host);
Result<void> make_image(const std::string& host, const std::string& name,
                        const std::map<std::string, std::string>& executables,
                        const std::string& command_json);

}  // namespace atelier::fakes
