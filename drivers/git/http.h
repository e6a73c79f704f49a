// The HTTP requests of one git operation, by libcurl: http and https only, no redirects, one
// deadline over all of them, the credential only in the Authorization header of each.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/git/git.h"

namespace atelier::drivers {

struct GitRequest {
    std::string path;         // after the repository's URL: "/info/refs?service=git-upload-pack"
    std::string body;         // POST when not empty
    std::string answer_type;  // the Content-Type that a git server gives this answer
    std::int64_t most_bytes = 0;
};

// For one operation on one thread. The deadline runs from construction.
class GitHttp {
  public:
    using OnBytes = std::function<Result<void>(std::string_view)>;

    // The remote's URL must have passed check_remote_url. All arguments outlive this.
    GitHttp(const GitRemote& remote, const GitOptions& options, const Clock& clock,
            GitGate::Pass& pass);
    ~GitHttp();
    GitHttp(const GitHttp&) = delete;
    GitHttp& operator=(const GitHttp&) = delete;

    // Calls `on_bytes` with the body of a successful answer as it arrives; its Error ends the
    // request.
    Result<void> send(const GitRequest& request, const OnBytes& on_bytes);
    Duration remaining() const;  // until the deadline; zero when it is over
    Error timed_out() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace atelier::drivers
