#include "cli/verbs/patch_all.h"

#include <ostream>

namespace atelier::cli {

Result<int> patch_all(Session& session, const std::vector<Target>& targets, const std::string& ns,
                      const json::Value& patch, std::string_view done) {
    Client* const client = TRY(session.client());
    int code = exit_code::fine;
    for (const Target& target : targets) {
        const auto answer = client->merge_patch(target.resource, ns, target.name, patch);
        if (!answer) {
            code = session.fail(answer.error());
            if (answer.error().code == Code::cancelled) return code;
            continue;
        }
        session.out() << name_of_object(target.resource, target.name) << " " << done << "\n"
                      << std::flush;
    }
    return code;
}

}  // namespace atelier::cli
