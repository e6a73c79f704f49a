#include "cmd/rekey.h"

#include <ostream>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "cli/output/text_table.h"
#include "cli/run.h"
#include "cmd/home.h"
#include "cmd/options.h"
#include "store/open.h"

namespace atelier::cmd {
namespace {

Result<void> rekey(const ServerOptions& options) {
    if (!options.encryption_key.empty()) {
        return Error{
            Code::invalid,
            "the key comes from SECRETS_ENCRYPTION_KEY, not from a file: set that to a new "
            "key and SECRETS_ENCRYPTION_KEY_PREVIOUS to the old one, and start the server"};
    }
    SystemRandom random;
    const SystemClock clock;
    Metrics metrics;
    Home home = TRY(Home::open(options, random));
    TRY(home.add_encryption_key(random));
    store::Options store_options;
    store_options.url = store_url(options);
    store_options.encryption_key = home.encryption_key();
    store_options.old_encryption_keys = home.old_encryption_keys();
    const Log log = Log::to_stderr(options.log_level, options.log_format);
    { const auto store = TRY(store::open(store_options, clock, random, metrics, log)); }
    return home.forget_old_encryption_keys();
}

}  // namespace

int rekey(const std::vector<std::string>& arguments, const Environment& environment,
          std::ostream& out, std::ostream& err) {
    const auto parsed = parse_server_options(arguments, environment);
    if (!parsed) {
        err << "error: " << cli::printable(parsed.error().message) << "\n";
        return cli::exit_code::usage;
    }
    if (!parsed->help.empty()) {
        out << "Encrypts every Secret under a new key. Stop the server first.\n"
               "Takes the options of the server; see atelier server --help.\n";
        return cli::exit_code::fine;
    }
    if (const auto done = rekey(parsed->options); !done) {
        err << "error: " << cli::printable(done.error().message) << "\n";
        return cli::exit_code::error;
    }
    out << "every Secret is sealed under a new key; back up keys/encryption.key of the home "
           "folder\n";
    return cli::exit_code::fine;
}

}  // namespace atelier::cmd
