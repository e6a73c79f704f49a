#include "cmd/home.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <utility>

#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"

namespace atelier::cmd {
namespace {

Result<std::string> kept(const std::filesystem::path& file, const std::string& fresh,
                         unsigned mode) {
    auto text = read_file(file);
    if (text) return std::string(trim(*text));
    if (text.error().code != Code::not_found) return text.error();
    TRY(write_file_atomically(file, fresh + "\n", mode));
    return fresh;
}

std::string random_bytes(Random& random) {
    std::string bytes;
    while (bytes.size() < 32) {
        const std::uint64_t draw = random.next();
        bytes.append(reinterpret_cast<const char*>(&draw), sizeof draw);
    }
    return bytes;
}

}  // namespace

Result<Home> Home::open(const ServerOptions& options, Random& random) {
    Home home;
    TRY(make_directories(options.home, 0700));
    for (const char* folder : {"keys", "pki"}) TRY(make_directories(options.home / folder, 0700));
    for (const char* folder : {"trees", "git", "workspaces", "processes"}) {
        TRY(make_directories(options.home / folder));
    }
    TRY(make_directories(options.org_templates));
    TRY(make_directories(options.plugins));
    const auto lock = options.home / "lock";
    home.lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (home.lock_ < 0) return error_of_errno(errno, "cannot make", lock);
    if (flock(home.lock_, LOCK_EX | LOCK_NB) != 0) {
        return Error{Code::conflict,
                     "another atelier server runs on this home folder: stop it, or give --home "
                     "another folder",
                     options.home.string()};
    }
    home.instance_ = TRY(kept(options.home / "instance-id", uuid4(random), 0644));
    home.encryption_key_ = options.encryption_key;
    if (home.encryption_key_.empty()) {
        const auto file = options.home / "keys" / "encryption.key";
        const std::string text = TRY(kept(file, base64(random_bytes(random)), 0600));
        if (!base64_decode(text, home.encryption_key_) || home.encryption_key_.size() != 32) {
            return Error{
                Code::invalid,
                "keys/encryption.key of the home folder is not 32 bytes in base64: restore "
                "it from a backup; without it no Secret can be read",
                file.string()};
        }
    }
    return home;
}

Home::Home(Home&& other) noexcept
    : lock_(std::exchange(other.lock_, -1)),
      instance_(std::move(other.instance_)),
      encryption_key_(std::move(other.encryption_key_)) {}

Home::~Home() {
    if (lock_ >= 0) close(lock_);
}

}  // namespace atelier::cmd
