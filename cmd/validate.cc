#include "cmd/validate.h"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <filesystem>
#include <ostream>

#include "base/text.h"
#include "cli/output/text_table.h"
#include "cli/run.h"
#include "drivers/trees/read_tree.h"
#include "templates/directory_files.h"
#include "templates/tree_files.h"
#include "templates/validate.h"

namespace atelier::cmd {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

constexpr const char* usage = "usage: atelier validate DIR [FLAGS]";

struct ValidateOptions {
    fs::path folder;
    bool help = false;
    bool git = false;
    bool strict = false;
    bool json = false;
    templates::ExternalPolicy policy;
    templates::StandIns stand_ins;
    templates::CompileLimits limits;
};

po::options_description describe_validate() {
    po::options_description all("flags");
    auto add = all.add_options();
    add("help,h", "this text");
    add("git", "links must stay inside DIR, as in a template that comes from git");
    add("strict", "warnings count as errors");
    add("output,o", po::value<std::string>()->default_value("text"), "text or json");
    add("plugin", po::value<std::vector<std::string>>()->composing(),
        "a plugin that exists; may be repeated; with one, every other plugin is a warning");
    add("external", po::value<std::vector<std::string>>()->composing(),
        "owner/name=folder: the folder to read for that repository in an !external; may be "
        "repeated");
    add("external-host", po::value<std::string>(), "as --external-host of the server");
    add("external-allow", po::value<std::vector<std::string>>()->composing(),
        "as --external-allow of the server; without it every repository is allowed");
    return all;
}

Error bad(std::string message) {
    return {Code::invalid, std::move(message)};
}

Result<templates::StandIns> stand_ins_of(const std::vector<std::string>& pairs) {
    templates::StandIns stand_ins;
    for (const std::string& pair : pairs) {
        const std::size_t equals = pair.find('=');
        if (equals == 0 || equals == std::string::npos) {
            return bad(fmt::format("--external: \"{}\" is not owner/name=folder", pair));
        }
        const fs::path folder = pair.substr(equals + 1);
        std::error_code error;
        if (!fs::is_directory(folder, error)) {
            return bad(fmt::format("--external: there is no folder \"{}\"", folder.string()));
        }
        stand_ins[pair.substr(0, equals)] = folder;
    }
    return stand_ins;
}

Result<ValidateOptions> interpret_validate(const po::variables_map& values,
                                           const Environment& environment) {
    ValidateOptions options;
    options.help = values.count("help") > 0;
    if (options.help) return options;
    if (!values.count("folder")) return bad("name the folder of the template");
    options.folder = values["folder"].as<std::string>();
    std::error_code error;
    if (!fs::is_directory(options.folder, error)) {
        return bad(fmt::format("there is no folder \"{}\"", options.folder.string()));
    }
    options.git = values.count("git") > 0;
    options.strict = values.count("strict") > 0;
    const std::string output = values["output"].as<std::string>();
    if (output != "text" && output != "json") {
        return bad(fmt::format("-o: \"{}\" is not text or json", output));
    }
    options.json = output == "json";
    options.policy.allow.clear();
    const std::string host = environment.get("ATELIER_EXTERNAL_HOST");
    if (!host.empty()) options.policy.host = host;
    if (values.count("external-host")) {
        options.policy.host = values["external-host"].as<std::string>();
    }
    if (values.count("external-allow")) {
        options.policy.allow = values["external-allow"].as<std::vector<std::string>>();
    }
    TRY(templates::check_external_policy(options.policy));
    if (values.count("plugin")) {
        const auto& names = values["plugin"].as<std::vector<std::string>>();
        options.limits.known_plugins.emplace(names.begin(), names.end());
    }
    if (values.count("external")) {
        options.stand_ins = TRY(stand_ins_of(values["external"].as<std::vector<std::string>>()));
    }
    return options;
}

Result<ValidateOptions> parse(const std::vector<std::string>& arguments,
                              const Environment& environment) {
    po::options_description known = describe_validate();
    known.add_options()("folder", po::value<std::string>());
    po::positional_options_description positional;
    positional.add("folder", 1);
    po::variables_map values;
    try {
        po::store(po::command_line_parser(arguments).options(known).positional(positional).run(),
                  values);
        po::notify(values);
    } catch (const po::error& e) {
        return bad(e.what());
    }
    return interpret_validate(values, environment);
}

Result<std::unique_ptr<templates::TemplateFiles>> files_of(const ValidateOptions& options) {
    if (options.git) {
        auto tree = TRY(drivers::read_tree(options.folder));
        return templates::files_of_tree(std::make_shared<const drivers::Tree>(std::move(tree)));
    }
    return templates::files_of_directory(options.folder, options.folder / "..");
}

}  // namespace

int validate(const std::vector<std::string>& arguments, const Environment& environment,
             std::ostream& out, std::ostream& err) {
    const auto options = parse(arguments, environment);
    if (!options) {
        err << "error: " << cli::printable(options.error().message) << "\n" << usage << "\n";
        return cli::exit_code::usage;
    }
    if (options->help) {
        out << "compile a template as the server would, without a server\n\n"
            << usage << "\n\n"
            << describe_validate()
            << "\nExit codes: 0 the template compiles, 1 it has errors (with --strict: or "
               "warnings), "
               "2 wrong usage.\n";
        return cli::exit_code::fine;
    }
    const auto files = files_of(*options);
    if (!files) {
        err << "error: " << cli::printable(files.error().message) << "\n";
        return cli::exit_code::error;
    }
    const auto externals = templates::local_externals(options->policy, options->stand_ins);
    const auto compiled = templates::compile(**files, *externals, options->limits);
    if (options->json) {
        out << templates::json_of(compiled);
    } else {
        for (const auto& [what, findings] :
             {std::pair("error", &compiled.errors), std::pair("warning", &compiled.warnings)}) {
            for (const auto& one : *findings) {
                err << what << ": " << cli::printable(templates::text_of(one)) << " (" << one.reason
                    << ")\n";
            }
        }
        for (const std::string& line : templates::summary_of(compiled)) {
            out << cli::printable(line) << "\n";
        }
    }
    const bool fine = compiled.errors.empty() && (!options->strict || compiled.warnings.empty());
    return fine ? cli::exit_code::fine : cli::exit_code::error;
}

}  // namespace atelier::cmd
