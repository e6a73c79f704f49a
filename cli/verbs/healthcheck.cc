#include <ostream>

#include "base/text.h"
#include "cli/output/text_table.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {

int run_healthcheck(Session& session) {
    const auto client = session.client();
    if (!client) return session.fail(client.error());
    const auto answer = (*client)->raw({"GET", "/readyz", {}, "*/*"});
    if (!answer) {
        session.fail(answer.error());
        return exit_code::error;  // Docker's HEALTHCHECK knows 0 and 1 only
    }
    if (answer->status == 200) {
        session.out() << "ready\n";
        return exit_code::fine;
    }
    session.err() << "not ready: the server answered " << answer->status << "\n";
    for (const auto& line : split(answer->body, '\n')) {
        if (line.starts_with("[-]")) session.err() << printable(line) << "\n";
    }
    return exit_code::error;
}

}  // namespace atelier::cli
