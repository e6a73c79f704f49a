#include "cli/client/kubeconfig.h"

#include <optional>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "crds/yaml.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

struct File {
    fs::path path;
    json::Document value;
};

// An entry of the lists clusters, users and contexts. Paths in it are relative to its file.
struct Entry {
    const json::Value* value = nullptr;
    fs::path folder;
};

Result<std::vector<fs::path>> files_to_read(const ConnectionFlags& flags,
                                            const Environment& environment) {
    if (!flags.kubeconfig.empty()) return std::vector<fs::path>{flags.kubeconfig};
    std::vector<fs::path> out;
    for (const std::string& name : split(environment.get("KUBECONFIG"), ':')) {
        if (!name.empty()) out.emplace_back(name);
    }
    if (!out.empty()) return out;
    const fs::path home = environment.get("HOME");
    const fs::path atelier = environment.get("ATELIER_HOME", (home / ".atelier").string());
    for (const fs::path& file : {atelier / "kubeconfig", home / ".kube" / "config"}) {
        std::error_code ignored;
        if (fs::exists(file, ignored)) return std::vector<fs::path>{file};
    }
    if (!flags.server.empty()) return out;
    return Error{
        Code::not_found,
        "there is no kubeconfig: start a server with `atelier server`, which writes one, or "
        "name one with --kubeconfig, $KUBECONFIG or $ATELIER_HOME"};
}

Result<std::vector<File>> read_files(const std::vector<fs::path>& paths, bool must_exist) {
    std::vector<File> out;
    for (const fs::path& path : paths) {
        auto text = read_file(path);
        // As with kubectl, a file of the list in $KUBECONFIG may be absent.
        if (!text && text.error().code == Code::not_found && !must_exist) continue;
        if (!text) return text.error().in("kubeconfig " + path.string());
        auto documents = TRY(crds::parse_yaml(*text, path.string()));
        if (documents.empty()) continue;
        if (!documents[0].value.IsObject()) {
            return Error{Code::invalid, "kubeconfig " + path.string() + ": must be a mapping"};
        }
        out.push_back({path, std::move(documents[0].value)});
    }
    return out;
}

Entry find_entry(const std::vector<File>& files, std::string_view list, std::string_view what,
                 std::string_view name) {
    for (const File& file : files) {
        const json::Value* const entries = json::find(file.value, {list});
        if (!entries || !entries->IsArray()) continue;
        for (const auto& entry : entries->GetArray()) {
            if (json::string_at(entry, {"name"}) != name) continue;
            const json::Value* const value = json::find(entry, {what});
            if (value && value->IsObject()) return {value, file.path.parent_path()};
        }
    }
    return {};
}

// The bytes of "<field>-data" (base64) or of the file that "<field>" names.
Result<std::string> data_or_file(const Entry& entry, const std::string& field) {
    if (const std::string data = json::string_at(*entry.value, {field + "-data"}); !data.empty()) {
        std::string bytes;
        if (!base64_decode(data, bytes)) {
            return Error{Code::invalid, "kubeconfig: " + field + "-data is not base64"};
        }
        return bytes;
    }
    const std::string name = json::string_at(*entry.value, {field});
    if (name.empty()) return std::string();
    auto bytes = read_file(entry.folder / name);
    if (!bytes) return bytes.error().in("kubeconfig: " + field);
    return bytes;
}

Result<void> read_cluster(const Entry& entry, Connection& out) {
    out.server = json::string_at(*entry.value, {"server"});
    out.ca_pem = TRY(data_or_file(entry, "certificate-authority"));
    const json::Value* const skip = json::find(*entry.value, {"insecure-skip-tls-verify"});
    out.verify = !(skip && skip->IsTrue());
    return {};
}

Result<void> read_user(const Entry& entry, Connection& out) {
    if (json::find(*entry.value, {"exec"}) || json::find(*entry.value, {"auth-provider"})) {
        return Error{
            Code::unsupported,
            "kubeconfig: users with \"exec\" or \"auth-provider\" are not supported; use a "
            "token or a client certificate"};
    }
    out.token = json::string_at(*entry.value, {"token"});
    if (const std::string name = json::string_at(*entry.value, {"tokenFile"});
        out.token.empty() && !name.empty()) {
        auto token = read_file(entry.folder / name, 64 << 10);
        if (!token) return token.error().in("kubeconfig: tokenFile");
        out.token = trim(*token);
    }
    out.client_certificate_pem = TRY(data_or_file(entry, "client-certificate"));
    out.client_key_pem = TRY(data_or_file(entry, "client-key"));
    return {};
}

Result<void> read_context(const std::vector<File>& files, const std::string& wanted,
                          Connection& out) {
    std::string name = wanted;
    for (const File& file : files) {
        if (name.empty()) name = json::string_at(file.value, {"current-context"});
    }
    if (name.empty()) return {};
    const Entry context = find_entry(files, "contexts", "context", name);
    if (!context.value) {
        return Error{Code::not_found, "the kubeconfig has no context \"" + name + "\""};
    }
    if (const auto ns = json::string_at(*context.value, {"namespace"}); !ns.empty()) out.ns = ns;
    const std::string cluster_name = json::string_at(*context.value, {"cluster"});
    const Entry cluster = find_entry(files, "clusters", "cluster", cluster_name);
    if (!cluster.value) {
        return Error{Code::not_found, "the kubeconfig has no cluster \"" + cluster_name + "\""};
    }
    TRY(read_cluster(cluster, out));
    const Entry user =
        find_entry(files, "users", "user", json::string_at(*context.value, {"user"}));
    if (user.value) TRY(read_user(user, out));
    return {};
}

}  // namespace

Result<Connection> find_connection(const ConnectionFlags& flags, const Environment& environment) {
    const std::vector<fs::path> paths = TRY(files_to_read(flags, environment));
    const std::vector<File> files = TRY(read_files(paths, paths.size() == 1));
    Connection out;
    TRY(read_context(files, flags.context, out));
    if (!flags.server.empty()) out.server = flags.server;
    if (!flags.token.empty()) out.token = flags.token;
    if (!flags.ns.empty()) out.ns = flags.ns;
    if (!flags.certificate_authority.empty()) {
        auto pem = read_file(flags.certificate_authority);
        if (!pem) return pem.error().in("--certificate-authority");
        out.ca_pem = *std::move(pem);
        out.verify = true;
    }
    while (out.server.ends_with('/')) out.server.pop_back();
    if (out.server.empty()) {
        return Error{Code::invalid, "the kubeconfig names no server: use --server or --context"};
    }
    if (!out.server.starts_with("https://") && !out.server.starts_with("http://")) {
        return Error{Code::invalid,
                     "the server \"" + out.server + "\" must be an http or https URL"};
    }
    // Everybody on the network path can read a token that is sent over plain HTTP. Loopback has no
    // such path.
    const bool loopback = out.server.starts_with("http://127.") ||
                          out.server.starts_with("http://localhost") ||
                          out.server.starts_with("http://[::1]");
    if (out.server.starts_with("http://") && !out.token.empty() && !loopback) {
        return Error{Code::invalid, "a token is not sent over plain http: use an https URL"};
    }
    return out;
}

}  // namespace atelier::cli
