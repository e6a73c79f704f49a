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

namespace fs = std::filesystem;

// A server has run on this folder: it made its token right after the identity and the keys.
bool was_used(const fs::path& home) {
    std::error_code ignored;
    for (const char* name : {"token", "kubeconfig", "atelier.db"}) {
        if (fs::exists(home / name, ignored)) return true;
    }
    return false;
}

// The text of a file, which is made when the folder is new. In a folder that was used, the file was
// lost: another one in its place would be another server's identity, or a key that opens nothing.
Result<std::string> text_or_first(const fs::path& home, const std::string& name,
                                  const std::string& fresh, unsigned mode,
                                  const std::string& advice) {
    auto text = read_file(home / name);
    if (text) return std::string(trim(*text));
    if (text.error().code != Code::not_found) return text.error();
    if (was_used(home)) {
        return Error{Code::invalid,
                     name + " is missing from the home folder, which was used before: " + advice,
                     (home / name).string()};
    }
    TRY(write_file_atomically(home / name, fresh + "\n", mode));
    return fresh;
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        const bool hex = std::string_view("0123456789abcdef").find(text[i]) != text.npos;
        if (dash ? text[i] != '-' : !hex) return false;
    }
    return true;
}

// The id stands in the labels of all containers and volumes of this server. Under another id the
// server would not find its own; under an empty one it would take those of another server for its
// own.
Result<std::string> read_instance(const fs::path& home, Random& random) {
    const std::string advice =
        "restore it from a backup; its value is also the label atelier.dev/instance of the "
        "containers "
        "and volumes of this server";
    std::string id = TRY(text_or_first(home, "instance-id", uuid4(random), 0644, advice));
    if (is_uuid(id)) return id;
    return Error{Code::invalid, "instance-id of the home folder holds no UUID: " + advice,
                 (home / "instance-id").string()};
}

std::string random_bytes(Random& random) {
    std::string bytes;
    while (bytes.size() < 32) {
        const std::uint64_t draw = random.next();
        bytes.append(reinterpret_cast<const char*>(&draw), sizeof draw);
    }
    return bytes;
}

// One key a line, in base64. The first one seals, the others only open.
Result<std::vector<std::string>> keys_of(std::string_view text, const std::filesystem::path& file) {
    std::vector<std::string> keys;
    for (const std::string& line : split(text, '\n')) {
        const auto word = trim(line);
        if (word.empty() || word.starts_with('#')) continue;
        std::string key;
        if (!base64_decode(word, key) || key.size() != 32) {
            return Error{Code::invalid,
                         "keys/encryption.key of the home folder is not 32 bytes in base64 on each "
                         "line: restore it from a backup; without it no Secret can be read",
                         file.string()};
        }
        keys.push_back(std::move(key));
    }
    if (keys.empty()) {
        return Error{Code::invalid,
                     "keys/encryption.key of the home folder has no key: restore it from a backup; "
                     "without it no Secret can be read",
                     file.string()};
    }
    return keys;
}

std::string text_of(const std::vector<std::string>& keys) {
    std::string text;
    for (const std::string& key : keys) text += base64(key) + "\n";
    return text;
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
    home.instance_ = TRY(read_instance(options.home, random));
    home.key_file_ = options.home / "keys" / "encryption.key";
    if (options.encryption_key.empty()) {
        const std::string text = TRY(text_or_first(
            options.home, "keys/encryption.key", base64(random_bytes(random)), 0600,
            "restore it from a backup, or set SECRETS_ENCRYPTION_KEY; without the key no Secret "
            "can be read"));
        home.encryption_keys_ = TRY(keys_of(text, home.key_file_));
    } else {
        home.encryption_keys_ = options.old_encryption_keys;
        home.encryption_keys_.insert(home.encryption_keys_.begin(), options.encryption_key);
    }
    return home;
}

std::vector<std::string> Home::old_encryption_keys() const {
    return {encryption_keys_.begin() + 1, encryption_keys_.end()};
}

Result<void> Home::add_encryption_key(Random& random) {
    auto keys = encryption_keys_;
    keys.insert(keys.begin(), random_bytes(random));
    TRY(write_file_atomically(key_file_, text_of(keys), 0600));
    encryption_keys_ = std::move(keys);
    return {};
}

Result<void> Home::forget_old_encryption_keys() {
    encryption_keys_.resize(1);
    return write_file_atomically(key_file_, text_of(encryption_keys_), 0600);
}

Home::Home(Home&& other) noexcept
    : lock_(std::exchange(other.lock_, -1)),
      instance_(std::move(other.instance_)),
      key_file_(std::move(other.key_file_)),
      encryption_keys_(std::move(other.encryption_keys_)) {}

Home::~Home() {
    if (lock_ >= 0) close(lock_);
}

}  // namespace atelier::cmd
