// The server's folder: the server's identity, its keys, and the lock that excludes a second server.
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
    // Makes the folder (mode 0700) and its subfolders where they are absent, and locks it for this
    // process. Code::conflict when another server has locked it; Code::invalid, naming the file,
    // when instance-id or a key is damaged, or missing from a folder that was used.
    static Result<Home> open(const ServerOptions& options, Random& random);
    ~Home();
    Home(Home&& other) noexcept;
    Home& operator=(Home&&) = delete;

    const std::string& instance() const {
        return instance_;
    }  // a UUID, made when the folder is new
    // 32 bytes, which seal new Secrets: SECRETS_ENCRYPTION_KEY, else the first line of
    // keys/encryption.key.
    const std::string& encryption_key() const { return encryption_keys_.front(); }
    // The keys before that one, under which a database may still be sealed.
    std::vector<std::string> old_encryption_keys() const;

    // Makes a new key and writes it before those of the key file.
    Result<void> add_encryption_key(Random& random);
    // Removes all keys but the first from the key file.
    Result<void> forget_old_encryption_keys();

  private:
    Home() = default;
    int lock_ = -1;
    std::string instance_;
    std::filesystem::path key_file_;
    std::vector<std::string> encryption_keys_;  // the newest first
};

}  // namespace atelier::cmd
