// The server's folder: who it is, its keys, and the lock that keeps a second server out.
#pragma once

#include <filesystem>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "cmd/options.h"

namespace atelier::cmd {

class Home {
  public:
    // Makes the folder (mode 0700) and what belongs in it, and locks it for this process: conflict
    // when another server uses it.
    static Result<Home> open(const ServerOptions& options, Random& random);
    ~Home();
    Home(Home&& other) noexcept;
    Home& operator=(Home&&) = delete;

    const std::string& instance() const { return instance_; }              // a UUID, made once
    const std::string& encryption_key() const { return encryption_key_; }  // 32 bytes

  private:
    Home() = default;
    int lock_ = -1;
    std::string instance_;
    std::string encryption_key_;
};

}  // namespace atelier::cmd
