#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "cli/output/text_table.h"
#include "cli/verbs/verbs.h"

namespace atelier::cli {

int run_api_resources(Session& session) {
    const auto client = session.client();
    if (!client) return session.fail(client.error());
    auto resources = (*client)->resources();
    if (!resources) return session.fail(resources.error());
    std::sort(resources->begin(), resources->end(), [](const Resource& a, const Resource& b) {
        return std::tie(a.group, a.plural) < std::tie(b.group, b.plural);
    });
    TextTable table({"NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"});
    for (const Resource& resource : *resources) {
        table.add({resource.plural, join(resource.short_names, ","), resource.api_version(),
                   resource.namespaced ? "true" : "false", resource.kind});
    }
    session.out() << table.take_text(true);
    return exit_code::fine;
}

}  // namespace atelier::cli
