#include "tests/fakes/test_docker.h"

#include "base/environment.h"
#include "base/file.h"
#include "drivers/docker/http.h"
#include "drivers/trees/archive.h"

namespace atelier::fakes {

namespace {

constexpr std::string_view until_terminated =
    R"(["sh","-c","trap 'exit 0' TERM; while :; do sleep 3600 & wait; done"])";
constexpr const char* applets[] = {
    "sh",        "cat",  "echo",  "env",  "false", "id",    "kill",     "ls",      "mkdir", "mv",
    "ps",        "rm",   "sleep", "stat", "test",  "touch", "true",     "timeout", "head",  "dd",
    "sha256sum", "find", "grep",  "wc",   "wget",  "nc",    "nslookup", "tar"};

}  // namespace

std::optional<std::string> test_docker_host() {
    return Environment::of_process().find("ATELIER_TEST_DOCKER");
}

bool services_are_required() {
    return Environment::of_process().get("ATELIER_TEST_REQUIRE") == "1";
}

Result<void> make_image(const std::string& host, const std::string& name,
                        const std::map<std::string, std::string>& executables,
                        const std::string& command_json) {
    using drivers::File;
    const auto http = TRY(drivers::DockerHttp::open(host, std::nullopt));
    drivers::Tree root;
    root["bin/busybox"] = {File::Kind::regular, true, TRY(read_file("/bin/busybox"))};
    for (const char* applet : applets) {
        root["bin/" + std::string(applet)] = {File::Kind::symlink, false, "busybox"};
    }
    root["etc/passwd"] = {File::Kind::regular, false,
                          "root:x:0:0::/:/bin/sh\nagent:x:1000:1000::/:/bin/sh\n"};
    root["tmp/.keep"] = {File::Kind::regular, false, ""};
    for (const auto& [path, bytes] : executables) root[path] = {File::Kind::regular, true, bytes};
    drivers::TarStream tar(root, "", {});
    const std::string changes = "&changes=" + drivers::url_escape("CMD " + command_json) +
                                "&changes=" + drivers::url_escape("LABEL atelier.dev/test=true") +
                                "&changes=" + drivers::url_escape("ENV PATH=/bin");
    const std::size_t colon = name.rfind(':');
    const auto reply = TRY(http->call(
        {.method = "POST",
         .path = "/images/create?fromSrc=-&repo=" + drivers::url_escape(name.substr(0, colon)) +
                 "&tag=" + drivers::url_escape(name.substr(colon + 1)) + changes,
         .content_type = "application/x-tar",
         .upload = [&](char* buffer, std::size_t size) { return tar.read(buffer, size); }}));
    if (!reply.ok()) {
        return Error{Code::internal, "the image for tests cannot be made", reply.message()};
    }
    return {};
}

Result<void> make_test_image(const std::string& host) {
    const auto http = TRY(drivers::DockerHttp::open(host, std::nullopt));
    const auto found =
        TRY(http->call({.method = "GET", .path = "/images/" + std::string(test_image) + "/json"}));
    if (found.ok()) return {};
    return make_image(host, std::string(test_image), {}, std::string(until_terminated));
}

}  // namespace atelier::fakes
