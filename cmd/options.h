// The options of `atelier server`. Precedence: flag, environment (ATELIER_…), config file, default.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/result.h"
#include "reconcilers/org_template/source.h"

namespace atelier::cmd {

struct ServerOptions {
    std::filesystem::path home;
    std::string address = "127.0.0.1";
    std::uint16_t port = 7443;
    std::vector<std::string> names;  // further names and addresses for the certificate
    std::string store;               // URL; empty: SQLite below home
    Duration history_age = std::chrono::minutes(10);     // of the store
    std::size_t history_bytes = std::size_t{256} << 20;  // of the store, in the database
    std::string accept_store;     // the identity of a store that this home has not worked with
    std::string docker = "auto";  // auto, off, unix://…, tcp://…
    bool process_runtime = true;  // whether workspaces may run as processes of this machine
    std::string backend;          // for workspaces that name none; empty: see choose_runtimes
    std::string network;          // of the containers; empty: a name made of the instance id
    std::filesystem::path org_templates;  // for source.directory; empty: <home>/org-templates
    std::filesystem::path plugins;        // for local:// sources; empty: <home>/plugins
    std::vector<std::filesystem::path> host_folders;  // that workspaces may mount; absolute
    std::string github_url = "https://github.com";
    reconcilers::ExternalOptions external;
    std::map<std::string, std::string> images;  // runtime -> image
    bool allow_unpinned = false;
    int workers = 6;  // four keep a Docker Engine busy; the others observe and prepare
    Log::Level log_level = Log::Level::info;
    Log::Format log_format = Log::Format::text;
    std::string encryption_key;  // 32 bytes; empty: <home>/keys/encryption.key, made when absent
    std::vector<std::string> old_encryption_keys;  // under which the database may still be sealed
};

struct ParsedOptions {
    ServerOptions options;
    std::string help;  // not empty: print it and exit
};

// --store, else the SQLite file below the home folder.
std::string store_url(const ServerOptions& options);

// Code::invalid names the option, where it was given, and its valid values.
Result<ParsedOptions> parse_server_options(const std::vector<std::string>& arguments,
                                           const Environment& environment);

}  // namespace atelier::cmd
