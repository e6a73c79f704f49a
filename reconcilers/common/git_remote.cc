#include "reconcilers/common/git_remote.h"

#include <fmt/format.h>

#include "base/text.h"

namespace atelier::reconcilers {

Result<drivers::GitRemote> git_remote(const Objects& objects, const std::string& ns,
                                      const std::string& url,
                                      const std::optional<crds::LocalRef>& secret_ref) {
    TRY(drivers::check_remote_url(url));
    drivers::GitRemote remote{.url = url, .credential = std::nullopt, .ca_pem = ""};
    if (!secret_ref) return remote;
    const auto secret = TRY(objects.secret(ns, secret_ref->name));
    if (!secret) {
        return Error{
            Code::not_found,
            fmt::format("there is no Secret {} to read {} with; create it", secret_ref->name, url)};
    }
    // A trailing line break is the commonest mistake in a Secret made from a file.
    const auto value = [&](const std::string& key) {
        const auto it = secret->data.find(key);
        return it == secret->data.end() ? std::string() : std::string(trim(it->second));
    };
    remote.ca_pem = value("ca.crt");
    const std::string username = value("username");
    const std::string password = value("password");
    const std::string token = value("token");
    if (username.empty() != password.empty()) {
        return Error{Code::invalid, fmt::format("the Secret {} needs both username and password",
                                                secret_ref->name)};
    }
    if (!username.empty()) {
        remote.credential = {.username = username, .secret = password, .scheme = ""};
    } else if (!token.empty()) {
        remote.credential = {.username = "", .secret = token, .scheme = ""};
    } else if (remote.ca_pem.empty()) {
        return Error{Code::invalid,
                     fmt::format("the Secret {} has neither token, nor username and password, nor "
                                 "ca.crt",
                                 secret_ref->name)};
    }
    return remote;
}

}  // namespace atelier::reconcilers
