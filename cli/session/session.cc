#include "cli/session/session.h"

#include <ostream>

#include "base/text.h"
#include "cli/output/text_table.h"

namespace atelier::cli {

Result<void> Session::connect_once() {
    if (client_) return {};
    connection_ =
        TRY(find_connection({arguments.text("kubeconfig"), arguments.text("context"),
                             arguments.text("server"), arguments.text("token"),
                             arguments.text("certificate-authority"), arguments.text("namespace")},
                            process.environment));
    auto timeout = parse_duration(arguments.text("request-timeout"));
    if (!timeout) return timeout.error().in("--request-timeout");
    auto http = TRY(connect(*connection_, *timeout, process.interrupted));
    client_ =
        std::make_unique<Client>(std::move(http), [this](const std::string& text) { warn(text); });
    return {};
}

Result<Client*> Session::client() {
    TRY(connect_once());
    return client_.get();
}

Result<std::string> Session::ns() {
    if (arguments.on("all-namespaces")) return std::string();
    TRY(connect_once());
    return connection_->ns;
}

int Session::usage(const std::string& message) {
    err() << "error: " << printable(message) << "\nsee: atelier " << verb_
          << (verb_.empty() ? "" : " ") << "--help\n";
    return exit_code::usage;
}

int Session::fail(const Error& error) {
    if (error.code == Code::cancelled) return exit_code::interrupted;
    err() << "error: " << printable(error.message) << "\n";
    return exit_code_of(error);
}

int Session::interrupted_watching(const std::string& resume) {
    err() << "interrupted; the server works on. To watch again: " << printable(resume) << "\n";
    return exit_code::interrupted;
}

void Session::warn(const std::string& message) {
    err() << "Warning: " << printable(message) << "\n";
}

int exit_code_of(const Error& error) {
    switch (error.code) {
        case Code::invalid:
            return exit_code::usage;
        case Code::timeout:
            return exit_code::timed_out;
        case Code::forbidden:
        case Code::unauthenticated:
            return exit_code::forbidden;
        case Code::conflict:
            return exit_code::conflict;
        case Code::cancelled:
            return exit_code::interrupted;
        default:
            return exit_code::error;
    }
}

Result<Deadline> Deadline::of(const Session& session) {
    Deadline out;
    const std::string text = session.arguments.text("timeout");
    if (text.empty() || text == "0") return out;
    auto duration = parse_duration(text);
    if (!duration) return duration.error().in("--timeout");
    if (*duration > Duration::zero()) out.end_ = session.now() + *duration;
    return out;
}

std::string name_of_object(const Resource& resource, std::string_view name) {
    return resource.name_prefix() + "/" + std::string(name);
}

Result<std::vector<Target>> targets_of(Session& session, const std::vector<std::string>& words) {
    Client* const client = TRY(session.client());
    std::vector<Target> out;
    if (words.empty()) return Error{Code::invalid, "name an object: KIND NAME or KIND/NAME"};
    if (words[0].find('/') != std::string::npos) {
        for (const std::string& word : words) {
            const std::size_t slash = word.find('/');
            if (slash == std::string::npos || slash + 1 == word.size()) {
                return Error{Code::invalid, "\"" + word + "\" is not KIND/NAME"};
            }
            Resource resource = TRY(client->resolve(word.substr(0, slash)));
            out.push_back({std::move(resource), word.substr(slash + 1)});
        }
        return out;
    }
    for (const Resource& resource : TRY(resources_of(*client, words[0]))) {
        if (words.size() < 2) {
            return Error{Code::invalid,
                         "name the " + resource.singular + ": " + words[0] + " NAME"};
        }
        for (std::size_t i = 1; i < words.size(); ++i) out.push_back({resource, words[i]});
    }
    return out;
}

Result<std::vector<Resource>> resources_of(Client& client, const std::string& kinds) {
    std::vector<Resource> out;
    for (const std::string& kind : split(kinds, ',')) out.push_back(TRY(client.resolve(kind)));
    return out;
}

}  // namespace atelier::cli
