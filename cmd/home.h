// The server's folder: who it is, its keys, and the lock that keeps a second server out.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

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

    const std::string& instance() const { return instance_; }  // a UUID, made once
    // 32 bytes: SECRETS_ENCRYPTION_KEY, else the first line of keys/encryption.key, made when
    // absent.
    const std::string& encryption_key() const { return encryption_keys_.front(); }
    // Those before it, which a database may still be sealed under.
    std::vector<std::string> old_encryption_keys() const;

    // Puts a new key before those in the file.
    Result<void> add_encryption_key(Random& random);
    // Leaves the file with its first key alone.
    Result<void> forget_old_encryption_keys();

  private:
    Home() = default;
    int lock_ = -1;
    std::string instance_;
    std::filesystem::path key_file_;
    std::vector<std::string> encryption_keys_;  // the newest first
};

}  // namespace atelier::cmd
