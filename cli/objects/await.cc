#include "cli/objects/await.h"

namespace atelier::cli {
namespace {

Result<void> check_deadline(const Session& session, const Awaited& awaited,
                            const Deadline& deadline) {
    if (session.interrupted()) return Error{Code::cancelled, "interrupted"};
    if (!deadline.passed(session.now())) return {};
    return Error{Code::timeout,
                 "timed out waiting for " + name_of_object(awaited.resource, awaited.name)};
}

}  // namespace

Result<void> await(Session& session, Client& client, const Awaited& awaited,
                   const Deadline& deadline, const std::function<bool(const json::Value*)>& met) {
    const Query only{{"fieldSelector", "metadata.name=" + awaited.name}};
    while (true) {
        const auto object = client.get(awaited.resource, awaited.ns, awaited.name);
        if (!object && object.error().code != Code::not_found) return object.error();
        if (met(object ? &*object : nullptr)) return {};
        if (!object) return object.error();
        auto watch = TRY(client.watch(awaited.resource, awaited.ns, only,
                                      json::string_at(*object, {"metadata", "resourceVersion"})));
        while (true) {
            TRY(check_deadline(session, awaited, deadline));
            auto event = watch->next(glance);
            if (!event && event.error().code == Code::gone) break;
            if (!event) return event.error();
            if (!*event) continue;
            const bool gone = (*event)->type == "DELETED";
            if (met(gone ? nullptr : &(*event)->object)) return {};
            if (gone) break;
        }
    }
}

}  // namespace atelier::cli
