#include "cmd/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/digest.h"
#include "base/text.h"

namespace atelier::cmd {
namespace {

namespace po = boost::program_options;

po::options_description describe() {
    po::options_description all(
        "Options of atelier server (each also as ATELIER_<NAME>, or in the file of --config)");
    auto add = all.add_options();
    add("help,h", "show this help");
    add("config", po::value<std::string>(), "file with lines of the form `option = value`");
    add("home", po::value<std::string>(),
        "folder of everything the server keeps (default ~/.atelier)");
    add("listen", po::value<std::string>()->default_value("127.0.0.1:7443"),
        "address and port of the API");
    add("name", po::value<std::vector<std::string>>()->composing(),
        "one more host name or address for the server's certificate; may be repeated");
    add("store", po::value<std::string>()->default_value(""),
        "sqlite:<file> or postgres://… (default: SQLite below the home folder)");
    add("history", po::value<std::string>()->default_value("10m,256Mi"),
        "how much of the past is kept for watchers that come back: an age, a size of the log in "
        "the "
        "database, or both");
    add("accept-store", po::value<std::string>()->default_value(""),
        "identity of a store that this home has not worked with, as the server names it when it "
        "holds: it may remove what that store does not have");
    add("docker", po::value<std::string>()->default_value("auto"),
        "auto (use /var/run/docker.sock if it is there, and wait for it while it is silent), off, "
        "unix://<socket> or tcp://<host:port>");
    add("process-runtime", po::value<std::string>()->default_value("on"),
        "on or off: whether workspaces may run as processes of this machine, which are not "
        "isolated from the server");
    add("backend", po::value<std::string>()->default_value(""),
        "docker or process: the runtime of workspaces that name none (default: docker if it is "
        "used)");
    add("network", po::value<std::string>()->default_value(""), "name of the containers' network");
    add("org-templates", po::value<std::string>()->default_value(""),
        "folder of templates for source.directory (default: <home>/org-templates)");
    add("plugins", po::value<std::string>()->default_value(""),
        "folder of plugins for local:// sources (default: <home>/plugins)");
    add("github-url", po::value<std::string>()->default_value("https://github.com"),
        "git server of github:// sources");
    add("external-host", po::value<std::string>()->default_value(""),
        "git server of an !external that names no URL (default: none); its token is read from "
        "ATELIER_EXTERNAL_TOKEN or MOLECULE_GITEA_TOKEN, never from a flag");
    add("external-allow", po::value<std::vector<std::string>>()->composing(),
        "host/path of the repositories that an !external may name; may be repeated; a host without "
        "TLS needs http:// in front (default: none)");
    add("host-folder", po::value<std::vector<std::string>>()->composing(),
        "folder of this machine that workspaces may mount, with everything below it; may be "
        "repeated (default: none)");
    add("image", po::value<std::vector<std::string>>()->composing(),
        "runtime=image: the image of a runtime; may be repeated");
    add("allow-unpinned", po::value<bool>()->default_value(false)->implicit_value(true),
        "accept github:// plugins without #ref; for development only");
    add("workers", po::value<int>()->default_value(6),
        "objects of one kind reconciled at the same time");
    add("log-level", po::value<std::string>()->default_value("info"),
        "debug, info, warning or error");
    add("log-format", po::value<std::string>()->default_value("text"), "text or json");
    return all;
}

Error bad(std::string_view option, std::string_view value, std::string_view wanted) {
    return {Code::invalid, fmt::format("--{}: \"{}\" is not {}", option, value, wanted)};
}

// "ATELIER_LOG_LEVEL" -> "log-level"; empty for a variable that names no option.
std::string option_of_variable(const std::string& variable, const po::options_description& known) {
    if (variable == "PLUGIN_ALLOW_UNPINNED") return "allow-unpinned";
    if (variable == "MOLECULE_EXTERNAL_GITEA_URL") return "external-host";
    if (variable == "MOLECULE_EXTERNAL_REPO_ALLOWLIST") return "external-allow";
    constexpr std::string_view prefix = "ATELIER_";
    if (!variable.starts_with(prefix)) return {};
    std::string name = lower(std::string_view(variable).substr(prefix.size()));
    std::replace(name.begin(), name.end(), '_', '-');
    return known.find_nothrow(name, false) ? name : std::string();
}

Result<void> parse_listen(const std::string& listen, ServerOptions& options) {
    const std::size_t colon = listen.rfind(':');
    const Error wrong = bad("listen", listen, "an address and a port such as 127.0.0.1:7443");
    if (colon == std::string::npos || colon + 1 == listen.size()) return wrong;
    options.address = listen.substr(0, colon);
    if (options.address.starts_with('[') && options.address.ends_with(']')) {
        options.address = options.address.substr(1, options.address.size() - 2);
    }
    int port = 0;
    for (const char c : listen.substr(colon + 1)) {
        if (c < '0' || c > '9' || port > 65535) return wrong;
        port = port * 10 + (c - '0');
    }
    if (port > 65535 || options.address.empty()) return wrong;
    options.port = static_cast<std::uint16_t>(port);
    return {};
}

Result<std::string> encryption_key(const Environment& environment, std::string_view variable) {
    const std::string text = environment.get(variable);
    if (text.empty() || text.size() == 32) return text;
    std::string bytes;
    if (base64_decode(text, bytes) && bytes.size() == 32) return bytes;
    return Error{Code::invalid,
                 fmt::format("{} must be 32 bytes, as they are or in base64", variable)};
}

Result<void> interpret_external(const po::variables_map& values, const Environment& environment,
                                ServerOptions& options) {
    templates::ExternalPolicy& policy = options.external.policy;
    policy.host = values["external-host"].as<std::string>();
    if (values.count("external-allow")) {
        policy.allow = values["external-allow"].as<std::vector<std::string>>();
    }
    const auto checked = templates::check_external_policy(policy);
    if (!checked) return checked.error().in("--external-host and --external-allow");
    options.external.token = environment.get("ATELIER_EXTERNAL_TOKEN");
    if (options.external.token.empty()) {
        options.external.token = environment.get("MOLECULE_GITEA_TOKEN");
    }
    return {};
}

// "256Mi": a whole number of KiB, MiB or GiB.
std::optional<std::size_t> bytes_of(std::string_view text) {
    constexpr std::pair<std::string_view, unsigned> units[] = {{"Ki", 10}, {"Mi", 20}, {"Gi", 30}};
    for (const auto& [unit, shift] : units) {
        if (!text.ends_with(unit)) continue;
        std::size_t number = 0;
        const char* end = text.data() + text.size() - unit.size();
        const auto [stop, error] = std::from_chars(text.data(), end, number);
        if (error != std::errc{} || stop != end || number == 0 || number > 1'000'000) return {};
        return number << shift;
    }
    return {};
}

Result<void> parse_history(const std::string& history, ServerOptions& options) {
    for (const std::string& part : split(history, ',')) {
        if (const auto bytes = bytes_of(part)) {
            options.history_bytes = *bytes;
            continue;
        }
        const auto age = parse_duration(part);
        if (!age || *age < std::chrono::seconds(1)) {
            return bad("history", history, "an age, a size, or both, such as 10m,256Mi");
        }
        options.history_age = *age;
    }
    return {};
}

Result<ServerOptions> interpret(const po::variables_map& values, const Environment& environment) {
    ServerOptions options;
    const std::string user_home = environment.get("HOME", "/var/lib");
    options.home =
        values.count("home") ? values["home"].as<std::string>() : user_home + "/.atelier";
    options.home = std::filesystem::absolute(options.home);
    TRY(parse_listen(values["listen"].as<std::string>(), options));
    if (values.count("name")) options.names = values["name"].as<std::vector<std::string>>();
    options.store = values["store"].as<std::string>();
    TRY(parse_history(values["history"].as<std::string>(), options));
    options.accept_store = values["accept-store"].as<std::string>();
    options.docker = values["docker"].as<std::string>();
    if (options.docker != "auto" && options.docker != "off" &&
        !options.docker.starts_with("unix://") && !options.docker.starts_with("tcp://")) {
        return bad("docker", options.docker, "auto, off, unix://<socket> or tcp://<host:port>");
    }
    const std::string process = values["process-runtime"].as<std::string>();
    if (process != "on" && process != "off") return bad("process-runtime", process, "on or off");
    options.process_runtime = process == "on";
    options.backend = values["backend"].as<std::string>();
    if (!options.backend.empty() && options.backend != "docker" && options.backend != "process") {
        return bad("backend", options.backend, "docker or process");
    }
    options.network = values["network"].as<std::string>();
    options.org_templates = values["org-templates"].as<std::string>();
    if (options.org_templates.empty()) options.org_templates = options.home / "org-templates";
    options.plugins = values["plugins"].as<std::string>();
    if (options.plugins.empty()) options.plugins = options.home / "plugins";
    options.github_url = values["github-url"].as<std::string>();
    if (values.count("host-folder")) {
        for (const std::string& folder : values["host-folder"].as<std::vector<std::string>>()) {
            if (!folder.starts_with('/')) return bad("host-folder", folder, "an absolute path");
            options.host_folders.emplace_back(folder);
        }
    }
    if (values.count("image")) {
        for (const std::string& pair : values["image"].as<std::vector<std::string>>()) {
            const std::size_t equals = pair.find('=');
            if (equals == 0 || equals == std::string::npos || equals + 1 == pair.size()) {
                return bad("image", pair, "runtime=image");
            }
            options.images[pair.substr(0, equals)] = pair.substr(equals + 1);
        }
    }
    TRY(interpret_external(values, environment, options));
    options.allow_unpinned = values["allow-unpinned"].as<bool>();
    options.workers = values["workers"].as<int>();
    if (options.workers < 1 || options.workers > 64) {
        return bad("workers", std::to_string(options.workers), "between 1 and 64");
    }
    const std::string level = values["log-level"].as<std::string>();
    const std::vector<std::string> levels{"debug", "info", "warning", "error"};
    const auto at = std::find(levels.begin(), levels.end(), level);
    if (at == levels.end()) return bad("log-level", level, "debug, info, warning or error");
    options.log_level = static_cast<Log::Level>(at - levels.begin());
    const std::string format = values["log-format"].as<std::string>();
    if (format != "text" && format != "json") return bad("log-format", format, "text or json");
    options.log_format = format == "json" ? Log::Format::json : Log::Format::text;
    options.encryption_key = TRY(encryption_key(environment, "SECRETS_ENCRYPTION_KEY"));
    const std::string_view previous = "SECRETS_ENCRYPTION_KEY_PREVIOUS";
    if (auto key = TRY(encryption_key(environment, previous)); !key.empty()) {
        if (options.encryption_key.empty()) {
            return Error{Code::invalid,
                         fmt::format("{} needs SECRETS_ENCRYPTION_KEY beside it", previous)};
        }
        options.old_encryption_keys.push_back(std::move(key));
    }
    return options;
}

Result<void> store_file(const std::string& file, const po::options_description& known,
                        po::variables_map& values) {
    std::error_code error;
    std::ifstream in(file);
    if (!in || std::filesystem::is_directory(file, error)) {
        return Error{Code::invalid, fmt::format("--config: cannot read \"{}\"", file)};
    }
    try {
        po::store(po::parse_config_file(in, known), values);
        return {};
    } catch (const po::error& e) {
        return Error{Code::invalid, fmt::format("--config: \"{}\": {}; see atelier server --help",
                                                file, std::string_view(e.what()))};
    }
}

}  // namespace

Result<ParsedOptions> parse_server_options(const std::vector<std::string>& arguments,
                                           const Environment& environment) {
    const po::options_description known = describe();
    po::variables_map values;
    try {
        // The first stored value wins: flags, then the environment, then the file.
        const auto given = po::command_line_parser(arguments).options(known).run();
        for (const auto& option : given.options) {
            if (option.position_key < 0) continue;
            return Error{Code::invalid,
                         fmt::format("\"{}\" is no option; see atelier server --help",
                                     option.value.front())};
        }
        po::store(given, values);
        if (values.count("help")) {
            std::ostringstream text;
            text << "Runs the server: the API, the store and the controllers.\n\n" << known;
            return ParsedOptions{{}, text.str()};
        }
        po::parsed_options from_environment(&known);
        for (const auto& [variable, value] : environment.all()) {
            const std::string name = option_of_variable(variable, known);
            if (name.empty() || name == "help") continue;
            const bool multiple = name == "image" || name == "name" || name == "external-allow" ||
                                  name == "host-folder";
            from_environment.options.emplace_back(
                name, multiple ? split(value, ',') : std::vector<std::string>{value});
        }
        po::store(from_environment, values);
        if (values.count("config")) {
            const std::string file = values["config"].as<std::string>();
            TRY(store_file(file, known, values));
        }
        po::notify(values);
    } catch (const po::error& e) {
        return Error{Code::invalid,
                     fmt::format("{}; see atelier server --help", std::string_view(e.what()))};
    }
    return ParsedOptions{TRY(interpret(values, environment)), ""};
}

std::string store_url(const ServerOptions& options) {
    if (!options.store.empty()) return options.store;
    return "sqlite:" + (options.home / "atelier.db").string();
}

}  // namespace atelier::cmd
